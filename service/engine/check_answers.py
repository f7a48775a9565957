"""Checks of what the fixtures are answered with: which cards are raised, and whether a prescriber can read them."""

import re
import traceback
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from service.cdshooks.messages import EXTENSION
from service.engine import wording
from service.engine.catalogue import RAISED_BY_THE_ENGINE
from service.engine.check import document_of
from service.engine.finding import Indicator
from service.engine.library import Library
from service.engine.loading import FOLDER, line_in, section_fault
from service.files import Fault

DEVELOPERS = re.compile(
    r"Medication(?:Request|Statement)/|recogni[sz]ed by|as generally known|not opened"
    r"|TOLAMI_|trust file|dosageInstruction",
    re.IGNORECASE,
)
"""Words of those who write programs, and of those who read sources, that a prescriber has no use for."""


def unreadable(card: Mapping[str, Any], library: Library, folder: Path = FOLDER) -> Iterable[Fault]:
    """Texts of a sent card that are too long or use a developer's words, at the section that is most like them."""
    file = library.cards[card["extension"][EXTENSION]["card"]]
    summary, detail = card["summary"], card["detail"]
    wrong = []
    if not 0 < len(summary) <= wording.SUMMARY_LIMIT or summary.endswith("…"):
        wrong.append((summary, "summary", f"summary of {len(summary)} characters"))
    if (length := wording.count(detail)) > wording.limit(detail):
        wrong.append((detail, "detail", f"detail of {length} words"))
    for text, kind in ((summary, "summary"), (detail, "detail")):
        wrong += [(text, kind, f"'{found}' does not belong on a card") for found in DEVELOPERS.findall(text)[:1]]
    for text, kind, reason in wrong:
        titles = {words: title for title, words in file.sections.items() if title.partition(" ")[0] == kind}
        (likest,) = get_close_matches(text, titles, n=1, cutoff=0)
        yield section_fault(folder, file.file, titles[likest], f"{reason}: {text}")


def unlike_examples(
    library: Library, answers: Mapping[str, Iterable[Mapping[str, Any]]], folder: Path = FOLDER
) -> Iterable[Fault]:
    """Fixtures that are named but not there, and cards that are not raised, or silent, where their examples say.

    ``answers`` are the cards that each fixture is answered with. A card is also raised as a line of another one. One
    that is critical there has to be among those that no policy turns off.
    """
    raised = {fixture: [card["extension"][EXTENSION] for card in cards] for fixture, cards in answers.items()}
    for card in library.cards.values():
        if not card.examples and card.id not in RAISED_BY_THE_ENGINE:
            yield document_of(folder, card.file).fault("examples: none, so that nothing shows that it is raised")
        for kind, fixtures in card.examples.items():
            for place, fixture in enumerate(fixtures):
                given = raised.get(fixture)
                own = any(one["card"] == card.id for one in given or ())
                line = any(card.rule in one.get("rules", ()) and one["rule"] != card.rule for one in given or ())
                if given is not None and (own or line if kind == "fires" else not own):
                    continue
                wrong = "is no fixture" if given is None else f"must{'' if kind == 'fires' else ' not'} raise this card"
                yield document_of(folder, card.file).fault(f"examples: '{fixture}' {wrong}", "examples", kind, place)
    shown = [card for cards in answers.values() for card in cards if card["indicator"] == Indicator.CRITICAL.word]
    critical = {card["extension"][EXTENSION]["card"] for card in shown}
    for id_ in sorted(critical - library.plan.always):
        wrong = f"always: '{id_}' is missing; it can be critical, so no policy may turn it off"
        yield document_of(folder, "guideline.yaml").fault(wrong, "always")
    if library.plan.example and library.plan.example not in answers:
        wrong = f"example: '{library.plan.example}' is no fixture"
        yield document_of(folder, "guideline.yaml").fault(wrong, "example")
    if library.fixtures and not library.fixtures.is_dir():
        yield document_of(folder, "guideline.yaml").fault("fixtures: there is no such folder", "fixtures")


def words_fault(card: str, error: Exception, library: Library, folder: Path = FOLDER) -> Fault:
    """Where the words or the rule of a card failed: file, line and what is wrong, such as an unknown variable."""
    names = {f"{file.id}/{title}": (file.file, title) for file in library.cards.values() for title in file.sections}
    names |= {line: (f"lines/{line}.md", "line") for line in library.lines}
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename in names:
            name, title = names[frame.filename]
            line = frame.lineno or 1
            text = (folder / name).read_text(encoding="utf-8").splitlines()[line_in(folder / name, title, line) - 1]
            return section_fault(folder, name, title, _variable(error, text), line)
    failed = traceback.extract_tb(error.__traceback__)[-1]
    name = library.cards[card].file if card in library.cards else f"{card}.md"
    what = "the whole call" if card == "service-failed" else "its rule"
    if isinstance(error, KeyError) and what == "its rule":
        return Fault(name, 0, f"its rule asks for {error}, which is no number, row of reasons or template")
    return Fault(name, 0, f"{what} failed: {error!r} in {Path(failed.filename).name}:{failed.lineno}")


def _variable(error: Exception, line: str) -> str:
    """What is wrong, with the variable as the line of the template calls it."""
    attribute = re.search(r"has no attribute '(\w+)'$", str(error))
    variable = re.search(rf"(\w+)\.{attribute[1]}\b", line) if attribute else None
    return f"'{variable[1]}' {attribute[0]}" if attribute and variable else str(error)
