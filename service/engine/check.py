"""The slow consistency checks of the cards folder, for ``tolami check`` and the tests."""

import fnmatch
import inspect
import json
import re
import sys
import traceback
from collections.abc import Container, Iterable, Mapping, Sequence
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import TemplateSyntaxError

from service import chart
from service.cdshooks.messages import EXTENSION
from service.engine import wording
from service.engine.catalogue import RAISED_BY_THE_ENGINE, statements
from service.engine.concerns import concerns_of
from service.engine.evaluate import card_of
from service.engine.finding import Rule, states_of
from service.engine.guideline import Guideline
from service.engine.library import Library
from service.engine.loading import FOLDER, line_in, section_fault
from service.engine.rendering import Renderer
from service.files import Document, Fault, Seen, load_yaml, split

KINDS = {"CodeSystem", "MedicationRequest", "ServiceRequest", "ValueSet"}
FHIR_FILES = ("terminology/*/*.json", "orders/*.json", "codesystems/*.json")

CONDITION = re.compile(r"{%-?\s*(?:if|elif|else|endif)\b.*?%}|{{[^}]*\bif\b[^}]*}}")
PRINTED = re.compile(r"\bthresholds\.(\w+)")
TAG = re.compile(r"{{.*?}}|{%.*?%}", re.DOTALL)
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
NAME = re.compile(r"[A-Za-z_]\w*")
ASKED_IN = re.compile(r"thresholds\[(.+?)\]\.to\(\"(.*?)\"\)")
"""Where a rule reads a number: its name, as Python, and the unit."""
ONE_OR_OTHER = re.compile(r'"(\w+)"(?: if .+ else "(\w+)")?')
"""A name as it is written, or one of two."""
POINT = re.compile(r"\bpoint\(\s*\"([^\"]+)\"")
"""Where a rule makes a point of a row of its card."""
JINJA = {"if", "elif", "else", "endif", "for", "endfor", "in", "is", "not", "and", "or", "include", "length", "first"}
"""What the language of templates brings along."""
INCLUDE, WORKED_OUT = re.compile(r'{%-?\s*include "(.+?)"\s*[-+]?%}'), re.compile(r'" ~ [\w.]+ ~ "')
INCLUDED = re.compile(r"{% include .*? \+?%}$")
"""The end of a line that another text completes, a whole sentence of a card's table."""
DEVELOPERS = re.compile(
    r"Medication(?:Request|Statement)/|recogni[sz]ed by|as generally known|not opened"
    r"|TOLAMI_|trust file|dosageInstruction",
    re.IGNORECASE,
)
"""Words of those who write programs, and of those who read sources, that a prescriber has no use for."""


def deep_faults(guideline: Guideline, folder: Path = FOLDER) -> list[Fault]:
    """Faults that loading does not look for, because they cost too much at every start."""
    library, rules = guideline.library, guideline.rules
    return [
        *fhir_faults(folder),
        *_rule_faults(library, rules),
        *_state_faults(library, rules, folder),
        *_glued(library, folder),
        *_unknown_names(library, rules, folder),
        *_uncarried(library, folder),
        *_wordless_numbers(library, folder),
        *other_units(library, rules, folder),
    ]


def fhir_faults(folder: Path) -> list[Fault]:
    """Files that are not valid FHIR R4, each with the elements at fault. Files that were valid are remembered."""
    paths = [path for pattern in FHIR_FILES for path in sorted(folder.glob(pattern))]
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    seen = Seen(folder, sha256(b"\0".join(files.values())).hexdigest(), "fhir") if folder == FOLDER else None
    if seen:
        return []
    faults = [fault for name, content in files.items() for fault in _fhir_faults_of(name, content)]
    if seen is not None and not faults:
        seen.remember()
    return faults


def _fhir_faults_of(name: str, content: bytes) -> Iterable[Fault]:
    from fhir.resources.R4B import get_fhir_model_class  # slow to import, and only for what is new
    from pydantic import ValidationError

    value = json.loads(content)
    kind = value.get("resourceType")
    if kind not in KINDS:
        yield Fault(name, 0, "not a resource of a kind that belongs here")
        return
    try:
        get_fhir_model_class(kind).model_validate(value)
    except ValidationError as error:
        for problem in error.errors():
            place = ".".join(map(str, problem["loc"]))
            yield Fault(name, 0, f"not valid FHIR: {place}: {problem['msg']}")


def _rule_faults(library: Library, rules: Sequence[Rule]) -> Iterable[Fault]:
    """Rules without a card, and cards that no rule raises."""
    expected = {*map(card_of, rules), *RAISED_BY_THE_ENGINE}
    for card in sorted(expected - library.cards.keys()):
        yield Fault(f"{card}.md", 0, "a rule of this name raises this card, but the card does not exist")
    for card in sorted(library.cards.keys() - expected):
        yield Fault(library.cards[card].file, 0, "no rule raises this card; rules are named after their card")


def _state_faults(library: Library, rules: Sequence[Rule], folder: Path) -> Iterable[Fault]:
    """States that a rule or a row of the card names and that have no words, and words for states that neither names."""
    declared = {card_of(rule): states_of(rule) for rule in rules}
    known: dict[str, Container[str]] = {}
    for card in library.cards.values():
        rows = {concern.state: kind for kind, concern in concerns_of(card.thresholds).items() if concern.state}
        known[card.id] = states = dict.fromkeys([*declared.get(card.id, ("",)), *rows])
        used = {*card.says, *(section.partition(" ")[2] for section in card.sections)}
        for state in rows.keys() - used:
            wrong = f"reasons: '{rows[state]}' names the state '{state}', which has neither words nor a source"
            yield _document(folder, card.file).fault(wrong, "reasons", rows[state])
        needed = ("summary", "detail", *(("line",) if card.id in declared else ()))
        for state in states:
            for kind in needed:
                if card.section(kind, state) not in card.sections:
                    before = [title for title in card.sections if title.startswith(kind)]
                    line = line_in(folder / card.file, before[-1]) if before else 0
                    yield Fault(card.file, line, f"section '## {f'{kind} {state}'.strip()}' is missing")
        for section in card.sections:
            state = section.partition(" ")[2]
            if state and state not in states:
                yield section_fault(folder, card.file, section, f"no rule or row names the state '{state}'")
        for state in card.says:
            if state and state not in states:
                wrong = f"says: no rule or row names the state '{state}'"
                yield _document(folder, card.file).fault(wrong, "says", state)
    yield from _unknown_states(known, folder)


def _unknown_states(known: dict[str, Container[str]], folder: Path) -> Iterable[Fault]:
    """States in which the guideline merges or ranks a card that has no such state; ``known`` are those of each card."""
    guideline = _document(folder, "guideline.yaml")
    merges, ranking = guideline.value.get("merges", ()), guideline.value["ranking"]
    named = [
        (state, entry["into"], ("merges", n)) for n, entry in enumerate(merges) for state in entry.get("states", ())
    ]
    parts = [place.partition("/") for place in ranking]
    named += [(state, [card], ("ranking", n)) for n, (card, _, state) in enumerate(parts) if state]
    for state, cards, place in named:
        if not any(state in known[card] for card in cards if card in known) and not known.keys().isdisjoint(cards):
            yield guideline.fault(f"{place[0]}: {' or '.join(cards)} has no state '{state}'", *place)


def _glued(library: Library, folder: Path) -> Iterable[Fault]:
    """Sentences put together from pieces, which nobody can translate: a condition chooses whole lines only."""
    for card in library.cards.values():
        for title, text in card.sections.items():
            if title == "evidence":
                continue
            before = "."
            for number, line in enumerate(map(str.strip, text.splitlines()), start=1):
                if not line:
                    continue
                tag = CONDITION.search(line)
                ends = before.startswith("- ") or before[-1] in ".!?:" or INCLUDED.search(before)
                if tag is not None and (tag[0] != line or not ends):
                    yield section_fault(folder, card.file, title, f"a condition inside a sentence: {line}", number)
                before = before if tag else line


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


def _sources(rules: Sequence[Rule]) -> str:
    """The text of all modules beside those of the rules, and of the engine."""
    rooms = {Path(inspect.getfile(module)).parent for module in (wording, *(sys.modules[r.__module__] for r in rules))}
    files = [path for room in sorted(rooms) for path in room.glob("*.py")] + [Path(inspect.getfile(chart))]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def other_units(library: Library, rules: Sequence[Rule], folder: Path = FOLDER) -> Iterable[Fault]:
    """Numbers in another unit than that in which the rules ask for one of this name, and what no card has of either."""
    read: dict[str, set[str]] = {}
    source = _sources(rules)
    for index, unit in ASKED_IN.findall(source):
        for name in QUOTED.findall(index):
            read.setdefault(re.sub("{.*?}", ".+", name[1:-1]), set()).add(unit)
    for card in library.cards.values():
        for name, number in card.thresholds.items():
            units = set[str]().union(*(units for pattern, units in read.items() if re.fullmatch(pattern, name)))
            if units and number.unit not in units:
                wrong = f"thresholds.{name}: rules read it in {' or '.join(sorted(units)) or 'a bare number'}"
                yield _document(folder, card.file).fault(wrong, "thresholds", name)
    rows = {kind for card in library.cards.values() for kind in card.reasons}
    numbers = {name for thresholds in library.thresholds.values() for name in thresholds}
    asked = [match for index, _ in ASKED_IN.findall(source) if (match := ONE_OR_OTHER.fullmatch(index))]
    missing = [("number", name) for match in asked for name in match.groups() if name and name not in numbers]
    missing += [("row of reasons", kind) for kind in POINT.findall(source) if kind not in rows]
    for what, name in dict.fromkeys(missing):
        yield Fault("cards", 0, f"a rule asks for the {what} '{name}', which no card has")


def _unknown_names(library: Library, rules: Sequence[Rule], folder: Path) -> Iterable[Fault]:
    """Names in sections that no rule and nothing of the engine knows: slips of the pen where no example leads."""
    known = JINJA | set(NAME.findall(_sources(rules)))
    for card in library.cards.values():
        for title, text in card.sections.items():
            for tag in TAG.finditer(text):
                for name in NAME.findall(QUOTED.sub("", tag[0])):
                    if name not in known and name not in card.thresholds:
                        line = text.count("\n", 0, tag.start()) + 1
                        yield section_fault(folder, card.file, title, f"nothing gives it '{name}'", line)


def _uncarried(library: Library, folder: Path) -> Iterable[Fault]:
    """Statements that no card carries and that do not say why not."""
    for statement, cards in statements(library):
        if not cards and not statement.not_carried:
            wrong = f"{statement.key}: no card carries it; say why in not_carried"
            yield _document(folder, "statements.yaml").fault(wrong, statement.key)


def _wordless_numbers(library: Library, folder: Path) -> Iterable[Fault]:
    """Numbers without words, and words without a number."""
    for card in library.cards.values():
        for number in card.thresholds:
            if number not in library.number_words[card.id]:
                wrong = f"thresholds.{number}: numbers.yaml does not say what it stands for"
                yield _document(folder, card.file).fault(wrong, "thresholds", number)
    numbers, known = _document(folder, "numbers.yaml"), library.thresholds
    for id_, words in numbers.value["cards"].items():
        for number in words:
            if number not in known.get(id_, {}):
                yield numbers.fault(f"cards.{id_}.{number}: there is no such number", "cards", id_, number)
    for number in numbers.value["all"]:
        if not any(number in thresholds for thresholds in known.values()):
            yield numbers.fault(f"all.{number}: no card has such a number", "all", number)


def _document(folder: Path, file: str) -> Document:
    """A file of the folder as it was loaded; for a card, its front matter."""
    text = (folder / file).read_text(encoding="utf-8")
    found = split(file, text) if file.endswith(".md") else load_yaml(file, text)
    assert not isinstance(found, Fault), "it was loaded"
    return found[0] if isinstance(found, tuple) else found


def template_faults(renderer: Renderer, folder: Path = FOLDER) -> Iterable[Fault]:
    """Texts that are not valid Jinja2, or include what is not there: sections, sentences of reasons, shared lines."""
    cards, texts = renderer.library.cards, wording.texts_of(renderer.library)
    numbers = {name for thresholds in renderer.library.thresholds.values() for name in thresholds}
    for name, text in texts.items():
        try:
            renderer.marked.compile(text, name, raw=True)  # as far as Jinja2 goes: Python refuses none of what it makes
            found = [
                (text.count("\n", 0, include.start()) + 1, f"there is no '{included}' to include")
                for include in INCLUDE.finditer(text)
                if not fnmatch.filter(texts, included := WORKED_OUT.sub("*", include[1]))
            ]
        except TemplateSyntaxError as error:
            found = [(error.lineno, str(error.message))]
        owner, _, part = name.partition("/")
        own = cards[owner].thresholds if owner in cards else numbers
        printed = [match for match in PRINTED.finditer(text) if match[1] not in own]
        found += [(text.count("\n", 0, match.start()) + 1, f"there is no number '{match[1]}'") for match in printed]
        for line, wrong in found:
            if owner not in cards:
                yield Fault(f"lines/{owner}.md", line, wrong)
            elif "/" in part:
                document = _document(folder, cards[owner].file)
                yield document.fault(f"reasons {part}: {wrong}", "reasons", *part.split("/"))
            else:
                yield section_fault(folder, cards[owner].file, part, wrong, line)


def unlike_examples(
    library: Library, answers: Mapping[str, Iterable[Mapping[str, Any]]], folder: Path = FOLDER
) -> Iterable[Fault]:
    """Fixtures that are named but not there, and cards that are not raised, or silent, where their examples say.

    ``answers`` are the cards that each fixture is answered with. A card is also raised as a line of another one.
    """
    raised = {fixture: [card["extension"][EXTENSION] for card in cards] for fixture, cards in answers.items()}
    for card in library.cards.values():
        if not card.examples and card.id not in RAISED_BY_THE_ENGINE:
            yield _document(folder, card.file).fault("examples: none, so that nothing shows that it is raised")
        for kind, fixtures in card.examples.items():
            for place, fixture in enumerate(fixtures):
                shown = raised.get(fixture)
                own = any(one["card"] == card.id for one in shown or ())
                line = any(card.rule in one.get("rules", ()) and one["rule"] != card.rule for one in shown or ())
                if shown is not None and (own or line if kind == "fires" else not own):
                    continue
                wrong = "is no fixture" if shown is None else f"must{'' if kind == 'fires' else ' not'} raise this card"
                yield _document(folder, card.file).fault(f"examples: '{fixture}' {wrong}", "examples", kind, place)
    if library.plan.example and library.plan.example not in answers:
        wrong = f"example: '{library.plan.example}' is no fixture"
        yield _document(folder, "guideline.yaml").fault(wrong, "example")
    if library.fixtures and not library.fixtures.is_dir():
        yield _document(folder, "guideline.yaml").fault("fixtures: there is no such folder", "fixtures")


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
