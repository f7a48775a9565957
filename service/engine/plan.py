"""How the cards of a guideline belong together (``cards/guideline.yaml``): order, merges, suppressions, the cap."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from service.engine.finding import Finding, Indicator
from service.facts import MedicationOrder

ANY_CARD = "any"
FOLD = "more-advice"
"""The card of what an answer has no room for."""


@dataclass(frozen=True, slots=True)
class Merge:
    """A card that is said as a line of another one: of the first of ``into`` that is raised, too.

    With ``into`` empty any card that is shown will do. ``same_partner`` asks for a drug beside the guideline's own
    that both are about, ``states`` for the state of the other finding. ``or_nothing`` drops a card that is only a line,
    unless it is critical.
    """

    card: str
    into: tuple[str, ...]
    same_partner: bool = False
    states: tuple[str, ...] = ()
    or_nothing: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What a guideline is about, and what its cards are to each other.

    ``description`` ends the sentence "It answers with cards:", ``notice`` is what pages say of the guideline beside its
    not being reviewed; it may be empty. ``example`` is the request that a newcomer sees first, by the id of its
    fixture; empty when none is named. ``capitals`` are words of fixtures' names that keep their capitals in titles.
    ``services`` are title and description of the service of each hook that the guideline answers. ``silenced`` are the
    cards that say nothing beside a critical one, by its id, unless they are critical themselves. ``doses`` are cards
    about a dose: a critical one also says that the dose is not plausible. ``marks`` are added to words that have to be
    marked. ``always`` are cards that a hospital's policy may neither turn off nor make more or less urgent.
    """

    title: str
    description: str
    subjects: tuple[str, ...]
    services: Mapping[str, Mapping[str, str]]
    most: int
    ranking: Mapping[str, int]
    merges: tuple[Merge, ...]
    always: frozenset[str]
    silenced: Mapping[str, frozenset[str]] = field(default_factory=dict)
    doses: frozenset[str] = frozenset()
    marks: Mapping[str, str] = field(default_factory=dict)
    notice: str = ""
    example: str = ""
    capitals: tuple[str, ...] = ()

    def rank(self, finding: Finding) -> tuple[int, int]:
        """What comes first: the most urgent, then what the guideline ranks first, by its state where that is ranked."""
        place = self.ranking.get(finding.card, len(self.ranking))
        return -finding.indicator, self.ranking.get(f"{finding.card}/{finding.state}", place)

    def target(self, merge: Merge, finding: Finding, others: list[Finding]) -> Finding | None:
        """The finding whose card says this one in a line; critical is said in a line of a critical card only."""
        for card in merge.into:
            for other in others:
                if other.card != card or (merge.states and other.state not in merge.states):
                    continue
                if finding.indicator is Indicator.CRITICAL and other.indicator is not Indicator.CRITICAL:
                    continue
                if not merge.same_partner or self._partners(finding) & self._partners(other):
                    return other
        return None

    def _partners(self, finding: Finding) -> set[str]:
        return {drug for order in finding.orders for drug in self._others(order)}

    def _others(self, order: MedicationOrder) -> list[str]:
        """The drugs of an order beside the guideline's own; an order that was not recognised stands for itself."""
        return [drug for drug in order.drug.drugs or (order.label,) if drug not in self.subjects]


def plan(value: Mapping[str, Any]) -> Plan:
    """The plan of a ``guideline.yaml`` that fits its schema."""
    ranking = {card: place for place, card in enumerate(value["ranking"])}
    merges = [_merge(card, entry) for entry in value.get("merges", ()) for card in entry["from"]]
    return msgspec.convert({**value, "ranking": ranking, "merges": merges}, Plan)


def _merge(card: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "card": card,
        "into": () if entry["into"] == ANY_CARD else entry["into"],
        "same_partner": entry.get("when") == "same partner",
        "states": entry.get("states", ()),
        "or_nothing": "else" in entry,
    }


def merged(findings: Sequence[Finding], plan: Plan) -> list[Finding]:
    """The findings with those that are said in a line of another one's card put into it."""
    kept = list(findings)
    for merge in plan.merges:
        given = next((finding for finding in kept if finding.card == merge.card), None)
        if given is None or not merge.into:
            continue
        target = plan.target(merge, given, kept)
        if target is not None:
            kept.remove(given)
            kept[kept.index(target)] = _carrying(target, given)
        elif merge.or_nothing and given.indicator is not Indicator.CRITICAL:
            kept.remove(given)
    return sorted(kept, key=plan.rank)


def _carrying(target: Finding, given: Finding) -> Finding:
    """The finding with another one as a line, as urgent as the more urgent of them."""
    alone = replace(given, merged=()) if given.merged else given
    lines = (*target.merged, alone, *given.merged)
    return replace(target, merged=lines, indicator=max(target.indicator, given.indicator))


def capped(findings: Sequence[Finding], plan: Plan) -> list[Finding]:
    """As many cards as the plan allows: the last one has a line for each of the rest. No critical one is folded.

    A finding that goes with any card is a line of the one that has the fewest, and a card only where there is none.
    """
    anywhere = {merge.card for merge in plan.merges if not merge.into}
    lines = [finding for finding in findings if finding.card in anywhere]
    cards = [finding for finding in findings if finding.card not in anywhere]
    if not cards:
        cards, lines = lines[:1], lines[1:]
    if len(cards) <= plan.most:
        for line in lines:
            target = min(cards, key=lambda card: (card.indicator is Indicator.CRITICAL, len(card.merged)))
            cards[cards.index(target)] = _carrying(target, line)
        return cards
    critical = sum(finding.indicator is Indicator.CRITICAL for finding in cards)
    shown = max(plan.most - 1, critical)
    rest = (*cards[shown:], *lines)
    if not rest:
        return cards
    urgent = max(finding.indicator for finding in rest)
    if critical >= plan.most:
        return [*cards[: shown - 1], replace(cards[shown - 1], folded=rest)]
    orders = tuple(dict.fromkeys(order for finding in rest for order in finding.orders))
    return [*cards[:shown], Finding(FOLD, urgent, orders, folded=rest)]
