"""``tolami new``: the files that an author edits next, a card or a request for it."""

import re
from datetime import date, datetime
from typing import Any

import click

from service.cli.output import example, library, standard_output, stop
from service.cli.replay import FIXTURES

HOOKS = ("order-select", "order-sign", "patient-view")
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@example(
    "tolami new card safety/glaucoma-drops\ntolami new fixture glaucoma --hook order-sign --patient 70/female \\\n"
    "  --draft 'amitriptyline 25 mg tablet: 1 tablet at bedtime' --condition angle-closure-glaucoma"
)
@click.group()
def new() -> None:
    """Write the files that an author of cards edits next."""


@example(
    "tolami new card safety/glaucoma-drops\ntolami check                              names what is still to be written"
)
@new.command()
@click.argument("name", metavar="SUBJECT/ID")
@click.option("--rule", help="Its number in docs/guidance.md; by default the next that is free.")
@click.option("--force", is_flag=True, help="Overwrite an existing card.")
def card(name: str, rule: str | None, force: bool) -> None:
    """Write a card to fill in: cards/SUBJECT/ID.md.

    Its texts are still to be written, and until they are, tolami check names them and the service does not start.
    """
    from service.cli.card_skeleton import NotWritten, write_card

    try:
        written = write_card(name, rule, date.today(), force=force)  # noqa: DTZ011
    except NotWritten as refused:
        stop(str(refused))
    click.echo(f"Written: {written.path}\n\nNext:")
    for number, step in enumerate(written.steps, 1):
        click.echo(f"{number}. {step}")


@example(
    "tolami new fixture pair-at-72 --hook order-sign --patient 72/female \\\n"
    "  --draft 'amitriptyline 25 mg tablet: 1 tablet at bedtime' \\\n"
    "  --on-list 'tolperisone 150 mg tablet: 1 tablet three times a day' \\\n"
    "  --condition epilepsy --observation 'qtc-bazett 480 ms'"
)
@new.command()
@click.argument("name", metavar="NAME")
@click.option("--hook", required=True, type=click.Choice(HOOKS), help="The hook of the request.")
@click.option("--patient", required=True, metavar="AGE/SEX", help="Such as 72/female.")
@click.option("--draft", "drafts", multiple=True, metavar="'DRUG: DIRECTIONS'", help="An order being written.")
@click.option("--on-list", "listed", multiple=True, metavar="'DRUG: DIRECTIONS'", help="An order the patient has.")
@click.option("--condition", "conditions", multiple=True, metavar="SET|SYSTEM|CODE|WORDS", help="A problem.")
@click.option("--observation", "observations", multiple=True, metavar="'SET VALUE UNIT'", help="A measurement.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="The day of the request; by default today.")
@click.option("--force", is_flag=True, help="Overwrite an existing request.")
def fixture(
    name: str,
    hook: str,
    patient: str,
    drafts: Any,
    listed: Any,
    conditions: Any,
    observations: Any,
    today: datetime | None,
    force: bool,
) -> None:
    """Write a request for synthetic people: fhir_fixtures/requests/HOOK/NAME.json.

    A drug is named as on a label and written with its code; its directions, after a colon, are words that the
    service reads. A condition is a value set of cards/terminology/conditions, SYSTEM|CODE, or words; an observation a
    value set of cards/terminology/observations with value and unit. Each option may be given several times.
    """
    from service.cli.answers import InProcess, read
    from service.cli.display import answer_lines
    from service.cli.request_words import NotUnderstood, Wanted, request_of
    from service.jsonio import encode

    day = today.date() if today else date.today()  # noqa: DTZ011
    path = FIXTURES / hook / f"{name}.json"
    if not FIXTURES.is_dir():
        stop(f"There is no folder {FIXTURES} here. Run this in the project's folder.")
    if not _NAME.fullmatch(name):
        stop(f"{name}: a fixture's name is small letters, digits and single hyphens, such as pair-at-72.")
    if path.exists() and not force:
        stop(f"{path} already exists. Choose another name, or overwrite it with --force.")
    cards = library()
    try:
        request = request_of(Wanted(name, hook, patient, drafts, listed, conditions, observations), cards, day)
    except NotUnderstood as refused:
        stop(str(refused))
    path.write_bytes(_indented(encode(request)))
    console = standard_output()
    click.echo(f"Written: {path}")
    for line in answer_lines(InProcess(cards).answer(read(path), day), full=False):
        console.print(line, soft_wrap=True)
    click.echo(
        f"Read all of it, change what the words could not say, then record the answer:\n"
        f"  tolami replay {path} --update --today {day}"
    )


def _indented(content: bytes) -> bytes:
    import msgspec

    return msgspec.json.format(content, indent=2) + b"\n"
