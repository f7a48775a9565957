"""The folder of cards as the service uses it: cards, sources, terminology, order templates, and their version.

Loading checks everything; an invalid or uncited card stops the service with file, line and reason.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from service.engine.finding import Threshold, Thresholds
from service.files import Document, Fault, FaultyLibrary, check, load_yaml, schema, split
from service.terminology.load import LoadedTerminology, load_terminology

FOLDER = Path(__file__).parents[2] / "cards"
"""The folder of this guideline: beside the package in a checkout and in an installation."""

CARD_SECTIONS = frozenset({"summary", "detail"})
SUGGESTION_SECTIONS = frozenset({"suggestion", "action"})


@dataclass(frozen=True, slots=True)
class Source:
    """A source that cards cite: ``label`` names it as a card's source, ``link`` where it can be opened.

    ``url`` is empty when there is nothing to open. ``read`` says how far its text was seen.
    """

    key: str
    title: str
    label: str
    link: str
    kind: str
    url: str
    read: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of the article: what it says, the verdict on it and why; why no card carries it, if none does."""

    key: str
    says: str
    verdict: str
    because: str
    not_carried: str


@dataclass(frozen=True, slots=True)
class CardFile:
    """One card (or shared line) as written: its front matter and its sections, not yet rendered."""

    id: str
    file: str
    title: str
    rule: str
    lines: tuple[str, ...]
    statements: tuple[str, ...]
    verdict: str
    sources: tuple[str, ...]
    links: tuple[str, ...]
    thresholds: Thresholds
    override_reasons: tuple[str, ...]
    examples: Mapping[str, tuple[str, ...]]
    reasons: Mapping[str, Mapping[str, str]]
    lists: Mapping[str, str]
    severity: Mapping[str, str]
    review: Mapping[str, str]
    raised_when: str
    sections: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Library:
    """Everything that is said and why. ``version`` names the guidance exactly, content included."""

    version: str
    cards: Mapping[str, CardFile]
    lines: Mapping[str, str]
    line_cards: Mapping[str, CardFile]
    sources: Mapping[str, Source]
    statements: Mapping[str, Statement]
    override_system: str
    override_reasons: Mapping[str, str]
    withheld: Mapping[str, str]
    by_hand: str
    orders: Mapping[str, dict[str, Any]]
    offers: Mapping[str, Mapping[str, Any]]
    terminology: LoadedTerminology

    @property
    def thresholds(self) -> dict[str, Thresholds]:
        """The numbers of every card by its id, as the rules want them."""
        return {card.id: card.thresholds for card in self.cards.values()}


def load(folder: Path = FOLDER) -> Library:
    """The library in a folder. Raises FaultyLibrary with every fault found."""
    try:
        return _load(folder)
    except OSError as error:
        raise FaultyLibrary([Fault(Path(error.filename or folder).name, 0, error.strerror or str(error))]) from None
    except (UnicodeDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise FaultyLibrary([Fault("cards", 0, f"not in the form that is expected: {error!r}")]) from error


def _load(folder: Path) -> Library:
    faults: list[Fault] = []
    sources = _yaml(folder, "sources.yaml", faults)
    faults += check(sources, schema(folder, "sources.schema.json"))
    statements = _yaml(folder, "statements.yaml", faults)
    faults += check(statements, schema(folder, "statements.schema.json"))
    overrides = _yaml(folder, "override-reasons.yaml", faults)
    phrases = _yaml(folder, "phrases.yaml", faults)
    guidance = _yaml(folder, "guidance.yaml", faults)
    terminology, terminology_faults = load_terminology(folder / "terminology")
    faults += terminology_faults
    orders = _orders(folder, faults)
    lines = {
        path.stem: path.read_text(encoding="utf-8")
        for path in sorted(folder.glob("lines/*.md"))
        if not path.read_text(encoding="utf-8").startswith("---\n")
    }
    offers = _yaml(folder, "orders/offers.yaml", faults)
    cards, shared = _card_files(folder, faults)
    if not faults:
        faults += _uncited_offers(offers, sources.value, orders)
        faults += _cross_check({**cards, **shared}, sources.value, overrides.value["reasons"])
        faults += _unknown_statements({**cards, **shared}, statements.value)
    if faults:
        raise FaultyLibrary(faults)
    return Library(
        version=f"{guidance.value['version']}+{_digest(folder)}",
        cards=cards,
        lines={**lines, **{id_: card.sections["line"] for id_, card in shared.items()}},
        line_cards=shared,
        sources={key: _source(key, entry) for key, entry in sources.value.items()},
        statements={key: _statement(key, entry) for key, entry in statements.value.items()},
        override_system=overrides.value["system"],
        override_reasons=overrides.value["reasons"],
        withheld=phrases.value["withheld"],
        by_hand=phrases.value["by_hand"],
        orders=orders,
        offers=offers.value,
        terminology=terminology,
    )


def _yaml(folder: Path, name: str, faults: list[Fault]) -> Document:
    document = load_yaml(name, (folder / name).read_text(encoding="utf-8"))
    if isinstance(document, Fault):
        raise FaultyLibrary([*faults, document])
    return document


def _card_files(folder: Path, faults: list[Fault]) -> tuple[dict[str, CardFile], dict[str, CardFile]]:
    """Cards, and the shared lines that carry a statement of their own, by id."""
    front_matter = schema(folder, "card.schema.json")
    cards: dict[str, CardFile] = {}
    shared: dict[str, CardFile] = {}
    for path in sorted(folder.glob("*/*.md")):
        name = path.relative_to(folder).as_posix()
        text = path.read_text(encoding="utf-8")
        line = path.parent.name == "lines"
        if line and not text.startswith("---\n"):
            continue
        parts = split(name, text)
        if isinstance(parts, Fault):
            faults.append(parts)
            continue
        document, sections = parts
        found = check(document, front_matter) or _check_file(document, sections, path.stem, line)
        faults += found
        if not found:
            (shared if line else cards)[path.stem] = _card(document, sections)
    return cards, shared


def _check_file(document: Document, sections: Mapping[str, str], stem: str, line: bool) -> list[Fault]:
    faults = []
    if document.value["id"] != stem:
        faults.append(document.fault(f"id: must be the file's name, '{stem}'", "id"))
    needed = {"line"} if line else CARD_SECTIONS
    allowed = needed if line else CARD_SECTIONS | SUGGESTION_SECTIONS
    for title in sorted(needed - sections.keys()):
        faults.append(Fault(document.name, 0, f"section '## {title}' is missing"))
    for title in sorted(sections.keys() - allowed):
        faults.append(Fault(document.name, 0, f"section '## {title}' is not known"))
    if ("suggestion" in sections) != ("action" in sections):
        faults.append(Fault(document.name, 0, "sections '## suggestion' and '## action' go together"))
    if not line and not document.value.get("links"):
        faults.append(document.fault("links: a card needs at least one", "links"))
    return faults


def _cross_check(
    files: Mapping[str, CardFile], sources: Mapping[str, Any], override_reasons: Mapping[str, str]
) -> list[Fault]:
    """References from one file to another that lead nowhere."""
    faults = []
    for card in files.values():
        wrong = [f"sources: '{key}' is not in sources.yaml" for key in card.sources if key not in sources]
        wrong += [f"links: '{key}' is not among the card's sources" for key in card.links if key not in card.sources]
        wrong += [f"links: source '{key}' has no url" for key in card.links if not sources.get(key, {}).get("url")]
        wrong += [
            f"override_reasons: '{key}' is not in override-reasons.yaml"
            for key in card.override_reasons
            if key not in override_reasons
        ]
        wrong += [f"lines: there is no cards/lines/{key}.md" for key in card.lines if key not in files]
        faults += [Fault(card.file, 0, reason) for reason in wrong]
    return faults


def _uncited_offers(
    offers: Document, sources: Mapping[str, Any], orders: Mapping[str, Mapping[str, Any]]
) -> list[Fault]:
    """Offers of a drug that do not say where the dose comes from, or name a source that is not there."""
    faults = []
    for name, words in offers.value.items():
        cited = words.get("sources", [])
        drug = orders.get(name, {}).get("resourceType") == "MedicationRequest"
        if drug and not (cited and words.get("because")):
            faults.append(offers.fault(f"{name}: an order for a drug needs 'sources' and 'because'", name))
        faults += [offers.fault(f"{name}: '{key}' is not in sources.yaml", name) for key in cited if key not in sources]
    return faults


def _unknown_statements(files: Mapping[str, CardFile], statements: Mapping[str, Any]) -> list[Fault]:
    return [
        Fault(card.file, 0, f"statements: '{key}' is not in statements.yaml")
        for card in files.values()
        for key in card.statements
        if key not in statements
    ]


def _statement(key: str, entry: Mapping[str, str]) -> Statement:
    return Statement(key, entry["says"], entry["verdict"], entry["because"], entry.get("not_carried", ""))


def _card(document: Document, sections: Mapping[str, str]) -> CardFile:
    front = document.value
    return CardFile(
        id=front["id"],
        file=document.name,
        title=front["title"],
        rule=front["rule"],
        lines=tuple(front.get("lines", ())),
        statements=tuple(front.get("statements", ())),
        verdict=front["verdict"],
        sources=tuple(front["sources"]),
        links=tuple(front.get("links", ())),
        thresholds={name: threshold(value) for name, value in front.get("thresholds", {}).items()},
        override_reasons=tuple(front.get("override_reasons", ())),
        examples={kind: tuple(paths) for kind, paths in front.get("examples", {}).items()},
        reasons=front.get("reasons", {}),
        lists=front.get("lists", {}),
        severity=front.get("severity", {}),
        review=front["review"],
        raised_when=front.get("raised_when", ""),
        sections=sections,
    )


def threshold(value: int | str) -> Threshold:
    """ "10 mg" or 3 as a number with its unit (the schema has checked the form)."""
    match = re.fullmatch(r"(\S+)(?: (\S+))?", str(value))
    assert match is not None
    return Threshold(Fraction(match[1]), match[2] or "")


def _source(key: str, entry: Mapping[str, Any]) -> Source:
    title = entry["title"]
    label, link = entry.get("label", title), entry.get("link", title)
    return Source(key, title, label, link, entry["kind"], entry.get("url", ""), entry["read"])


def _orders(folder: Path, faults: list[Fault]) -> dict[str, dict[str, Any]]:
    """The order templates. Numbers stay decimal, so that they are sent as they were written."""
    orders = {}
    for path in sorted(folder.glob("orders/*.json")):
        try:
            orders[path.stem] = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        except ValueError as error:
            faults.append(Fault(f"orders/{path.name}", 0, f"not valid JSON: {error}"))
    return orders


def _digest(folder: Path) -> str:
    """Eight hexadecimal digits over every file that is said or decided by."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".md", ".yaml", ".json"}:
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:8]
