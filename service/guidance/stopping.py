"""Stopping amitriptyline or more than halving its dose, and the next step of the example taper instead (R20)."""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil

from service.chart import Chart
from service.engine.concerns import concerns_of
from service.engine.finding import Finding, Indicator, Offer, Thresholds, holding, states
from service.facts import Condition, MedicationOrder, Role, doses, reasons
from service.guidance.duplicates import ZERO, duplicates, gives_nothing, remaining
from service.guidance.ids import (
    AMITRIPTYLINE,
    CISAPRIDE,
    CORONARY,
    MAO_INHIBITORS,
    NOT_TOLERATED,
    QTC,
    TRICYCLIC,
)
from service.guidance.safety import pregnant_or_breastfeeding
from service.guidance.titration import reached

OTHER_REASON = "stopped-for-another-reason"
INFARCTIONS = frozenset({"recent-myocardial-infarction", "acute-myocardial-infarction"})

RUNGS = ("rung_1", "rung_2", "rung_3", "rung_4")
"""The doses of the example taper, thresholds of the card. The templates of the orders bear the same names."""

IN_ITS_PLACE = frozenset({"antidepressant", "gabapentinoid", *MAO_INHIBITORS})
LISTS = frozenset({"medications", "conditions", "allergies"})


@states("harm", "unread", "cut", "small", "stop")
def amitriptyline_stopping(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R20: amitriptyline that was taken for weeks ends at once, or falls below half.

    Above the lowest rung a warning. An info ("stop now") when the reason of the stop or something on record
    explains it, and when its reason is not understood. Silent when another tricyclic takes its place, beside an MAO
    inhibitor of the session (its card says what to do), and while another order of the session carries on with at
    least half, or with the next rung of the example taper.
    """
    stops = chart.stops(AMITRIPTYLINE)
    drafts = chart.selected(AMITRIPTYLINE)
    if not (stops or drafts) or _another_in_place(chart):
        return None
    after = _after(chart)
    before = _before(chart, stops)
    if after is None or not _abrupt(before, after, thresholds):
        return None
    for_weeks = _taken_for_weeks(chart, stops, thresholds)
    if for_weeks is False:
        return None
    state = _state(chart, stops, before, after, thresholds)
    minor = chart.under_age(thresholds["adult"].to("a"))
    step = None if before is None or minor else next_dose(before, thresholds)
    harm = state == "harm"
    offers, withheld = ((), ()) if harm else _next_step(chart, stops, before, step, thresholds)
    if for_weeks is None:
        offers, withheld = (), (*withheld, "time-unknown")
    orders = [*stops, *drafts]
    listed = [order for order in chart.current(AMITRIPTYLINE) if order.reference not in {o.reference for o in orders}]
    return Finding(
        card="amitriptyline-stopping",
        indicator=Indicator.WARNING if state in ("cut", "stop") else Indicator.INFO,
        orders=(*orders, *listed),
        state=state,
        facts={"before": before, "after": after, "next_step": step},
        offers=offers,
        withheld=withheld if step and not harm else (),
    )


def _state(
    chart: Chart, stops: Sequence[MedicationOrder], before: Fraction | None, after: Fraction, thresholds: Thresholds
) -> str:
    if _explained(chart, stops, thresholds):
        return "harm"
    if before is not None and before <= thresholds["rung_4"].to("mg"):
        return "small"
    if any(order.stop_reason_given for order in stops) and reasons(stops).isdisjoint({NOT_TOLERATED, OTHER_REASON}):
        return "unread"
    return "cut" if after > 0 else "stop"


def _another_in_place(chart: Chart) -> bool:
    """True when this session orders another tricyclic, or a drug beside which amitriptyline must not be taken.

    So it is when the reason of the stop names another tricyclic.
    """
    drafts = chart.of_class(TRICYCLIC, *MAO_INHIBITORS, roles=(Role.DRAFT,), but=AMITRIPTYLINE)
    return TRICYCLIC in reasons(chart.stops(AMITRIPTYLINE)) or any(order.focus for order in drafts)


def next_dose(dose: Fraction, thresholds: Thresholds) -> Fraction | None:
    """The dose that follows in the example taper; None when the stop does.

    Above the highest rung it is half, in whole tablets upwards, and at least that rung.
    """
    rungs = [thresholds[name].to("mg") for name in RUNGS]
    if dose > rungs[0]:
        tablet = thresholds["tablet"].to("mg")
        return max(rungs[0], ceil(dose / 2 / tablet) * tablet)
    return next((rung for rung in rungs if rung < dose), None)


def _after(chart: Chart) -> Fraction | None:
    """The mg a day at the start of what the session leaves; zero when nothing, None when a dose is not computed."""
    together = duplicates(chart)
    left = chart.drafts(AMITRIPTYLINE) or [order for order in remaining(chart, AMITRIPTYLINE) if not order.is_draft]
    each = [dose for order in left if (dose := _first(order)) is not None]
    both = [dose for order in together if (dose := _first(order)) is not None]
    if len(each) < len(left) or len(both) < len(together):
        return None
    return max(sum(both, ZERO), *each, ZERO)


def _first(order: MedicationOrder) -> Fraction | None:
    """The mg a day at the start of an order, zero when it says zero, None when nothing is computed."""
    if order.computed is not None:
        return order.computed.first.high
    return ZERO if gives_nothing(order) else None


def _before(chart: Chart, stops: Sequence[MedicationOrder]) -> Fraction | None:
    """The mg a day taken until now: of the list, else of the order that is stopped; None when not computed."""
    listed = [dose.high for _, dose, _ in reached(chart, chart.current(AMITRIPTYLINE))]
    return max(listed or [dose.high for dose in doses(stops)], default=None)


def _abrupt(before: Fraction | None, after: Fraction, thresholds: Thresholds) -> bool:
    """True for a stop, and for a cut below half that is not the next step of the example either."""
    if after == 0:
        return True
    if before is None:
        return False
    step = next_dose(before, thresholds) or ZERO
    return after * 2 < before and after < step


def _taken_for_weeks(chart: Chart, stops: Sequence[MedicationOrder], thresholds: Thresholds) -> bool | None:
    """Whether amitriptyline was taken for weeks without a break; None when the record does not tell."""
    listed = chart.current(AMITRIPTYLINE) or chart.past(AMITRIPTYLINE)
    if not listed and all(order.authored is None for order in stops):
        return False if chart.history_known else None
    treatment = chart.taken_since(AMITRIPTYLINE, int(thresholds["gap"].to("d")))
    if treatment is None:
        return None
    for_weeks = (chart.today - treatment.since).days >= thresholds["use"].to("d")
    return for_weeks if for_weeks or treatment.certain else None


def _explained(chart: Chart, stops: Sequence[MedicationOrder], thresholds: Thresholds) -> bool:
    """True when the reason of the stop, or something on record, makes a fast stop right."""
    table = concerns_of(thresholds)
    forbid = table["contraindication"].conditions
    lately = table["lately"].conditions | forbid
    return (
        not reasons(stops).isdisjoint(table["reason"].conditions | lately)
        or chart.allergic(AMITRIPTYLINE)
        or chart.has(*forbid)
        or (chart.jurisdiction != "us" and chart.has(CORONARY))  # it forbids amitriptyline except on the US label
        or bool(chart.of_class(*MAO_INHIBITORS, CISAPRIDE))
        or any(_began_lately(chart, c, thresholds) for c in chart.conditions if c.sets & lately)
        or _qtc_long(chart, thresholds)
    )


def _began_lately(chart: Chart, condition: Condition, thresholds: Thresholds) -> bool:
    """True when it began lately; an infarction within the time for which amitriptyline is forbidden after it."""
    since = chart.days_ago(thresholds["infarction" if condition.sets & INFARCTIONS else "recent"].to("d"))
    return condition.onset is not None and condition.onset.latest >= since


def _qtc_long(chart: Chart, thresholds: Thresholds) -> bool:
    """True when a corrected QT interval of lately is at or above the critical one."""
    found = chart.measured(*QTC, units=("ms",), days=thresholds["recent"].to("d"))
    limit = thresholds["qtc"].to("ms")
    return any(m.value is not None and m.value >= limit and not m.comparator.startswith("<") for m in found)


def _next_step(
    chart: Chart,
    stops: Sequence[MedicationOrder],
    before: Fraction | None,
    step: Fraction | None,
    thresholds: Thresholds,
) -> tuple[tuple[Offer, ...], tuple[str, ...]]:
    """The order of the next step, or why it is not offered (keys of ``cards/phrases.yaml``).

    ``before`` are the mg a day taken until now. The order is for the product of the order that is ended, and for less
    than was taken at once.
    """
    if step is None or before is None:
        return (), ()
    against = _against(chart, stops, step, thresholds)
    if against:
        return (), against
    rung = next(name for name in RUNGS if thresholds[name].to("mg") == step)
    name = f"amitriptyline-{rung.replace('_', '-')}"
    return (Offer(name, product_of=stops[0].reference, drug=AMITRIPTYLINE, below=before),), ()


def _against(chart: Chart, stops: Sequence[MedicationOrder], step: Fraction, thresholds: Thresholds) -> tuple[str, ...]:
    """Why the next step is not offered: every reason that holds."""
    if not stops:
        return ("drafts-stay",)
    listed = chart.current(AMITRIPTYLINE)
    started = [d for d in chart.orders if d.is_draft and not d.stops and d.classes & IN_ITS_PLACE]
    known = chart.history_known and chart.conditions_known
    against = concerns_of(thresholds)["in-stages"].conditions
    now = [dose for _, dose, _ in reached(chart, listed or stops)]
    checks = {
        "age-unknown": chart.age is None,
        "record-incomplete": not known or any(gap.element in LISTS for gap in chart.unread),
        "ordered-twice": len(stops) > 1 or len(listed) > 1,
        "order-not-found": not stops[0].reference,
        "combination": any(order.drug.combination for order in (*stops, *listed)),
        "drug-disputed": any(order.drug.disputes(AMITRIPTYLINE) for order in (*stops, *listed)),
        "stop-reason": any(order.stop_reason_given or order.reason_given for order in stops),
        "condition-against": chart.has(*against) or pregnant_or_breastfeeding(chart, thresholds["status_age"].to("d")),
        "another-in-its-place": bool(started),
        "taken-divided": any(dose.single < step for dose in now),
        # Of a range, or as needed, less may be taken than the step.
        "would-not-lower": any(dose.low <= step for dose in now),
        "step-not-prepared": all(thresholds[name].to("mg") != step for name in RUNGS),
    }
    return holding(checks)
