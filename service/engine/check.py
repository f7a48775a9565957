"""The slow consistency checks of the cards folder, for ``tolami check`` and the tests."""

import fnmatch
import inspect
import json
import re
import sys
from collections.abc import Container, Iterable, Sequence
from hashlib import sha256
from pathlib import Path

from jinja2 import TemplateSyntaxError

from service import chart
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
            yield document_of(folder, card.file).fault(wrong, "reasons", rows[state])
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
                yield document_of(folder, card.file).fault(wrong, "says", state)
    yield from _unknown_states(known, folder)


def _unknown_states(known: dict[str, Container[str]], folder: Path) -> Iterable[Fault]:
    """States in which the guideline merges or ranks a card that has no such state; ``known`` are those of each card."""
    guideline = document_of(folder, "guideline.yaml")
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
                yield document_of(folder, card.file).fault(wrong, "thresholds", name)
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
            yield document_of(folder, "statements.yaml").fault(wrong, statement.key)


def _wordless_numbers(library: Library, folder: Path) -> Iterable[Fault]:
    """Numbers without words, and words without a number."""
    for card in library.cards.values():
        for number in card.thresholds:
            if number not in library.number_words[card.id]:
                wrong = f"thresholds.{number}: numbers.yaml does not say what it stands for"
                yield document_of(folder, card.file).fault(wrong, "thresholds", number)
    numbers, known = document_of(folder, "numbers.yaml"), library.thresholds
    for id_, words in numbers.value["cards"].items():
        for number in words:
            if number not in known.get(id_, {}):
                yield numbers.fault(f"cards.{id_}.{number}: there is no such number", "cards", id_, number)
    for number in numbers.value["all"]:
        if not any(number in thresholds for thresholds in known.values()):
            yield numbers.fault(f"all.{number}: no card has such a number", "all", number)


def document_of(folder: Path, file: str) -> Document:
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
                document = document_of(folder, cards[owner].file)
                yield document.fault(f"reasons {part}: {wrong}", "reasons", *part.split("/"))
            else:
                yield section_fault(folder, cards[owner].file, part, wrong, line)
