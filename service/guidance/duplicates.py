"""Amitriptyline twice, or with another tricyclic (R27); whether orders add up or replace each other (X5)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from fractions import Fraction

from service.chart import Chart
from service.engine.finding import Finding, Indicator, Offer, Thresholds, states
from service.facts import MedicationOrder, Role, doses
from service.guidance.ids import AMITRIPTYLINE, TRICYCLIC

ZERO = Fraction(0)


@states("same", "incomplete", "unknown", "other", "both", "possible")
def amitriptyline_duplicate(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R27: orders of amitriptyline that add up, always with the sum, or amitriptyline beside another tricyclic.

    In a session one of the orders is a draft in focus (X4); when a chart is only opened the list itself counts, and the
    other tricyclic is an info. A statement of another dose, the same treatment or a second one, is a question with the
    possible sum.
    """
    same = duplicates(chart)
    others = _tricyclics(chart)
    if not same and not others:
        return _possible(chart)
    orders = same or nearest_first(remaining(chart, AMITRIPTYLINE))
    deletable = _deletable(same)
    return Finding(
        card="amitriptyline-duplicate",
        indicator=Indicator.WARNING if same or chart.ordering else Indicator.INFO,
        orders=(*orders, *others),
        state=_state(same, others),
        facts={
            "order": orders[0],
            "same": len(same),
            "others": list(others),
            "total": summed(same)[0],
            "combination": any(order.drug.combination for order in same),
        },
        offers=(Offer(delete=deletable.reference),) if deletable is not None and deletable.reference else (),
    )


def _possible(chart: Chart) -> Finding | None:
    """An order and statements that may tell of it, of an earlier dose, or of a second supply: only a doctor knows."""
    orders = [order for order in remaining(chart, AMITRIPTYLINE) if not gives_nothing(order)]
    stated = [order for order in orders if order.is_statement and order.period_ended is None]
    ordered = [order for order in orders if not order.is_statement and (order.focus or not chart.ordering)]
    if chart.refill or len(ordered) != 1 or ordered[0].continues_earlier:
        return None
    order = ordered[0]
    linked = {_relative(pointer) for pointer in order.based_on}
    apart = [
        statement
        for statement in stated
        if statement.reference not in linked and order.reference not in map(_relative, statement.based_on)
        if not (before(order, statement) or before(statement, order)) and _doses_differ(order, statement)
    ]
    total, _ = summed([order, *apart])
    if not apart or total is None:
        return None
    return Finding(
        card="amitriptyline-duplicate",
        indicator=Indicator.INFO,
        orders=(order, *apart),
        state="possible",
        facts={"order": order, "total": total, "stated": summed(apart)[0]},
    )


def _doses_differ(one: MedicationOrder, two: MedicationOrder) -> bool:
    """True when both doses are known and not the same: then two entries are not simply one treatment told twice."""
    return one.computed is not None and two.computed is not None and one.computed.dosing_day != two.computed.dosing_day


def _state(same: Sequence[MedicationOrder], others: Sequence[MedicationOrder]) -> str:
    total, complete = summed(same)
    if not same:
        return "other"
    if total is None:
        return "unknown"
    return "both" if others else "same" if complete else "incomplete"


def duplicates(chart: Chart, drug: str = AMITRIPTYLINE) -> list[MedicationOrder]:
    """Orders of a drug that would be taken together, focused drafts first; empty when none add up (X5).

    Two orders are, unless one replaces the other (a link, the same id, a refill), or ends before the other begins.
    A statement on the list tells of an order as a rule: it counts only where periods overlap or one of the two is
    a combination. When a chart is only opened, or what is on the list is refilled, the orders of the list count.
    """
    orders = [order for order in _ordered_first(remaining(chart, drug)) if not gives_nothing(order)]
    if not chart.ordering:
        return _several(in_force(orders))
    together = {
        position
        for pair in _pairs_in_focus(orders)
        if _together(chart, *(orders[place] for place in pair))
        for position in pair
    }
    if chart.refill and not together:
        return _several(in_force([order for order in orders if not order.is_draft]))
    return list(nearest_first(orders[position] for position in sorted(together)))


def gives_nothing(order: MedicationOrder) -> bool:
    """True for an order of 0 mg: it ends treatment."""
    given = [dosage.high.value for dosage in order.dosages if dosage.high is not None]
    return bool(given) and len(given) == len(order.dosages) and not any(given)


def taken_together(chart: Chart, drug: str = AMITRIPTYLINE) -> list[list[MedicationOrder]]:
    """The orders of a drug that add up, as one; and each other draft in focus for itself.

    When a chart is only opened, what is taken: the orders of the list as one, those that ended by their dates only
    where there are no others.
    """
    if not chart.ordering:
        listed = _ordered_first(chart.current(drug))
        valid = in_force(listed)
        return [valid] if valid else [[order] for order in listed]
    together = duplicates(chart, drug)
    alone = [[order] for order in chart.selected(drug) if order not in together]
    return [*([together] if together else []), *alone]


def _ordered_first(orders: Sequence[MedicationOrder]) -> list[MedicationOrder]:
    """Without what an order on the list itself says: statements that tell of it, and its single occurrences."""
    listed = any(not order.is_draft and not order.is_statement for order in orders)
    given = {order.reference for order in orders}

    def told_by_another(order: MedicationOrder) -> bool:
        of_order = order.instance and not given.isdisjoint(map(_relative, order.based_on))
        return not order.is_draft and ((listed and order.is_statement) or of_order)

    return [order for order in orders if not told_by_another(order)]


def in_force(orders: Sequence[MedicationOrder]) -> list[MedicationOrder]:
    """The orders of a list without those that another one replaces, and those that ended by their own dates."""
    replaced = {_relative(pointer) for order in orders for pointer in order.based_on}
    return [order for order in orders if order.period_ended is None and order.reference not in replaced]


def _several(orders: list[MedicationOrder]) -> list[MedicationOrder]:
    return orders if len(orders) > 1 else []


def _pairs_in_focus(orders: Sequence[MedicationOrder]) -> Iterator[tuple[int, int]]:
    """Places of all pairs, the earlier first, of which one is a draft in focus: a long list has few of those."""
    focused = {place for place, order in enumerate(orders) if order.focus}
    for place in sorted(focused):
        others = (other for other in range(len(orders)) if other > place or other not in focused)
        yield from ((min(place, other), max(place, other)) for other in others if other != place)


def summed(orders: Sequence[MedicationOrder]) -> tuple[Fraction | None, bool]:
    """The mg of the drug on a day on which all are taken, and whether every dose is in the sum."""
    days = [dose.dosing_day for dose in doses(orders)]
    return (sum(days, ZERO) if days else None), len(days) == len(orders)


def remaining(chart: Chart, drug: str) -> list[MedicationOrder]:
    """Drafts of a drug, and what of its orders on the list is not ended in this session."""
    return [*chart.drafts(drug), *filter(_stays(chart), chart.current(drug))]


def _stays(chart: Chart) -> Callable[[MedicationOrder], bool]:
    """Tells of an order on the list whether no draft of this session ends it (X3).

    A stop of another order on the list leaves it only when its dose differs: else both tell of one treatment, as a
    prescription and the statement about it do. What is stopped is looked up once: lists can be long.
    """
    stops = [order for order in chart.orders if order.is_draft and order.stops]
    stopped = [[o for o in chart.orders if not o.is_draft and o.reference == stop.reference] for stop in stops]
    ended = [{dose.high for dose in doses((stop, *listed))} for stop, listed in zip(stops, stopped, strict=True)]

    def stays(order: MedicationOrder) -> bool:
        for stop, listed, high in zip(stops, stopped, ended, strict=True):
            if set(stop.drug.drugs).isdisjoint(order.drug.drugs):
                continue
            if stop.reference == order.reference or not listed:
                return False
            if order.computed is None or not high or order.computed.high in high:
                return False
        return True

    return stays


def _tricyclics(chart: Chart) -> tuple[MedicationOrder, ...]:
    """Other tricyclics beside amitriptyline, when the session orders one of the two or a chart is opened."""
    own, stays = remaining(chart, AMITRIPTYLINE), _stays(chart)
    tricyclics = chart.of_class(TRICYCLIC, but=AMITRIPTYLINE)
    others = [order for order in tricyclics if order.is_draft or stays(order)]
    if not own or (chart.ordering and not any(order.focus for order in (*own, *others))):
        return ()
    return nearest_first(others)


def _together(chart: Chart, one: MedicationOrder, two: MedicationOrder) -> bool:
    """True when two orders, the first of them a draft, are not each other's change (X5)."""
    if one.reference and one.reference == two.reference:
        return False
    if before(one, two) or before(two, one):
        return False
    return two.is_draft or (not chart.refill and two.period_ended is None and _adds_to(chart, one, two))


def _relative(pointer: str) -> str:
    """The "Type/id" at the end of a reference."""
    return "/".join(pointer.split("/")[-2:])


def before(one: MedicationOrder, two: MedicationOrder) -> bool:
    """True when one ends before two begins; of two drafts also on that day, as most systems write what follows."""
    end, start = _end(one), _start(two)
    if end is None or start is None:
        return False
    meet = one.is_draft and two.is_draft and end == start and (_start(one) or date.min) < start
    return end < start or meet


def _adds_to(chart: Chart, draft: MedicationOrder, current: MedicationOrder) -> bool:
    """True when a draft is no change of the order on the list, but comes on top of it (X5).

    A draft that continues an order of the list replaces that one; one that is not on the list may be any.
    """
    replaced = {_relative(pointer) for pointer in draft.based_on}
    if current.reference in replaced:
        return False
    if draft.continues_earlier and not any(o.reference in replaced for o in chart.orders if not o.is_draft):
        return False
    if not current.is_statement or draft.drug.combination is not current.drug.combination:
        return True
    end, start = _end(current), _start(draft)
    return end is not None and start is not None and start <= end


def _start(order: MedicationOrder) -> date | None:
    return min((dosage.start for dosage in order.dosages if dosage.start is not None), default=None)


def _end(order: MedicationOrder) -> date | None:
    """The last day, when every instruction states one."""
    ends = [dosage.end for dosage in order.dosages]
    return max((end for end in ends if end is not None), default=None) if None not in ends else None


def _deletable(same: Sequence[MedicationOrder]) -> MedicationOrder | None:
    """The older of several drafts; the first one written down when the dates are alike. Never an order on the list."""
    drafts = [order for order in same if order.is_draft]
    return min(drafts, key=lambda order: order.authored or date.max) if len(drafts) > 1 else None


def nearest_first(orders: Iterable[MedicationOrder]) -> tuple[MedicationOrder, ...]:
    """Orders in focus, then other drafts, then what is taken, then what was taken."""
    nearness = (Role.DRAFT, Role.CURRENT, Role.PAST)
    return tuple(sorted(orders, key=lambda order: (not order.focus, nearness.index(order.role))))
