"""MAO inhibitors and amitriptyline (R03): never together, and not soon after one another."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from service.chart import Chart
from service.dates import later
from service.engine.concerns import Point, gathered, partners
from service.engine.finding import Finding, Indicator, Thresholds, states
from service.facts import MedicationOrder, Role
from service.guidance.ids import AMITRIPTYLINE

WEAK = "maoi-weak"
STRONG = ("maoi-irreversible", "maoi-b", "maoi-reversible")
METHYLENE_BLUE = "methylene-blue"
PROCARBAZINE = "procarbazine"
ISONIAZID = "isoniazid"
URGENT = ("linezolid", METHYLENE_BLUE)
"""MAO inhibitors that are given for something else, often at once: no date helps, but a stop and watching do."""


STATES = (
    *("together", "both-ordered", "maoi-ordered", WEAK, PROCARBAZINE, ISONIAZID, "urinary"),
    *("after-maoi", "after-maoi-end-unknown", "after-amitriptyline", "after-amitriptyline-end-unknown"),
    *("urgent-ordered", "urgent-first", "urgent-stopped", "urgent-after", "urgent-after-end-unknown"),
)


@states(*STATES)
def amitriptyline_with_maoi(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R03: amitriptyline with an MAO inhibitor, or one within the wash-out of the other: contraindicated.

    A warning for weak inhibitors (tedizolid, procarbazine, methylene blue by mouth), when amitriptyline is stopped as
    linezolid or methylene blue is ordered, and when the end of the earlier drug is not recorded; an info for isoniazid.
    """
    before = _latest_day([*_together(chart, thresholds), *_after_maoi(chart, thresholds)])
    points = [*before, *_after_amitriptyline(chart, thresholds)]
    amitriptyline = [*chart.taken_or_drafted(AMITRIPTYLINE), *chart.past(AMITRIPTYLINE)]
    amitriptyline += [order for order in _stopped(chart) if order.drug.names(AMITRIPTYLINE)]
    return gathered(
        "amitriptyline-with-maoi",
        points,
        amitriptyline[:1],
        {"mao_b": any(_kind(point.order) == "maoi-b" for point in points if point.order is not None)},
    )


def _kind(order: MedicationOrder) -> str:
    if order.drug.names(METHYLENE_BLUE):
        return "urinary" if order.drug.combination else METHYLENE_BLUE
    if "maoi-antibiotic" in order.classes:
        return "linezolid"
    if order.drug.names(PROCARBAZINE) or order.drug.names(ISONIAZID):
        return ISONIAZID if order.drug.names(ISONIAZID) else PROCARBAZINE
    kinds = ("maoi-irreversible", "maoi-b", WEAK)
    return next((kind for kind in kinds if kind in order.classes), "moclobemide")


def _weak(order: MedicationOrder) -> bool:
    return _kind(order) in (WEAK, PROCARBAZINE, ISONIAZID, "urinary")


def _wash_out(order: MedicationOrder, thresholds: Thresholds) -> timedelta:
    reversible = "maoi-reversible" in order.classes
    return timedelta(days=int(thresholds["reversible" if reversible else "irreversible"].to("d")))


def _after(thresholds: Thresholds) -> timedelta:
    return timedelta(days=int(thresholds["amitriptyline"].to("d")))


def _together(chart: Chart, thresholds: Thresholds) -> Iterator[Point]:
    """Both are ordered or taken. The day is the earliest for the drug being ordered if the other stops today."""
    taken = chart.current(AMITRIPTYLINE)
    stopped = any(order.drug.names(AMITRIPTYLINE) for order in _stopped(chart))
    carried_on = chart.drafts(AMITRIPTYLINE)
    for order in _one_of_each(partners(chart, AMITRIPTYLINE, *STRONG, WEAK, lasting=True)):
        if _weak(order):
            mild = order.drug.names(ISONIAZID)
            yield Point(_kind(order), Indicator.INFO if mild else Indicator.WARNING, order=order)
        elif _kind(order) in URGENT:
            if order.is_draft and taken and stopped and not carried_on:
                yield Point("urgent-stopped", Indicator.WARNING, order=order)
            else:
                yield Point(
                    "urgent-ordered" if order.is_draft and taken else "urgent-first", Indicator.CRITICAL, order=order
                )
        elif order.is_draft and taken:
            yield Point("maoi-ordered", Indicator.CRITICAL, order=order, day=chart.today + _after(thresholds))
        elif order.is_draft:
            yield Point("both-ordered", Indicator.CRITICAL, order=order)
        else:
            yield Point("together", Indicator.CRITICAL, order=order, day=chart.today + _wash_out(order, thresholds))


def _after_maoi(chart: Chart, thresholds: Thresholds) -> Iterator[Point]:
    """Amitriptyline is ordered and an MAO inhibitor ended shortly before."""
    if not chart.selected(AMITRIPTYLINE):
        return
    now = {order.drug.drugs for order in chart.of_class(*STRONG)}
    past = [*chart.of_class(*STRONG, roles=(Role.PAST,)), *(o for o in _stopped(chart) if o.classes & set(STRONG))]
    ended = [order for order in past if not _weak(order)]
    for order in _one_of_each(ended):
        if order.drug.drugs not in now:
            point = Point("after-maoi", Indicator.CRITICAL, order=order)
            courses = [course for course in ended if course.drug.drugs == order.drug.drugs]
            yield from _too_soon(chart, courses, _wash_out(order, thresholds), thresholds, point)


def _after_amitriptyline(chart: Chart, thresholds: Thresholds) -> Iterator[Point]:
    """An MAO inhibitor is ordered and amitriptyline ended shortly before."""
    if chart.taken_or_drafted(AMITRIPTYLINE):
        return
    ending = [order for order in _stopped(chart) if order.drug.names(AMITRIPTYLINE)]
    courses = [*chart.past(AMITRIPTYLINE), *ending]
    drafts = [o for o in chart.of_class(*STRONG, roles=(Role.DRAFT,)) if o.focus and not _weak(o)]
    for order in _one_of_each(drafts):
        if _kind(order) in URGENT and ending:
            yield Point("urgent-stopped", Indicator.WARNING, order=order)
            continue
        kind = "urgent-after" if _kind(order) in URGENT else "after-amitriptyline"
        point = Point(kind, Indicator.CRITICAL, order=order)
        yield from _too_soon(chart, courses, _after(thresholds), thresholds, point)


def _stopped(chart: Chart) -> list[MedicationOrder]:
    """Orders that this session ends, taken as lasting until today (X3)."""
    return [replace(order, last_taken=chart.today) for order in chart.orders if order.is_draft and order.stops]


def _too_soon(
    chart: Chart, courses: list[MedicationOrder], wash_out: timedelta, thresholds: Thresholds, point: Point
) -> Iterator[Point]:
    """The point with the earliest day for the second drug; a question when it is not recorded when the first ended."""
    ends = [min(course.last_taken, chart.today) for course in courses if course.last_taken is not None]
    earliest = max(ends, default=date.min) + wash_out
    lately = chart.days_ago(thresholds["unknown_end"].to("d"))
    point = replace(point, value=Fraction(wash_out.days))
    if chart.today < earliest:
        yield replace(point, day=earliest)
    elif any(c.last_taken is None and (c.authored is None or c.authored >= lately) for c in courses):
        # One that was written within the wash-out ended within it, whenever that was.
        surely = any(
            c.last_taken is None and c.authored and later(c.authored, wash_out.days) > chart.today for c in courses
        )
        urgency = Indicator.CRITICAL if surely else Indicator.WARNING
        yield replace(point, kind=f"{point.kind}-end-unknown", indicator=urgency)


def _latest_day(points: list[Point]) -> list[Point]:
    """The points with one earliest day for amitriptyline: with several MAO inhibitors the latest of their days."""
    waiting = ("together", "after-maoi")
    day = max((point.day for point in points if point.kind in waiting and point.day is not None), default=None)
    return [replace(p, day=day) if p.kind in waiting and p.day is not None else p for p in points]


def _one_of_each(orders: Iterable[MedicationOrder]) -> list[MedicationOrder]:
    """One order of each drug; one that is taken rather than one being written, for the dates."""
    found: dict[tuple[str, ...], MedicationOrder] = {}
    for order in sorted(orders, key=lambda order: order.role is not Role.CURRENT):
        found.setdefault(order.drug.drugs, order)
    return list(found.values())
