"""``tolami cards``: every card and statement, what is open for review, and a reviewer's sign-off."""

from datetime import date, timedelta

import click

from service.cli.output import Day, Refused, as_json, example, guideline, library, print_json, print_table
from service.dates import local_day
from service.engine.catalogue import catalogue, in_order, statements
from service.engine.catalogue import markdown as as_markdown
from service.engine.loading import FOLDER
from service.engine.review import digest, open_reason, signed

REVIEW_DAYS = 365
"""How long a sign-off stands where the reviewer does not say."""


@click.group(
    invoke_without_command=True,
    help="Show every card and when it is raised, every statement and its verdict.",
    epilog=example(
        "tolami cards\ntolami cards --markdown      the table of docs/guidance.md\n"
        "tolami cards --format json | jq '.[].card'\n"
        "tolami cards --review        cards without a valid sign-off\n"
        "tolami cards sign ID --by 'A. Example' --role 'clinical pharmacist'"
    ),
)
@as_json
@click.option("--markdown", is_flag=True, help="Print the table that docs/guidance.md holds.")
@click.option("--review", is_flag=True, help="Show the cards without a valid sign-off by a clinician, and why.")
@click.pass_context
def cards(context: click.Context, markdown: bool, review: bool, form: str) -> None:
    if context.invoked_subcommand is not None:
        return
    if review:
        found = _open()
        if form == "json":
            print_json([{"card": card, "rule": rule, "open": reason} for card, rule, reason in found])
        else:
            print_table("Not clinically reviewed", ("card", "rule", "open because"), found)
        return
    loaded = library()
    if markdown:
        click.echo(as_markdown(loaded), nl=False)
    elif form == "json":
        print_json(catalogue(loaded))
    else:
        rows = [(card.rule, card.id, card.raised_when) for card in in_order(loaded)]
        print_table("Cards", ("rule", "card", "raised when"), rows, lines=True)
        table = [
            (each.key, each.says, each.verdict, ", ".join(card.id for card in by) or f"none: {each.not_carried}")
            for each, by in statements(loaded)
        ]
        print_table("Statements of the article", ("no.", "the article says", "verdict", "card"), table, lines=True)


def _open() -> list[tuple[str, str, str]]:
    """Card, rule and reason of every card that counts as not reviewed today."""
    whole, today = guideline(), local_day()
    reasons = ((card, open_reason(whole, card.id, today)) for card in whole.library.cards.values())
    return [(card.id, card.rule, reason) for card, reason in reasons if reason]


@cards.command(
    short_help="Write a reviewer's sign-off into a card.",
    help="""Write a reviewer's sign-off into the front matter of a card.

    It covers the card as it stands: its words, its numbers and the code of its rule. Any edit revokes it.
    """,
    epilog=example("tolami cards sign ID --by 'A. Example' --role 'clinical pharmacist' --until 2027-06-30"),
)
@click.argument("card_id", metavar="ID")
@click.option("--by", required=True, help="Name of the reviewer.")
@click.option("--role", required=True, help="Profession or position of the reviewer.")
@click.option(
    "--until",
    type=Day(),
    help=f"Last day on which the sign-off is valid; by default {REVIEW_DAYS} days from today.",
)
def sign(card_id: str, by: str, role: str, until: date | None) -> None:
    whole, today = guideline(), local_day()
    card = whole.library.cards.get(card_id)
    if card is None:
        raise Refused(f"{card_id}: there is no such card; tolami cards lists them.")
    last = until or today + timedelta(days=REVIEW_DAYS)
    if last <= today or not by.strip() or not role.strip():
        raise Refused("A sign-off needs a name, a role, and a last day that is not past.")
    path = FOLDER / card.file
    sign_off = signed(path.read_text(encoding="utf-8"), by, role, today, last, digest(whole, card_id))
    path.write_text(sign_off, encoding="utf-8")
    library()
    click.echo(f"{card.file} is signed off by {by} ({role}) until {last}.")
