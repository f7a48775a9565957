"""Stopping amitriptyline, or cutting its dose by more than half (R20)."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from math import ceil

from service.chart import Chart, MedicationOrder
from service.dosing.dosage import DailyDose
from service.engine.finding import AMITRIPTYLINE, Finding, Indicator, Rule, Thresholds
from service.guidance.duplicates import duplicates, remaining
from service.guidance.tapering import RUNGS, next_step
from service.guidance.titration import dose_on, taken

ZERO = Fraction(0)
HARMFUL = frozenset({"stopped-because-of-harm", "serotonin-syndrome", "pregnancy", "allergy-to-amitriptyline"})
"""Reasons of an order, and the toxicity among conditions, for which a fast stop may be right."""


def amitriptyline_stopping(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R20: amitriptyline that was taken for weeks ends at once, or falls below half.

    Above the lowest rung a warning, otherwise, or when harm is the reason, an info. Silent while another order
    of the session carries on with at least half, or with the next rung of the example taper.
    """
    stops = [order for order in chart.orders if order.stops and order.focus and order.drug.names(AMITRIPTYLINE)]
    drafts = [order for order in chart.drafts(AMITRIPTYLINE) if order.focus]
    if not stops and not drafts:
        return None
    after = _after(chart)
    before = _before(chart, stops)
    if after is None or not _abrupt(before, after, thresholds):
        return None
    known, days = _taken_for(chart, stops, thresholds)
    if known and (days is None or days < thresholds["use"].value):
        return None
    harm = _harm(chart, stops)
    small = before is not None and before <= thresholds["rung_4"].value
    path = () if before is None or chart.under_age(thresholds["adult"].value) else taper(before, thresholds)
    offers, withheld = ((), ()) if harm else next_step(chart, stops, before, path, thresholds)
    if not known:
        offers, withheld = (), (*withheld, "time-unknown")
    orders = [*stops, *drafts]
    listed = [order for order in taken(chart) if order.reference not in {o.reference for o in orders}]
    return Finding(
        card="amitriptyline-stopping",
        indicator=Indicator.INFO if harm or small else Indicator.WARNING,
        orders=(*orders, *listed),
        facts={
            "order": orders[0],
            "before": before,
            "after": after,
            "days": days if known else None,
            "harm": harm,
            "small": small,
            "next_step": path[0] if path else None,
            "path": path,
            "minor": chart.under_age(thresholds["adult"].value),
            "age_known": chart.age is not None,
        },
        offers=offers,
        withheld=withheld if path and not harm else (),
    )


def taper(dose: Fraction, thresholds: Thresholds) -> tuple[Fraction, ...]:
    """The doses of the example taper below a dose, down to the last before the stop.

    Above the highest rung each step is half, in whole tablets upwards, and at least that rung.
    """
    rungs = [thresholds[name].value for name in RUNGS]
    path: list[Fraction] = []
    while dose > rungs[0]:
        dose = max(rungs[0], ceil(dose / 2 / thresholds["tablet"].value) * thresholds["tablet"].value)
        path.append(dose)
    return (*path, *(rung for rung in rungs if rung < dose))


def _after(chart: Chart) -> Fraction | None:
    """The mg a day at the start of what the session leaves; zero when nothing, None when a dose is not computed."""
    drafts = list(chart.drafts(AMITRIPTYLINE))
    together = duplicates(chart)
    left = drafts or [order for order in remaining(chart, AMITRIPTYLINE) if not order.is_draft]
    doses = [_first(order) for order in left]
    both = [_first(order) for order in together]
    if None in doses or None in both:
        return None
    known = [dose for dose in doses if dose is not None]
    return max(sum((dose for dose in both if dose is not None), ZERO), *known, ZERO)


def _first(order: MedicationOrder) -> Fraction | None:
    """The mg a day at the start of an order, zero when it says zero, None when nothing is computed."""
    if isinstance(order.dose, DailyDose):
        return order.dose.first.high
    given = [dosage.high.value for dosage in order.dosages if dosage.high is not None]
    return ZERO if given and len(given) == len(order.dosages) and not any(given) else None


def _before(chart: Chart, stops: Sequence[MedicationOrder]) -> Fraction | None:
    """The mg a day taken until now: of the list, else of the order that is stopped; None when not computed."""
    listed = [
        dose_on(order, order.dose, chart.today)[0].high for order in taken(chart) if isinstance(order.dose, DailyDose)
    ]
    stopped = [order.dose.high for order in stops if isinstance(order.dose, DailyDose)]
    return max(listed or stopped, default=None)


def _abrupt(before: Fraction | None, after: Fraction, thresholds: Thresholds) -> bool:
    """True for a stop, and for a cut below half that is not the next step of the example either."""
    if after == 0:
        return True
    if before is None:
        return False
    step = next(iter(taper(before, thresholds)), ZERO)
    return after * 2 < before and after < step


def _taken_for(chart: Chart, stops: Sequence[MedicationOrder], thresholds: Thresholds) -> tuple[bool, int | None]:
    """Whether the record tells how long amitriptyline was taken without a break, and the days (None: not at all).

    A renewal, and a list that was not sent, may hide an earlier beginning.
    """
    orders = [*taken(chart), *stops]
    past = list(chart.past(AMITRIPTYLINE))
    dates = [began for order in orders if (began := order.started or order.authored) is not None]
    if not taken(chart) and not past and all(order.authored is None for order in stops):
        return chart.history_known, None
    if not dates:
        return False, None
    days = (chart.today - _unbroken(min(dates), past, int(thresholds["gap"].value))).days
    hidden = not chart.history_known or any(order.continues_earlier for order in orders)
    return days >= thresholds["use"].value or not hidden, days


def _unbroken(since: date, past: Sequence[MedicationOrder], gap: int) -> date:
    """The first day of treatment without a break longer than the gap; an end that is not known is no break."""
    for order in sorted(past, key=lambda order: order.last_taken or date.max, reverse=True):
        began = order.started or order.authored
        ended = order.last_taken or since
        if began is not None and began < since and (since - ended).days <= gap:
            since = began
    return since


def _harm(chart: Chart, stops: Sequence[MedicationOrder]) -> bool:
    """True when the record names an allergy, toxicity, or for the stop itself pregnancy as a reason."""
    reasons = frozenset(reason for order in stops for reason in order.reasons)
    return bool(reasons & HARMFUL) or AMITRIPTYLINE in chart.allergies or chart.has("serotonin-syndrome")


RULES: tuple[Rule, ...] = (amitriptyline_stopping,)
