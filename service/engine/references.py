"""References between files of the cards folder that lead nowhere, and content that lacks a citation."""

from collections.abc import Container, Iterable, Iterator, Mapping

from service.dosing.filtration import NUMBERS
from service.engine.catalogue import RAISED_BY_THE_ENGINE
from service.engine.concerns import concerns_of
from service.engine.finding import Thresholds
from service.engine.library import DELETING, OVERRIDE_REASONS, TOPICS, Library
from service.engine.plan import ANY_CARD
from service.files import Document, Fault

NOT_CHECKED, WEIGHT_AGE, SUPPLY_GRACE = "not-checked", "weight_age", "supply_grace"
"""The card whose numbers say how a chart is read, the one that every guideline needs, and one that it may have."""


def reference_faults(
    library: Library, cards: Mapping[str, Document], guideline: Document, offers: Document
) -> Iterator[Fault]:
    """What is wrong between the files of a library; ``cards`` are the front matters by the card's id."""
    yield from _of_cards(library, cards)
    yield from _uncited(offers, library)
    yield from guideline_faults(guideline, library)
    if NOT_CHECKED in cards:
        yield from _numbers_of_charts(cards[NOT_CHECKED], library.thresholds[NOT_CHECKED], library.plan.subjects)


def _of_cards(library: Library, documents: Mapping[str, Document]) -> Iterator[Fault]:
    reasons = {**library.override_reasons, **library.code_systems[OVERRIDE_REASONS].displays}
    topics = library.code_systems[TOPICS].displays
    conditions = library.terminology.ids.get("conditions", frozenset())
    for card in library.cards.values():
        document = documents[card.id]
        links: tuple[tuple[str, Iterable[str], Container[str], str], ...] = (
            ("sources", card.sources, library.sources, "is not in sources.yaml"),
            ("links", card.links, card.sources, "is not among the card's sources"),
            ("says", card.says.values(), card.sources, "is not among the card's sources"),
            ("override_reasons", card.override_reasons, reasons, "is not in override-reasons.yaml"),
            ("statements", card.statements, library.statements, "is not in statements.yaml"),
            ("topic", [card.topic], topics, "is not in codesystems/card-topics.json"),
            ("bounds", card.bounds, card.thresholds, "is no threshold"),
        )
        found = [(key, name, wrong) for key, names, known, wrong in links for name in names if name not in known]
        found += [
            ("bounds", name, f"is {card.thresholds[name]}, outside its bounds {least} to {most}")
            for name, (least, most) in card.bounds.items()
            if name in card.thresholds
            and not (
                least.unit == card.thresholds[name].unit == most.unit
                and least.value <= card.thresholds[name].value <= most.value
            )
        ]
        yield from (document.fault(f"{key}: '{name}' {wrong}", key) for key, name, wrong in found)
        for key in card.links:
            if key in library.sources and not library.sources[key].url:
                yield document.fault(f"links: source '{key}' has no url", "links")
        for kind, concern in concerns_of(card.thresholds).items():
            for set_ in sorted(concern.conditions.union(concern.unless, *concern.milder.values()) - conditions):
                wrong = f"names the condition '{set_}', which is not in the terminology"
                yield document.fault(f"reasons: '{kind}' {wrong}", "reasons", kind)
            for set_ in sorted(concern.conditions & concern.unless):
                wrong = f"has '{set_}' both as a condition and under 'unless', so it never counts"
                yield document.fault(f"reasons: '{kind}' {wrong}", "reasons", kind)


def _uncited(offers: Document, library: Library) -> Iterator[Fault]:
    """Offers without a template, and of a drug that do not say where the dose comes from, or name no known source."""
    for name, words in library.offers.items():
        cited = words.get("sources", [])
        drug = library.orders.get(name, {}).get("resourceType") == "MedicationRequest"
        if name not in library.orders and name not in DELETING:
            yield offers.fault(f"{name}: there is no template orders/{name}.json", name)
        if drug and not (cited and words.get("because")):
            yield offers.fault(f"{name}: an order for a drug needs 'sources' and 'because'", name)
        for key in cited:
            if key not in library.sources:
                yield offers.fault(f"{name}: '{key}' is not in sources.yaml", name)


def guideline_faults(guideline: Document, library: Library) -> Iterator[Fault]:
    """What is wrong with the document of a guideline itself, which fits its schema."""
    yield from _unknown_cards(guideline, library)
    yield from _lost_cards(guideline)
    yield from _lost_marks(guideline, library)
    yield from _unknown_subjects(guideline, library)


def _unknown_cards(guideline: Document, library: Library) -> Iterator[Fault]:
    """Cards that the guideline names but that do not exist, and cards that it does not rank."""
    value = guideline.value
    merges, silenced = value.get("merges", ()), value.get("silenced", {})
    named = {
        "ranking": [place.partition("/")[0] for place in value["ranking"]],
        "always": value["always"],
        "doses": value.get("doses", ()),
        "silenced": [*silenced, *(card for cards in silenced.values() for card in cards)],
        "merges": [
            *(card for entry in merges for card in entry["from"]),
            *(card for entry in merges if entry["into"] != ANY_CARD for card in entry["into"]),
        ],
    }
    for key, ids in named.items():
        for card in dict.fromkeys(ids):
            if card not in library.cards:
                yield guideline.fault(f"{key}: there is no card '{card}'", key)
    for card in sorted(library.cards.keys() - library.plan.ranking.keys()):
        yield guideline.fault(f"ranking: '{card}' is missing", "ranking")


def _lost_marks(guideline: Document, library: Library) -> Iterator[Fault]:
    """Words that are to be marked and that no card says."""
    texts = [text.lower() for card in library.cards.values() for text in card.sections.values()]
    for word in guideline.value.get("marks", {}):
        if not any(word.lower() in text for text in texts):
            yield guideline.fault(f"marks: no card says '{word}'", "marks", word)


def _lost_cards(guideline: Document) -> Iterator[Fault]:
    """Cards that have to be said whatever else is, and would not be."""
    value, always = guideline.value, set(guideline.value["always"])
    for card in sorted({NOT_CHECKED, *RAISED_BY_THE_ENGINE} - always):
        yield guideline.fault(f"always: '{card}' is missing; no policy may turn it off", "always")
    for beside, cards in value.get("silenced", {}).items():
        for card in sorted({beside, *always}.intersection(cards)):
            yield guideline.fault(f"silenced: '{card}' is never silenced", "silenced", beside)
    for place, merge in enumerate(value.get("merges", ())):
        for card in sorted(set(merge["from"]).intersection(merge["into"])):
            yield guideline.fault(f"merges: '{card}' is merged into itself", "merges", place)
        for card in sorted(always.intersection(merge["from"])) if "else" in merge else ():
            yield guideline.fault(f"merges: '{card}' is never nothing", "merges", place, "else")


def _unknown_subjects(guideline: Document, library: Library) -> Iterator[Fault]:
    """Drugs that the guideline is about and that no record could be seen to name."""
    for place, drug in enumerate(guideline.value["subjects"]):
        if drug not in library.terminology.ids.get("drugs", ()):
            yield guideline.fault(f"subjects: there is no drug '{drug}' in terminology/drugs", "subjects", place)


def _numbers_of_charts(card: Document, given: Thresholds, subjects: Iterable[str]) -> Iterator[Fault]:
    """Numbers by which the engine itself reads a chart: of kidney function, and of plausible doses, all or none."""
    plausible = {f"{drug}_{end}": "mg" for drug in subjects for end in ("least", "most")}
    for together in ({WEIGHT_AGE: "d"}, NUMBERS, plausible):
        there = min(given.keys() & together, default="")
        for name in sorted(together.keys() - given.keys()) if there or WEIGHT_AGE in together else ():
            beside = f", and {there} needs it" if there else ""
            yield card.fault(f"thresholds: '{name}' is missing{beside}", "thresholds")
    for name, number in given.items():
        unit = (NUMBERS | plausible | {WEIGHT_AGE: "d", SUPPLY_GRACE: "d"}).get(name)
        if unit != number.unit:
            wrong = "nothing reads it" if unit is None else f"it is read in {unit or 'a bare number'}"
            yield card.fault(f"thresholds.{name}: {wrong}", "thresholds", name)
