"""``tolami new``: the files that an author edits next, a card or a request for it."""

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import click
import msgspec

from service.cli.answers import InProcess, read
from service.cli.display import answer_lines
from service.cli.output import Refused, day_option, example, library, standard_output
from service.cli.replay import FIXTURES
from service.cli.request_words import request_of
from service.dates import local_day
from service.engine.loading import FOLDER, UNWRITTEN
from service.jsonio import encode

HOOKS = ("order-select", "order-sign", "patient-view")
BLANK = Path(__file__).with_name("new_card.md")
"""A card with nothing said yet."""
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
OTHERS = {"codesystems", "directions", "lines", "orders", "schemas", "terminology"}
"""Folders of ``cards/`` that hold no cards."""
_CARD = re.compile(rf"({_NAME.pattern})/({_NAME.pattern})")
_RULE = re.compile(r"^rule: ([RX]\d+)$", re.MULTILINE)


@click.group(
    help="Write a new card, or a request to try one with.",
    epilog=example(
        "tolami new card safety/my-card\ntolami new fixture my-card-at-70 --hook order-sign --patient 70/female \\\n"
        "  --draft 'DRUG 25 mg tablet: 1 tablet at bedtime' --condition SET"
    ),
)
def new() -> None: ...


@new.command(
    help="""Write a card to fill in: cards/SUBJECT/ID.md.

    Until its texts are written, tolami check names them and the service does not start.
    """,
    epilog=example(
        "tolami new card safety/my-card\ntolami check                       names what is still to be written"
    ),
)
@click.argument("name", metavar="SUBJECT/ID")
@click.option("--rule", help="Its number in docs/guidance.md; by default the next that is free.")
@click.option("--force", is_flag=True, help="Overwrite an existing card.")
def card(name: str, rule: str | None, force: bool) -> None:
    path, steps = write_card(name, rule, local_day(), force=force)
    click.echo(f"Written: {path}\n\nNext:")
    for number, step in enumerate(steps, 1):
        click.echo(f"{number}. {step}")


@new.command(
    help="""Write a request: fhir_fixtures/requests/HOOK/NAME.json.

    Its patient is synthetic. A drug is named as on a label and written with its code; its directions, after a colon,
    are words that the service reads. A condition is a value set of cards/terminology/conditions, SYSTEM|CODE, or
    words; an observation a value set of cards/terminology/observations with value and unit. Each option may be given
    several times.
    """,
    epilog=example(
        "tolami new fixture pair-at-72 --hook order-sign --patient 72/female \\\n"
        "  --draft 'DRUG 25 mg tablet: 1 tablet at bedtime' \\\n"
        "  --on-list 'DRUG 150 mg tablet: 1 tablet three times a day' \\\n"
        "  --condition SET --observation 'SET 480 ms'"
    ),
)
@click.argument("name", metavar="NAME")
@click.option("--hook", required=True, type=click.Choice(HOOKS), help="The hook of the request.")
@click.option("--patient", required=True, metavar="AGE/SEX", help="Such as 72/female.")
@click.option("--draft", "drafts", multiple=True, metavar="'DRUG: DIRECTIONS'", help="An order being written.")
@click.option("--on-list", "medications", multiple=True, metavar="'DRUG: DIRECTIONS'", help="An order on the list.")
@click.option("--condition", "conditions", multiple=True, metavar="SET|SYSTEM|CODE|WORDS", help="A problem.")
@click.option("--observation", "observations", multiple=True, metavar="'SET VALUE UNIT'", help="A measurement.")
@day_option("The day of the request; by default today.")
@click.option("--force", is_flag=True, help="Overwrite an existing request.")
def fixture(name: str, hook: str, patient: str, today: date, force: bool, **words: Sequence[str]) -> None:
    path = FIXTURES / hook / f"{name}.json"
    if not FIXTURES.is_dir():
        raise Refused(f"There is no folder {FIXTURES} here. Run this in the project's folder.")
    if not _NAME.fullmatch(name):
        raise Refused(f"{name}: a fixture's name is small letters, digits and single hyphens, such as pair-at-72.")
    if path.exists() and not force:
        raise Refused(f"{path} already exists. Choose another name, or overwrite it with --force.")
    cards = library()
    request = request_of(hook, name, patient, words, cards, today)
    path.write_bytes(msgspec.json.format(encode(request), indent=2) + b"\n")
    console = standard_output()
    click.echo(f"Written: {path}")
    for line in answer_lines(InProcess(cards).answer(read(path), today), full=False):
        console.print(line, soft_wrap=True)
    click.echo(
        f"Read it, change what the words could not say, then record the answer:\n"
        f"  tolami replay {path} --update --today {today}"
    )


def write_card(
    name: str, rule: str | None, today: date, folder: Path | None = None, *, force: bool = False
) -> tuple[Path, Sequence[str]]:
    """Writes a card with nothing said yet: its file, and what is to be done next. Raises Refused."""
    folder = folder or FOLDER
    parts = _CARD.fullmatch(name)
    if parts is None or parts[1] in OTHERS:
        raise Refused(f"{name}: name the card SUBJECT/ID in small letters, such as safety/my-card.")
    subject, id_ = parts.groups()
    path = folder / subject / f"{id_}.md"
    for other in folder.glob(f"*/{id_}.md"):
        if other != path or not force:
            there = other.relative_to(folder).as_posix()
            raise Refused(f"{there} already exists. Choose another ID, or overwrite the same card with --force.")
    cards = {card: card.read_text("utf-8") for card in sorted(folder.glob("*/*.md")) if card != path}
    taken = {rule: card.stem for card, text in cards.items() for rule in _RULE.findall(text)}
    rule = rule or f"R{max((int(one[1:]) for one in taken if one[0] == 'R'), default=0) + 1:02}"
    if not re.fullmatch(r"[RX]\d{1,2}", rule):
        raise Refused(f"--rule {rule}: a rule is R or X and a number of at most two digits.")
    rule = f"R{int(rule[1:]):02}" if rule[0] == "R" else rule
    if rule in taken:
        raise Refused(f"--rule {rule} is that of {taken[rule]}. Leave --rule out for the next that is free.")
    path.parent.mkdir(exist_ok=True)
    path.write_text(BLANK.read_text(encoding="utf-8").format(id=id_, rule=rule, today=today), encoding="utf-8")
    function = id_.replace("-", "_")
    return path, (
        f"Write the words of the card: each '{UNWRITTEN} …' says what belongs there (docs/cards.md).",
        f"Rank it: add '- {id_}' to 'ranking' in cards/guideline.yaml, where it belongs among the others.",
        f"Write its rule {rule}: a function {function}(chart, thresholds) -> Finding | None in a module of"
        f" service/guidance/, named in RULES of registry.py.",
        "Write two requests with tolami new fixture: one that raises it, one that must not.",
        "tolami check names what is still missing; the service does not start until nothing is.",
    )
