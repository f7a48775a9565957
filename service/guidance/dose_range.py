"""The dose of amitriptyline: its upper range, and too little of it for depression (R09, R14)."""

from fractions import Fraction

from service.chart import Chart, MedicationOrder
from service.dosing.dosage import DailyDose
from service.engine.finding import Finding, Indicator, Rule, Thresholds, states
from service.guidance.condition_groups import DEPRESSION, DEPRESSIVE, purpose
from service.guidance.drugs import AMITRIPTYLINE
from service.guidance.duplicates import duplicates, summed, taken_together

REMISSION = "depression-in-remission"
ANTIDEPRESSANT = "antidepressant"


LEVELS = ("hospital", "outpatient", "caution", "pain-ceiling", "pain-target")
"""The rungs of the ladder, the highest first."""


@states(*LEVELS, "under-age")
def amitriptyline_upper_range(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R09: the most on one day against the ladder of pain doses, and against every labelled dose.

    Orders that add up are summed (R27). For depression only the two highest rungs count. Whether the patient is
    in hospital is not known here, and the card says so. Nobody under 18 is told the adult figures of pain.
    """
    found = [
        (*measured, orders)
        for orders in taken_together(chart)
        if (measured := _level(chart, orders, thresholds)) is not None
    ]
    if not found:
        return None
    indicator, level, day, orders = max(found, key=lambda entry: (entry[0], entry[2]))
    return Finding(
        card="amitriptyline-upper-range",
        indicator=indicator,
        orders=tuple(orders),
        state="under-age" if chart.under_age(thresholds["adult"].value) else level,
        facts={
            "order": orders[0],
            "day": day,
            "summed": len(orders) > 1,
            "complete": summed(orders)[1],
            "depression_recorded": chart.has(*DEPRESSIVE),
            "implausible": "",
        },
    )


def _level(
    chart: Chart, orders: list[MedicationOrder], thresholds: Thresholds
) -> tuple[Indicator, str, Fraction] | None:
    """Urgency and the rung of the ladder that the summed dose is above, and that dose."""
    day, _ = summed(orders)
    if day is None:
        return None
    if day > thresholds["hospital"].value:
        return Indicator.CRITICAL, "hospital", day
    if day > thresholds["outpatient"].value:
        return Indicator.CRITICAL, "outpatient", day
    use = purpose(chart, orders)
    if use == "depression" or chart.under_age(thresholds["adult"].value):
        return None
    for rung in ("caution", "pain-ceiling"):
        if day > thresholds[rung.replace("-", "_")].value:
            return Indicator.WARNING, rung, day
    if day > thresholds["pain_target"].value and use != "neuropathic":
        return Indicator.INFO, "pain-target", day
    return None


@states("below", "low-end", "not-daily")
def amitriptyline_for_depression(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R14: a recorded major depression, not in remission, with amitriptyline too low and nothing else for it.

    The most of the order counts, on average over days; where it is not taken daily, no daily dose is spoken of.
    Silent when a dose is not computed (R28), and for anybody under 18.
    """
    orders = chart.in_question(AMITRIPTYLINE)
    recorded = _depression(chart, orders)
    if not orders or recorded is None or chart.under_age(thresholds["adult"].value) or _otherwise_treated(chart):
        return None
    together = duplicates(chart)
    counted = together or orders
    doses = [order.dose for order in counted if isinstance(order.dose, DailyDose)]
    if len(doses) < len(counted):
        return None
    day = sum((dose.high for dose in doses), Fraction(0)) if together else max(dose.high for dose in doses)
    if day >= thresholds["us_low"].value:
        return None
    below = day < thresholds["eu_low"].value
    daily = all(dose.daily for dose in doses)
    return Finding(
        card="amitriptyline-for-depression",
        indicator=Indicator.WARNING if below else Indicator.INFO,
        orders=tuple(counted),
        state="not-daily" if not daily else "below" if below else "low-end",
        facts={"order": counted[0], "day": day, "condition": recorded, "history_known": chart.history_known},
    )


def _depression(chart: Chart, orders: list[MedicationOrder]) -> str | None:
    """The active major depression as the record names it, empty when only an order's reason does; None for none."""
    recorded = [c.label for c in chart.active(DEPRESSION) if REMISSION not in c.sets]
    if recorded:
        return recorded[0]
    reasons = frozenset(reason for order in orders for reason in order.reasons)
    return "" if DEPRESSION in reasons and REMISSION not in reasons else None


def _otherwise_treated(chart: Chart) -> bool:
    """True when another antidepressant is ordered or taken."""
    return any(not order.drug.names(AMITRIPTYLINE) for order in chart.of_class(ANTIDEPRESSANT))


RULES: tuple[Rule, ...] = (amitriptyline_upper_range, amitriptyline_for_depression)
