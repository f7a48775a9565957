"""Loads the folder of cards and checks everything in it.

An invalid or uncited card stops the service with file, line and reason.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from service.dosing.units import faulty_tables
from service.engine.concerns import CardNumbers, Concern
from service.engine.finding import Indicator, Threshold
from service.engine.library import (
    OVERRIDE_REASONS,
    TOPICS,
    CardFile,
    CodeSystem,
    Library,
    Source,
    Statement,
)
from service.engine.plan import plan
from service.engine.references import reference_faults
from service.files import (
    Document,
    Fault,
    FaultyLibrary,
    Schema,
    Seen,
    check,
    digest,
    load_json,
    load_table,
    load_yaml,
    read,
    schema,
    split,
)
from service.terminology.load import faulty_lists, load_terminology

FOLDER = Path(__file__).parents[2] / "cards"
"""The folder of this guideline: beside the package in a checkout and in an installation."""

SAMPLE = "sample_request.json"
"""The name of the file, in such a folder, that is a first request to try. It need not be there."""

UNWRITTEN = "<to write:"
"""Stands in a new card wherever nothing is said yet; such a card is a fault."""

NEEDED = ("detail", "summary")
TEMPLATE = re.compile("{[{%]")
HTML = re.compile("<[a-z/!]", re.IGNORECASE)
SECTION = re.compile("(?:summary|detail|line)(?: .+)?|evidence|suggestion|action")
KNOWN = "summary, detail and line, each also with a state, and evidence, suggestion and action"


def load(folder: Path = FOLDER) -> Library:
    """The library in a folder. Raises FaultyLibrary with every fault found."""
    try:
        return _load(folder)
    except OSError as error:
        raise FaultyLibrary([Fault(Path(error.filename or folder).name, 0, error.strerror or str(error))]) from None
    except (KeyError, TypeError, AttributeError, ValueError, re.error) as error:
        raise FaultyLibrary([Fault("cards", 0, f"not in the expected form: {error!r}")]) from error


def _load(folder: Path) -> Library:
    content = digest(folder)
    seen = Seen(folder, content) if folder == FOLDER else None
    fits = bool(seen)
    faults: list[Fault] = []
    sources, statements, overrides, phrases, guideline, numbers, offers = (
        _yaml(folder, name, faults, fits)
        for name in ("sources", "statements", "override-reasons", "phrases", "guideline", "numbers", "orders/offers")
    )
    code_systems = _code_systems(folder, faults, fits)
    if listed := [] if fits else faulty_lists(folder, schema(FOLDER, "words.schema.json")):
        raise FaultyLibrary([*faults, *listed])
    terminology, terminology_faults = load_terminology(folder / "terminology")
    faults += terminology_faults
    faults += [] if fits else faulty_tables(folder)
    orders = _orders(folder, faults, fits)
    sample = _sample(folder, guideline, faults)
    cards, documents = _card_files(folder, faults, fits)
    faults += [Fault(path.relative_to(folder).as_posix(), 0, "must end in .yaml") for path in folder.rglob("*.yml")]
    if faults:
        raise FaultyLibrary(faults)
    library = Library(
        version=f"{guideline.value['version']}+{content[:8]}",
        cards=cards,
        lines={path.stem: read(folder, f"lines/{path.name}") for path in sorted(folder.glob("lines/*.md"))},
        sources={key: _source(key, entry) for key, entry in sources.value.items()},
        statements={key: Statement(key, **entry) for key, entry in statements.value.items()},
        plan=plan(guideline.value),
        number_words={id_: {**numbers.value["all"], **numbers.value["cards"].get(id_, {})} for id_ in cards},
        code_systems=code_systems,
        override_system=overrides.value["system"],
        override_reasons=overrides.value["reasons"],
        orders=orders,
        offers=offers.value,
        terminology=terminology,
        sample=sample,
        fixtures=folder / guideline.value["fixtures"] if "fixtures" in guideline.value else None,
        **phrases.value,
    )
    faults += reference_faults(library, documents, guideline, offers)
    if not fits:
        from service.engine.templates import order_faults  # reads orders, which is slow to import

        faults += order_faults(library)
    if faults:
        raise FaultyLibrary(faults)
    if seen is not None and not fits:
        seen.remember()
    return library


def _form(name: str, fits: bool) -> Schema:
    """One of the JSON Schemas of this guideline's folder; None where the content is known to fit."""
    return None if fits else schema(FOLDER, f"{name}.schema.json")


def _yaml(folder: Path, name: str, faults: list[Fault], fits: bool) -> Document:
    document = load_yaml(f"{name}.yaml", read(folder, f"{name}.yaml"))
    found = [document] if isinstance(document, Fault) else check(document, _form(Path(name).name, fits))
    if isinstance(document, Fault) or not isinstance(document.value, dict):
        raise FaultyLibrary([*faults, *found])
    faults += found
    return document


def _card_files(folder: Path, faults: list[Fault], fits: bool) -> tuple[dict[str, CardFile], dict[str, Document]]:
    """The cards and their front matters, by the cards' ids."""
    form = _form("card", fits)
    cards: dict[str, CardFile] = {}
    documents: dict[str, Document] = {}
    for path in sorted(folder.rglob("*.md")):
        name = path.relative_to(folder).as_posix()
        try:
            text = read(folder, name)
        except FaultyLibrary as faulty:
            faults += faulty.faults
            continue
        if path.parent.name == "lines" and not text.startswith("---"):
            continue
        parts = split(name, text) if name.count("/") == 1 else Fault(name, 0, "belongs in the folder of its subject")
        if isinstance(parts, Fault):
            faults.append(parts)
            continue
        document, sections = parts
        found = check(document, form) or _check_file(document, sections, folder)
        faults += found
        if path.stem in documents:
            faults.append(document.fault(f"id: {documents[path.stem].name} has the same one", "id"))
        elif not found:
            cards[path.stem], documents[path.stem] = _card(document, sections), document
    return cards, documents


def _check_file(document: Document, sections: Mapping[str, str], folder: Path) -> list[Fault]:
    front, stem = document.value, Path(document.name).stem
    faults = [] if front["id"] == stem else [document.fault(f"id: must be the file's name, '{stem}'", "id")]
    faults += [document.fault(f"{key}: still to be written", key) for key in front if UNWRITTEN in str(front[key])]
    rows = front.get("reasons", {})
    for key in ("short", "long", "urgency"):
        without = [kind for kind in rows if key not in rows[kind]]
        if 0 < len(without) < len(rows):
            wrong = f"reasons: {', '.join(without[:3])}: no '{key}', as other rows have"
            faults.append(document.fault(wrong, "reasons", without[0]))
    for kind, row in rows.items():
        if HTML.search(f"{row.get('short')} {row.get('long')}"):
            faults.append(document.fault(f"reasons: {kind}: HTML, which a client shows as it is", "reasons", kind))
    missing = [kind for kind in NEEDED if not any(title.partition(" ")[0] == kind for title in sections)]
    faults += [Fault(document.name, 0, f"section '## {kind}' is missing") for kind in missing]
    reasons = {title: _wrong_with(title, text) for title, text in sections.items()}
    faults += [section_fault(folder, document.name, title, reason) for title, reason in reasons.items() if reason]
    if ("suggestion" in sections) != ("action" in sections):
        faults.append(Fault(document.name, 0, "sections '## suggestion' and '## action' go together"))
    return faults


def _wrong_with(title: str, text: str) -> str:
    """What is wrong with a section; empty when nothing is."""
    if not SECTION.fullmatch(title):
        return f"not known; a card has {KNOWN}"
    if UNWRITTEN in text:
        return "still to be written"
    if not text.strip():
        return "has no words"
    if HTML.search(text):
        return "HTML, which a client shows as it is, or not at all"
    return "is no template: write it as it is to be read" if title == "evidence" and TEMPLATE.search(text) else ""


def line_in(file: Path, title: str, line: int = 0) -> int:
    """The line of a file at which a line of a section stands, or its heading; without such a section that line."""
    lines = file.read_text(encoding="utf-8").splitlines()
    if f"## {title}" not in lines:
        return line
    start = lines.index(f"## {title}") + 1
    while line and start < len(lines) and not lines[start].strip():
        start += 1
    return start + line


def section_fault(folder: Path, name: str, title: str, reason: str, line: int = 0) -> Fault:
    """A fault in a section of a card, at one of its lines or at its heading."""
    return Fault(name, line_in(folder / name, title, line), f"section '## {title}': {reason}")


def _card(document: Document, sections: Mapping[str, str]) -> CardFile:
    front = document.value
    thresholds = {name: Threshold.of(value) for name, value in front.get("thresholds", {}).items()}
    concerns = {kind: _concern(row) for kind, row in front.get("reasons", {}).items() if "urgency" in row}
    bounds = front.get("bounds", {}).items()
    parts: dict[str, Any] = {
        **{key: tuple(value) if isinstance(value, list) else value for key, value in front.items()},
        "says": {"": front["says"]} if isinstance(front["says"], str) else front["says"],
        "thresholds": CardNumbers(thresholds, concerns),
        "bounds": {name: (Threshold.of(least), Threshold.of(most)) for name, (least, most) in bounds},
    }
    return CardFile(file=document.name, sections=sections, **parts)


def _concern(row: Mapping[str, Any]) -> Concern:
    """A row of a card's table; its urgency is a word, or a word for each jurisdiction and "" for the others."""
    urgency = row["urgency"] if isinstance(row["urgency"], dict) else {"": row["urgency"]}
    indicators = {place: Indicator[word.upper()] for place, word in urgency.items()}
    milder = {place: frozenset(conditions) for place, conditions in row.get("warning_in", {}).items()}
    conditions, unless = frozenset(row.get("conditions", ())), frozenset(row.get("unless", ()))
    state, classes = row.get("state", ""), tuple(row.get("classes", ()))
    ever = frozenset([""] if row.get("ever") is True else row.get("ever", ()))
    return Concern(conditions, indicators, ever, unless, milder, state, classes)


def _source(key: str, entry: Mapping[str, Any]) -> Source:
    label, link = entry.get("label", entry["title"]), entry.get("link", entry["title"])
    return Source(key, entry["title"], label, link, entry["kind"], entry.get("url", ""), entry["read"])


def _orders(folder: Path, faults: list[Fault], fits: bool) -> dict[str, dict[str, Any]]:
    form, paths = _form("orders", fits), sorted(folder.glob("orders/*.json"))
    return {path.stem: _json(folder, f"orders/{path.name}", faults, form) for path in paths}


def _sample(folder: Path, guideline: Document, faults: list[Fault]) -> Path | None:
    path = folder / SAMPLE
    if not path.exists():
        return None
    request = _json(folder, SAMPLE, faults)
    if request and (hook := request.get("hook")) not in guideline.value.get("services", ()):
        faults.append(Fault(SAMPLE, 0, f"hook: '{hook}' is no service of guideline.yaml"))
    return path


def _code_systems(folder: Path, faults: list[Fault], fits: bool) -> dict[str, CodeSystem]:
    form = _form("codesystems", fits)
    found = {name: _json(folder, f"codesystems/{name}.json", faults, form) for name in (TOPICS, OVERRIDE_REASONS)}
    return {
        name: CodeSystem(resource, {concept["code"]: concept["display"] for concept in resource.get("concept", ())})
        for name, resource in found.items()
    }


def _json(folder: Path, name: str, faults: list[Fault], form: Schema = None) -> dict[str, Any]:
    """The object in a file under a JSON Schema; an empty one, with its faults, when there is none."""
    try:
        if form is not None:
            load_table(folder, name, form)
        return load_json(folder, name)
    except FaultyLibrary as faulty:
        faults += faulty.faults
        return {}
