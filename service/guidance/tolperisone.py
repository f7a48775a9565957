"""Rules about tolperisone alone (R02, R15, R16)."""

from fractions import Fraction

from service.chart import Chart, MedicationOrder
from service.dosing.dosage import DailyDose
from service.engine.finding import Finding, Indicator, Rule, Thresholds, states
from service.guidance.drugs import TOLPERISONE
from service.guidance.duplicates import taken_together

POST_STROKE = "post-stroke-spasticity"


@states("", "ch", "us")
def tolperisone_indication(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R02: tolperisone without evidence of spasticity after a stroke.

    A warning when it is ordered or refilled; an info where another use is labelled, and when a chart is only opened.
    """
    orders = chart.in_question(TOLPERISONE)
    if not orders or _post_stroke_spasticity(chart, orders):
        return None
    return Finding(
        card="tolperisone-indication",
        indicator=Indicator.WARNING if chart.ordering and chart.jurisdiction != "other" else Indicator.INFO,
        orders=tuple(orders),
        state=chart.jurisdiction if chart.jurisdiction in ("ch", "us") else "",
        facts={
            "order": orders[0],
            "conditions_known": chart.conditions_known,
            "unread": chart.conditions_known and (not chart.problems_read or any(o.reason_unread for o in orders)),
        },
    )


def _post_stroke_spasticity(chart: Chart, orders: list[MedicationOrder]) -> bool:
    reasons = frozenset(reason for order in orders for reason in order.reasons)
    spastic = chart.has("spasticity", "spastic-hemiplegia") or reasons & {"spasticity", "spastic-hemiplegia"}
    stroke = any("stroke" in c.sets for c in chart.conditions) or "stroke" in reasons
    return chart.has(POST_STROKE) or POST_STROKE in reasons or bool(spastic and stroke)


def tolperisone_food(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R16: tolperisone that is ordered is taken after meals; said beside other advice about the order only."""
    orders = [order for order in chart.drafts(TOLPERISONE) if order.focus]
    return Finding("tolperisone-food", Indicator.INFO, orders=tuple(orders)) if orders else None


@states("above-labels", "above-eu", "divide", "under-age")
def tolperisone_daily_dose(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R15: above the EU maximum a warning, above every label critical; a daily dose not in three doses an info.

    Below the lowest labelled dose nothing is said. The most on one dosing day counts, not an average; orders that
    add up are summed. Nobody under 18 is told adult figures; a dose above even those is.
    """
    found = [
        (indicator, day, orders)
        for orders, doses in _computed(chart)
        if (day := sum((dose.dosing_day for dose in doses), Fraction(0)))
        if (indicator := _indicator(day, doses, thresholds)) is not None
    ]
    if not found:
        return None
    indicator, day, orders = max(found, key=lambda entry: (entry[0], entry[1]))
    minor = chart.under_age(thresholds["adult"].value)
    if minor and indicator is Indicator.INFO:
        return None
    doses = [order.dose for order in orders if isinstance(order.dose, DailyDose)]
    return Finding(
        card="tolperisone-daily-dose",
        indicator=indicator,
        state="under-age" if minor else _STATES[indicator],
        orders=tuple(orders),
        facts={
            "order": orders[0],
            "dose": doses[0],
            "day": day,
            "summed": len(orders) > 1,
            "complete": len(doses) == len(orders),
            "implausible": "",
            "older": chart.at_least(thresholds["older"].value),
        },
    )


_STATES = {Indicator.CRITICAL: "above-labels", Indicator.WARNING: "above-eu", Indicator.INFO: "divide"}


def _computed(chart: Chart) -> list[tuple[list[MedicationOrder], list[DailyDose]]]:
    """The orders that add up, as one (X5), and each other draft in focus; with the doses that are computed."""
    groups = taken_together(chart, TOLPERISONE)
    computed = [[order.dose for order in group if isinstance(order.dose, DailyDose)] for group in groups]
    return [(group, doses) for group, doses in zip(groups, computed, strict=True) if doses]


def _indicator(day: Fraction, doses: list[DailyDose], thresholds: Thresholds) -> Indicator | None:
    if day > thresholds["label_maximum"].value:
        return Indicator.CRITICAL
    if day > thresholds["eu_maximum"].value:
        return Indicator.WARNING
    alone = len(doses) == 1 and doses[0].daily and day >= thresholds["label_minimum"].value
    return Indicator.INFO if alone and doses[0].times != thresholds["doses"].value else None


RULES: tuple[Rule, ...] = (tolperisone_indication, tolperisone_daily_dose, tolperisone_food)
