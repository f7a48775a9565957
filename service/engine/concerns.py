"""Cards whose rule collects several reasons from a table (R03, R17, R18, R29 to R31)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from typing import Any

from service.chart import Chart
from service.engine.finding import Finding, Indicator, Threshold, Thresholds
from service.facts import Condition, MedicationOrder


@dataclass(frozen=True, slots=True)
class Concern:
    """One row of a card's table: the conditions or the classes of other drugs that raise it, and how urgent it is.

    ``urgency`` is by jurisdiction, "" standing for those that are not named. A condition has to be active unless the
    row counts it for ``ever``: in the jurisdictions named, "" standing for all. An active one that is also among
    ``unless`` does not raise the row; one among ``milder`` of a jurisdiction is a warning there. ``state`` tells which
    of the card's words are for it, empty where the rule does.
    """

    conditions: frozenset[str]
    urgency: Mapping[str, Indicator]
    ever: frozenset[str] = frozenset()
    unless: frozenset[str] = frozenset()
    milder: Mapping[str, frozenset[str]] = field(default_factory=dict)
    state: str = ""
    classes: tuple[str, ...] = ()

    def raised_by(self, condition: Condition, jurisdiction: str) -> bool:
        """True when a condition of the record raises the row in a jurisdiction."""
        sets = condition.sets
        if not condition.active:
            return not (sets.isdisjoint(self.conditions) or self.ever.isdisjoint(("", jurisdiction)))
        return not sets.isdisjoint(self.conditions) and sets.isdisjoint(self.unless)

    def indicator(self, jurisdiction: str, sets: frozenset[str] = frozenset()) -> Indicator:
        """How urgent it is in a jurisdiction, raised by a condition of these sets."""
        if not sets.isdisjoint(self.milder.get(jurisdiction, ())):
            return Indicator.WARNING
        return self.urgency.get(jurisdiction) or self.urgency[""]


class CardNumbers(dict[str, Threshold]):
    """The numbers of a card with a table: what its rule is handed."""

    def __init__(self, numbers: Thresholds, concerns: Mapping[str, Concern]) -> None:
        super().__init__(numbers)
        self.concerns = concerns


def concerns_of(thresholds: Thresholds) -> Mapping[str, Concern]:
    """The rows of the card's table by their names; none for a card without one."""
    return thresholds.concerns if isinstance(thresholds, CardNumbers) else {}


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that a card says. ``kind`` picks its words, the others complete them.

    ``name`` is a condition as the record names it, ``order`` another drug's order, ``day`` when something was
    measured, began or ended, ``value`` what was measured in ``unit`` and ``comparator`` whether the true value is
    below or above. ``age`` is how many days ago it was measured, when that is longer than the card takes for recent.
    """

    kind: str
    indicator: Indicator
    name: str = ""
    order: MedicationOrder | None = None
    day: date | None = None
    value: Fraction | None = None
    comparator: str = ""
    unit: str = ""
    age: int | None = None


def point(kind: str, chart: Chart, thresholds: Thresholds, **details: Any) -> Point:
    """The point of a row of the card's table, as urgent as the row says for this jurisdiction."""
    return Point(kind, concerns_of(thresholds)[kind].indicator(chart.jurisdiction), **details)


def state_of_row(point: Point, thresholds: Thresholds) -> str:
    """The state that the point's row of the card's table names; empty when it names none."""
    return concerns_of(thresholds)[point.kind].state


def recorded(chart: Chart, thresholds: Thresholds, *kinds: str) -> Iterator[Point]:
    """A point for each condition that raises a row of the card's table, in the order of the rows.

    With ``kinds`` only those rows count.
    """
    for kind, concern in concerns_of(thresholds).items():
        if (kinds and kind not in kinds) or chart.recorded_sets.isdisjoint(concern.conditions):
            continue
        for condition in chart.conditions:
            if concern.raised_by(condition, chart.jurisdiction):
                yield Point(kind, concern.indicator(chart.jurisdiction, condition.sets), condition.label)


def gathered(
    card: str,
    points: Iterable[Point],
    orders: Iterable[MedicationOrder],
    facts: Mapping[str, Any],
    state: Callable[[Point], str] = lambda point: point.kind,
) -> Finding | None:
    """One finding for all points: the most urgent kind is what its card says, each other kind a line of it.

    None without a point. Among the facts are ``kind``, ``partners`` (the other drugs of that kind), ``order`` (the
    drug in question), ``other`` (the first partner), what else the first point of the kind holds, and, of the whole,
    ``points``. ``state`` tells which of the card's words are for a point.
    """
    urgent_first = sorted(dict.fromkeys(points), key=lambda point: -point.indicator)
    if not urgent_first:
        return None
    about = tuple(orders)

    def finding_of(kind: str) -> Finding:
        same = [point for point in urgent_first if point.kind == kind]
        first = same[0]
        others = tuple(dict.fromkeys(point.order for point in same if point.order is not None))
        listed = tuple(dict.fromkeys([*about, *others]))
        of_point = {name: getattr(first, name) for name in ("name", "day", "value", "comparator", "unit", "age")}
        of_point |= {"kind": kind, "further": 0, "partners": others, "other": first.order, "order": listed[0]}
        focus_first = tuple(sorted(listed, key=lambda order: not order.focus))
        return Finding(card, first.indicator, focus_first, state=state(first), facts={**of_point, **facts})

    kinds = list(dict.fromkeys(point.kind for point in urgent_first))
    first, *rest = map(finding_of, kinds)
    every = tuple(dict.fromkeys(order for finding in (first, *rest) for order in finding.orders))
    return replace(
        first,
        orders=tuple(sorted(every, key=lambda order: not order.focus)),
        facts={**first.facts, "points": tuple(urgent_first), "further": len(rest)},
        merged=tuple(rest),
    )


def beside(chart: Chart, thresholds: Thresholds, drug: str) -> Iterator[Point]:
    """A point for each order of a row's classes that this session puts beside the drug, in the order of the rows."""
    for kind, concern in concerns_of(thresholds).items():
        for order in partners(chart, drug, *concern.classes) if concern.classes else ():
            yield point(kind, chart, thresholds, order=order)


def partners(chart: Chart, drug: str, *classes: str, lasting: bool = False) -> list[MedicationOrder]:
    """Orders of the classes beside the drug, when this session puts them together.

    A selected order for the drug brings in all of them; otherwise only the selected ones count. A drug that this
    session stops no longer counts as taken, unless its effect is ``lasting`` enough to matter.
    """
    others = chart.of_class(*classes, but=drug)
    if not chart.ordering or not others:
        return []
    ending = not lasting and any(o.is_draft and o.stops and o.focus and o.drug.names(drug) for o in chart.orders)
    mine = [*chart.drafts(drug), *(() if ending else chart.current(drug))]
    if not mine:
        return []
    return others if any(order.focus for order in mine) else [order for order in others if order.focus]


def stale(chart: Chart, day: date, most: Fraction) -> int | None:
    """How many days ago it was, when that is more than ``most``; None for what is recent enough."""
    days = (chart.today - day).days
    return days if days > most else None
