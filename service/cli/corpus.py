"""``tolami replay --corpus``: every JSON file below a folder, whatever it is, and what of its answer went wrong."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from service.cdshooks.messages import own_members
from service.cli.answers import Answer, InProcess, OverHttp
from service.cli.corpus_material import Material, material
from service.cli.output import Refused, standard_output
from service.dates import local_day
from service.engine.library import Library
from service.fhir.concepts import concept_of
from service.fhir.resources import text

MOST_REASONS = 12
"""How many reasons are shown of one outcome, the most frequent first."""
INDEX = "index.json"
NOT_A_REQUEST = "not a request"
WITHOUT_THE_DRUGS = frozenset({"not-checked"})
"""Cards that may be raised where the drugs are not named: they say that something could not be read."""

FAILURES = frozenset({"service-failed", "rule-failed"})
_STATUS = re.compile(r"HTTP (\d{3})")
_VALID = re.compile(r"\bno errors\b")
_PLACE = re.compile(r"\(byte \d+\)|\[\d+\]")
_REFUSED = frozenset({400, 404, 422})


@dataclass(frozen=True, slots=True)
class Outcome:
    """``label`` is what is counted ("cards", "no cards", "HTTP 422", …), ``reason`` why, ``wrong`` what went wrong."""

    label: str
    reason: str = ""
    wrong: tuple[str, ...] = ()


def files(folder: Path) -> list[Path]:
    """Every JSON file below the folder in order, without the index that describes the others."""
    return [path for path in sorted(folder.rglob("*.json")) if path != folder / INDEX and path.is_file()]


def verdicts(folder: Path) -> dict[Path, Any]:
    """What the publisher of a corpus says of its files: ``expected`` of the entries of its index.json.

    "HTTP 400" is the status that must come, "… no errors" a message that must not be refused, and a list the
    errors that a validator found. Of another index, or without one, nothing is expected.
    """
    try:
        entries = json.loads((folder / INDEX).read_bytes())["entries"]
        return {folder / entry["file"]: entry.get("expected") for entry in entries}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}


def outcome(material: Material, answer: Answer | None, expected: Any, library: Library) -> Outcome:
    """What came of a file; ``answer`` is None when there was no call to make of it."""
    if answer is None:
        return Outcome(NOT_A_REQUEST, material.what)
    wrong = [*_failures(answer), *_out_of_place(material, answer, library)]
    wrong += [] if material.wrapped else _against(expected, answer)
    if answer.status != 200:
        return Outcome(f"HTTP {answer.status}", _PLACE.sub("", _diagnostics(answer)).strip(), tuple(wrong))
    ids = ", ".join(sorted({card_id(card) for card in answer.cards}))
    return Outcome("cards" if answer.cards else "no cards", ids, tuple(wrong))


def card_id(card: Mapping[str, Any]) -> str:
    """The id of a card's file as its extension names it; empty for a card of another service."""
    return text(own_members(card).get("card"))


def _failures(answer: Answer) -> Iterator[str]:
    if answer.status >= 500:
        yield f"the service failed: HTTP {answer.status}"
    elif answer.status != 200 and answer.body.get("resourceType") != "OperationOutcome":
        yield f"HTTP {answer.status} without an OperationOutcome"
    for card in answer.cards:
        if card_id(card) in FAILURES:
            yield f"a failure as a card: {card.get('summary', '')}"


def _out_of_place(material: Material, answer: Answer, library: Library) -> Iterator[str]:
    """Cards about the guideline's drugs where nothing in the whole file names one of them."""
    about = [card for card in answer.cards if card_id(card) not in WITHOUT_THE_DRUGS | FAILURES]
    if about and not names_a_subject(material.content, library):
        for card in about:
            yield f"card {card_id(card)}, although no drug of the guideline is named: {card.get('summary', '')}"


def names_a_subject(content: Any, library: Library) -> bool:
    """True when a word or a code anywhere in this JSON names a drug of the guideline."""
    terminology, subjects, left = library.terminology, library.plan.subjects, [content]
    while left:
        value = left.pop()
        if isinstance(value, list):
            left += value
        elif isinstance(value, dict):
            left += value.values()
            codes = concept_of({"coding": [value]}).codings
            if any(entry.drug in subjects for code in codes for entry in terminology.drug_codes(code)):
                return True
        elif isinstance(value, str) and not terminology.drugs_in_text(value).isdisjoint(subjects):
            return True
    return False


def _against(expected: Any, answer: Answer) -> Iterator[str]:
    """Where the answer disagrees with the publisher. Errors of a strict validator may be tolerated here."""
    if not isinstance(expected, str):
        return
    status = _STATUS.search(expected)
    if status is not None and answer.status != int(status[1]):
        yield f"expected is {status[0]}, the answer is HTTP {answer.status}"
    if _VALID.search(expected) and answer.status in _REFUSED:
        yield f"the publisher calls it valid, the answer is HTTP {answer.status}: {_diagnostics(answer)}"


def _diagnostics(answer: Answer) -> str:
    issues = answer.body.get("issue")
    first = issues[0] if isinstance(issues, list) and issues else None
    return text(first.get("diagnostics")) if isinstance(first, dict) else ""


def corpus_table(outcomes: Mapping[str, Counter[str]]) -> Table:
    """The outcomes with their counts, each with its most frequent reasons."""
    table = Table("outcome", "files", "what or why", title="Outcomes")
    for label, reasons in sorted(outcomes.items(), key=lambda entry: -entry[1].total()):
        table.add_section()
        table.add_row(Text(label, style="bold"), str(reasons.total()))
        for reason, number in reasons.most_common(MOST_REASONS):
            if reason:
                table.add_row("", str(number), reason)
    return table


def replay_corpus(folder: Path, answering: InProcess | OverHttp, library: Library, today: date | None) -> int:
    """Replays the folder under a progress bar and shows what came of it; returns the exit code."""
    if not folder.is_dir():
        raise Refused(f"{folder}: there is no such folder.")
    found = files(folder)
    if not found:
        raise Refused(f"{folder}: no JSON files there.")
    console = standard_output()
    outcomes, wrong = defaultdict[str, Counter[str]](Counter), list[tuple[Path, str]]()
    expected = verdicts(folder)
    with Progress(console=console, transient=True) as progress:
        for path in progress.track(found, description="Replaying"):
            came_of = _replayed(path, answering, expected.get(path), library, today or local_day())
            outcomes[came_of.label][came_of.reason] += 1
            wrong += [(path, what) for what in came_of.wrong]
    console.print(corpus_table(outcomes))
    for path, what in wrong:
        console.print(f"{path.relative_to(folder)}: {what}", style="red", soft_wrap=True)
    console.print(f"{len(found)} files; went wrong: {len(wrong)}")
    return 1 if wrong else 0


def _replayed(path: Path, answering: InProcess | OverHttp, expected: object, library: Library, today: date) -> Outcome:
    """What came of one file."""
    try:
        one = material(path)
        answer = answering.answer(one.call, today) if one.call is not None else None
    except Refused as error:
        return Outcome("could not be replayed", wrong=(str(error),))
    return outcome(one, answer, expected, library)
