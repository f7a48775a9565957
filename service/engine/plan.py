"""How the cards of a guideline belong together (``cards/guideline.yaml``): order, merges, suppressions, the cap."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.engine.finding import Finding, Indicator
from service.facts import MedicationOrder

ANY_CARD = "any"


@dataclass(frozen=True, slots=True)
class Merge:
    """A card that is said as a line of another one: of the first of ``into`` that is raised, too.

    With ``into`` empty any card that is shown will do. ``same_partner`` asks for a drug beside the guideline's own
    that both are about, ``states`` for the state of the other finding. ``or_nothing`` drops a card that is only a line.
    """

    card: str
    into: tuple[str, ...]
    same_partner: bool = False
    states: tuple[str, ...] = ()
    or_nothing: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What a guideline is about, and what its cards are to each other.

    ``services`` are title and description of the service of each hook that the guideline answers. ``silenced`` are
    the cards that say nothing beside a critical one, by its id. ``doses`` are cards about a dose: a critical one also
    says that the dose is not plausible. ``marks`` are added to words that have to be marked. ``always`` are cards
    that a hospital's policy may neither turn off nor make more or less urgent.
    """

    title: str
    subjects: tuple[str, ...]
    services: Mapping[str, Mapping[str, str]]
    most: int
    ranking: Mapping[str, int]
    merges: tuple[Merge, ...]
    silenced: Mapping[str, frozenset[str]]
    doses: frozenset[str]
    marks: Mapping[str, str]
    always: frozenset[str]

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
    return Plan(
        title=value["title"],
        subjects=tuple(value["subjects"]),
        services=value["services"],
        most=value["most"],
        ranking={card: place for place, card in enumerate(value["ranking"])},
        merges=tuple(_merge(card, entry) for entry in value.get("merges", ()) for card in entry["from"]),
        silenced={entry["beside"]: frozenset(entry["cards"]) for entry in value.get("silenced", ())},
        doses=frozenset(value.get("doses", ())),
        marks=value.get("marks", {}),
        always=frozenset(value["always"]),
    )


def _merge(card: str, entry: Mapping[str, Any]) -> Merge:
    into = () if entry["into"] == ANY_CARD else tuple(entry["into"])
    return Merge(card, into, entry.get("when") == "same partner", tuple(entry.get("states", ())), "else" in entry)
