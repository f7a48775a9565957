"""References between files of the cards folder that lead nowhere, and content that lacks a required citation."""

from collections.abc import Container, Iterable, Iterator, Mapping, Set
from typing import Any

from service.engine.concerns import concerns_of
from service.engine.library import CardFile, Library
from service.engine.plan import ANY_CARD
from service.files import Document, Fault


def dangling(
    cards: Iterable[CardFile],
    documents: Mapping[str, Document],
    sources: Mapping[str, Any],
    statements: Container[str],
    override_reasons: Container[str],
    topics: Container[str],
    conditions: Set[str],
) -> Iterator[Fault]:
    """References of cards that lead nowhere; ``documents`` are the front matters by the card's id."""
    for card in cards:
        document = documents[card.id]
        links: tuple[tuple[str, Iterable[str], Container[str], str], ...] = (
            ("sources", card.sources, sources, "is not in sources.yaml"),
            ("links", card.links, card.sources, "is not among the card's sources"),
            ("says", card.says.values(), card.sources, "is not among the card's sources"),
            ("override_reasons", card.override_reasons, override_reasons, "is not in override-reasons.yaml"),
            ("statements", card.statements, statements, "is not in statements.yaml"),
            ("topic", [card.topic], topics, "is not in codesystems/card-topics.json"),
            ("bounds", card.bounds, card.thresholds, "is no threshold"),
        )
        found = [(key, name, wrong) for key, names, known, wrong in links for name in names if name not in known]
        found += [
            ("bounds", name, f"is {card.thresholds[name]}, outside its bounds {least} to {most}")
            for name, (least, most) in card.bounds.items()
            if name in card.thresholds and not least.value <= card.thresholds[name].value <= most.value
        ]
        yield from (document.fault(f"{key}: '{name}' {wrong}", key) for key, name, wrong in found)
        for key in card.links:
            if not sources.get(key, {}).get("url"):
                yield document.fault(f"links: source '{key}' has no url", "links")
        for kind, concern in concerns_of(card.thresholds).items():
            for set_ in sorted(concern.conditions.union(concern.unless, *concern.milder.values()) - conditions):
                wrong = f"names the condition '{set_}', which is not in the terminology"
                yield document.fault(f"reasons: '{kind}' {wrong}", "reasons", kind)


def uncited_offers(
    offers: Document, sources: Container[str], orders: Mapping[str, Mapping[str, Any]]
) -> Iterator[Fault]:
    """Offers of a drug that do not say where the dose comes from, or name a source that does not exist."""
    for name, words in offers.value.items():
        cited = words.get("sources", [])
        drug = orders.get(name, {}).get("resourceType") == "MedicationRequest"
        if drug and not (cited and words.get("because")):
            yield offers.fault(f"{name}: an order for a drug needs 'sources' and 'because'", name)
        for key in cited:
            if key not in sources:
                yield offers.fault(f"{name}: '{key}' is not in sources.yaml", name)


def unknown_cards(guideline: Document, cards: Set[str]) -> Iterator[Fault]:
    """Cards that the guideline names but that do not exist, and cards that it does not rank."""
    value = guideline.value
    merges, silenced = value.get("merges", ()), value.get("silenced", ())
    named = {
        "ranking": [place.partition("/")[0] for place in value["ranking"]],
        "always": value["always"],
        "doses": value.get("doses", ()),
        "silenced": [card for entry in silenced for card in (entry["beside"], *entry["cards"])],
        "merges": [
            *(card for entry in merges for card in entry["from"]),
            *(card for entry in merges if entry["into"] != ANY_CARD for card in entry["into"]),
        ],
    }
    for key, ids in named.items():
        for card in dict.fromkeys(ids):
            if card not in cards:
                yield guideline.fault(f"{key}: there is no card '{card}'", key)
    for card in sorted(cards - set(value["ranking"])):
        yield guideline.fault(f"ranking: '{card}' is missing", "ranking")


def wordless_numbers(library: Library) -> Iterator[Fault]:
    """Numbers without words, and words without a number."""
    words = library.numbers
    for card in library.cards.values():
        for number in card.thresholds:
            if number not in words.own.get(card.id, {}) and number not in words.shared:
                yield Fault(card.file, 0, f"thresholds.{number}: numbers.yaml does not say what it stands for")
    known = {card.id: card.thresholds for card in library.cards.values()}
    for id_, own in words.own.items():
        for number in own:
            if number not in known.get(id_, {}):
                yield Fault("numbers.yaml", 0, f"cards.{id_}.{number}: there is no such number")
    for number in words.shared:
        if not any(number in thresholds for thresholds in known.values()):
            yield Fault("numbers.yaml", 0, f"all.{number}: no card has such a number")
