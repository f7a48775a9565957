"""The folder of cards as the service uses it: cards, sources, terminology, order templates, and their version.

Loading checks everything; an invalid or uncited card stops the service with file, line and reason.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from service.dosing.units import faulty_tables
from service.engine.finding import CardNumbers, Concern, Indicator, Threshold, Thresholds, concerns_of
from service.engine.number_words import NumberWords, number_words
from service.engine.plan import ANY_CARD, Plan, plan
from service.files import Document, Fault, FaultyLibrary, check, load_yaml, schema, split
from service.terminology.load import LoadedTerminology, load_terminology

FOLDER = Path(__file__).parents[2] / "cards"
"""The folder of this guideline: beside the package in a checkout and in an installation."""

UNWRITTEN = "<to write:"
"""Stands in a new card wherever nothing is said yet; such a card is a fault."""

CARD_SECTIONS = frozenset({"summary", "detail"})
SAID_IN_STATES = frozenset({"summary", "detail", "line"})
"""Sections that may stand once more for a state: ``## detail STATE``."""
TOPICS, OVERRIDE_REASONS = "card-topics", "override-reasons"
"""The code systems that a guideline publishes."""
OTHER_SECTIONS = frozenset({"line", "evidence", "suggestion", "action"})


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
    """One card as written: its front matter and its sections, not yet rendered.

    ``says`` is by state the source that says the instruction. ``bounds`` are the least and the most that a policy
    may choose for a threshold.
    """

    id: str
    file: str
    title: str
    rule: str
    statements: tuple[str, ...]
    verdict: str
    sources: tuple[str, ...]
    links: tuple[str, ...]
    says: Mapping[str, str]
    topic: str
    thresholds: Thresholds
    bounds: Mapping[str, tuple[Threshold, Threshold]]
    override_reasons: tuple[str, ...]
    examples: Mapping[str, tuple[str, ...]]
    reasons: Mapping[str, Mapping[str, Any]]
    lists: Mapping[str, str]
    severity: Mapping[str, str]
    review: Mapping[str, str]
    raised_when: str
    sections: Mapping[str, str]

    def section(self, kind: str, state: str) -> str:
        """The name of the section that says this in a state: its own, or the plain one."""
        own = f"{kind} {state}"
        return own if own in self.sections else kind

    def says_in(self, state: str) -> str:
        """The key of the source that says the instruction in a state."""
        return self.says.get(state) or self.says[""]


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """A published code system of this guideline: its FHIR resource, and what each code is called."""

    resource: Mapping[str, Any]
    displays: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Library:
    """Everything that is said and why. ``version`` names the guidance exactly, content included.

    ``lines`` are pieces of text that several sections of cards include, by name.
    """

    version: str
    cards: Mapping[str, CardFile]
    lines: Mapping[str, str]
    sources: Mapping[str, Source]
    statements: Mapping[str, Statement]
    plan: Plan
    numbers: NumberWords
    code_systems: Mapping[str, CodeSystem]
    override_system: str
    override_reasons: Mapping[str, str]
    withheld: Mapping[str, str]
    by_hand: str
    quiet: str
    not_reviewed: str
    more_on_page: str
    no_button: str
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
    faults += check(sources, schema(FOLDER, "sources.schema.json"))
    statements = _yaml(folder, "statements.yaml", faults)
    faults += check(statements, schema(FOLDER, "statements.schema.json"))
    overrides = _yaml(folder, "override-reasons.yaml", faults)
    phrases = _yaml(folder, "phrases.yaml", faults)
    guideline = _yaml(folder, "guideline.yaml", faults)
    faults += check(guideline, schema(FOLDER, "guideline.schema.json"))
    code_systems = _code_systems(folder, faults)
    terminology, terminology_faults = load_terminology(folder / "terminology")
    faults += terminology_faults
    faults += faulty_tables(folder)
    orders = _orders(folder, faults)
    offers = _yaml(folder, "orders/offers.yaml", faults)
    cards = _card_files(folder, faults)
    if not faults:
        faults += _uncited_offers(offers, sources.value, orders)
        conditions = {summary.id for summary in terminology.sets if summary.kind == "conditions"}
        own = code_systems[OVERRIDE_REASONS].displays
        faults += _cross_check(cards, sources.value, {**overrides.value["reasons"], **own}, conditions)
        faults += _unknown_topics(cards, code_systems[TOPICS].displays)
        faults += _unknown_cards(guideline, cards)
        faults += _unknown_statements(cards, statements.value)
    if faults:
        raise FaultyLibrary(faults)
    return Library(
        version=f"{guideline.value['version']}+{_digest(folder)}",
        cards=cards,
        lines={path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("lines/*.md"))},
        sources={key: _source(key, entry) for key, entry in sources.value.items()},
        statements={key: _statement(key, entry) for key, entry in statements.value.items()},
        plan=plan(guideline.value),
        numbers=number_words(folder, schema(FOLDER, "numbers.schema.json")),
        code_systems=code_systems,
        override_system=overrides.value["system"],
        override_reasons=overrides.value["reasons"],
        withheld=phrases.value["withheld"],
        by_hand=phrases.value["by_hand"],
        quiet=phrases.value["quiet"],
        not_reviewed=phrases.value["not_reviewed"],
        more_on_page=phrases.value["more_on_page"],
        no_button=phrases.value["no_button"],
        orders=orders,
        offers=offers.value,
        terminology=terminology,
    )


def _yaml(folder: Path, name: str, faults: list[Fault]) -> Document:
    document = load_yaml(name, (folder / name).read_text(encoding="utf-8"))
    if isinstance(document, Fault):
        raise FaultyLibrary([*faults, document])
    return document


def _card_files(folder: Path, faults: list[Fault]) -> dict[str, CardFile]:
    """The cards by their ids."""
    front_matter = schema(FOLDER, "card.schema.json")
    cards: dict[str, CardFile] = {}
    for path in sorted(folder.glob("*/*.md")):
        if path.parent.name == "lines":
            continue
        name = path.relative_to(folder).as_posix()
        parts = split(name, path.read_text(encoding="utf-8"))
        if isinstance(parts, Fault):
            faults.append(parts)
            continue
        document, sections = parts
        found = check(document, front_matter) or _check_file(document, sections, path.stem)
        faults += found
        if not found:
            cards[path.stem] = _card(document, sections)
    return cards


def _check_file(document: Document, sections: Mapping[str, str], stem: str) -> list[Fault]:
    faults = []
    if document.value["id"] != stem:
        faults.append(document.fault(f"id: must be the file's name, '{stem}'", "id"))
    for title in sorted(CARD_SECTIONS - sections.keys()):
        if not any(section.startswith(f"{title} ") for section in sections):
            faults.append(Fault(document.name, 0, f"section '## {title}' is missing"))
    in_states = {title for title in sections if title.partition(" ")[0] in SAID_IN_STATES and " " in title}
    for title in sorted(sections.keys() - CARD_SECTIONS - OTHER_SECTIONS - in_states):
        faults.append(Fault(document.name, 0, f"section '## {title}' is not known"))
    if ("suggestion" in sections) != ("action" in sections):
        faults.append(Fault(document.name, 0, "sections '## suggestion' and '## action' go together"))
    faults += [
        document.fault(f"{key}: still to be written", key) for key in document.value if _unwritten(document, key)
    ]
    faults += [
        Fault(document.name, 0, f"section '## {title}' is still to be written")
        for title, text in sections.items()
        if UNWRITTEN in text
    ]
    return faults


def _unwritten(document: Document, key: str) -> bool:
    return UNWRITTEN in str(document.value[key])


def _cross_check(
    files: Mapping[str, CardFile],
    sources: Mapping[str, Any],
    override_reasons: Mapping[str, str],
    conditions: Set[str],
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
        wrong += [
            f"says: '{key}' is not among the card's sources" for key in card.says.values() if key not in card.sources
        ]
        wrong += [
            f"reasons: '{kind}' names the condition '{set_}', which is not in the terminology"
            for kind, concern in concerns_of(card.thresholds).items()
            for set_ in sorted(concern.conditions.union(concern.unless, *concern.milder.values()) - conditions)
        ]
        wrong += [f"bounds: '{name}' is no threshold" for name in card.bounds if name not in card.thresholds]
        wrong += [
            f"bounds: '{name}' is outside its own bounds"
            for name, (least, most) in card.bounds.items()
            if name in card.thresholds and not least.value <= card.thresholds[name].value <= most.value
        ]
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


def _unknown_topics(cards: Mapping[str, CardFile], topics: Mapping[str, str]) -> list[Fault]:
    return [
        Fault(card.file, 0, f"topic: '{card.topic}' is not in codesystems/{TOPICS}.json")
        for card in cards.values()
        if card.topic not in topics
    ]


def _unknown_cards(guideline: Document, cards: Mapping[str, CardFile]) -> list[Fault]:
    """Cards that the guideline names and that are not there, and cards that it does not rank."""
    value = guideline.value
    named = {
        "ranking": [place.partition("/")[0] for place in value["ranking"]],
        "always": value["always"],
        "doses": value.get("doses", ()),
        "silenced": [card for entry in value.get("silenced", ()) for card in (entry["beside"], *entry["cards"])],
        "merges": [
            card
            for entry in value.get("merges", ())
            for card in (*entry["from"], *(entry["into"] if entry["into"] != ANY_CARD else ()))
        ],
    }
    faults = [
        guideline.fault(f"{key}: there is no card '{card}'", key)
        for key, ids in named.items()
        for card in dict.fromkeys(ids)
        if card not in cards
    ]
    unranked = sorted(cards.keys() - set(value["ranking"]))
    return faults + [guideline.fault(f"ranking: '{card}' is missing", "ranking") for card in unranked]


def _statement(key: str, entry: Mapping[str, str]) -> Statement:
    return Statement(key, entry["says"], entry["verdict"], entry["because"], entry.get("not_carried", ""))


def _card(document: Document, sections: Mapping[str, str]) -> CardFile:
    front = document.value
    return CardFile(
        id=front["id"],
        file=document.name,
        title=front["title"],
        rule=front["rule"],
        statements=tuple(front.get("statements", ())),
        verdict=front["verdict"],
        sources=tuple(front["sources"]),
        links=tuple(front.get("links", ())),
        says=_by_state(front["says"]),
        topic=front["topic"],
        bounds={name: (threshold(least), threshold(most)) for name, (least, most) in front.get("bounds", {}).items()},
        thresholds=CardNumbers(
            {name: threshold(value) for name, value in front.get("thresholds", {}).items()},
            {kind: _concern(row) for kind, row in front.get("reasons", {}).items() if "urgency" in row},
        ),
        override_reasons=tuple(front.get("override_reasons", ())),
        examples={kind: tuple(paths) for kind, paths in front.get("examples", {}).items()},
        reasons=front.get("reasons", {}),
        lists=front.get("lists", {}),
        severity=front.get("severity", {}),
        review=front["review"],
        raised_when=front.get("raised_when", ""),
        sections=sections,
    )


def _by_state(says: str | Mapping[str, str]) -> Mapping[str, str]:
    return {"": says} if isinstance(says, str) else says


def _concern(row: Mapping[str, Any]) -> Concern:
    """A row of a card's table; its urgency is a word, or a word for each jurisdiction and "" for the others."""
    urgency = row["urgency"] if isinstance(row["urgency"], dict) else {"": row["urgency"]}
    indicators = {place: Indicator[word.upper()] for place, word in urgency.items()}
    milder = {place: frozenset(conditions) for place, conditions in row.get("warning_in", {}).items()}
    conditions, unless = frozenset(row.get("conditions", ())), frozenset(row.get("unless", ()))
    return Concern(conditions, indicators, row.get("ever", False), unless, milder)


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


def _code_systems(folder: Path, faults: list[Fault]) -> dict[str, CodeSystem]:
    """The code systems of ``codesystems``, by their id."""
    found = {}
    for name in (TOPICS, OVERRIDE_REASONS):
        path = folder / "codesystems" / f"{name}.json"
        try:
            resource = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            faults.append(Fault(f"codesystems/{path.name}", getattr(error, "lineno", 0), f"not valid JSON: {error}"))
            continue
        found[name] = CodeSystem(resource, {c["code"]: c["display"] for c in resource["concept"]})
    return found


def _digest(folder: Path) -> str:
    """Eight hexadecimal digits over every file that is said or decided by."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".md", ".yaml", ".json"}:
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:8]
