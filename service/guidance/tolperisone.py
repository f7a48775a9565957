"""Rules about tolperisone alone (R15)."""

from service.clinical.chart import Chart, MedicationOrder
from service.clinical.dose import DailyDose
from service.guidance.finding import TOLPERISONE, Finding, Indicator, Thresholds

FOOD = "tolperisone-food"
"""R16, a line on the cards about a tolperisone order."""


POST_STROKE = "post-stroke-spasticity"


def tolperisone_indication(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R02: tolperisone without evidence of spasticity after a stroke; quieter where another use is labelled."""
    orders = chart.in_question(TOLPERISONE)
    if not orders or _post_stroke_spasticity(chart, orders):
        return None
    return Finding(
        card="tolperisone-indication",
        indicator=Indicator.INFO if chart.jurisdiction == "other" else Indicator.WARNING,
        orders=tuple(orders),
        facts={
            "order": orders[0],
            "jurisdiction": chart.jurisdiction,
            "conditions_known": chart.conditions_known,
            "musculoskeletal": chart.has("musculoskeletal-disorder"),
        },
        lines=(FOOD,) if any(order.is_draft for order in orders) else (),
    )


def _post_stroke_spasticity(chart: Chart, orders: list[MedicationOrder]) -> bool:
    reasons = frozenset(reason for order in orders for reason in order.reasons)
    spastic = chart.has("spasticity", "spastic-hemiplegia") or reasons & {"spasticity", "spastic-hemiplegia"}
    stroke = any("stroke" in c.sets for c in chart.conditions) or "stroke" in reasons
    return chart.has(POST_STROKE) or POST_STROKE in reasons or bool(spastic and stroke)


def tolperisone_daily_dose(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R15: above the EU maximum a warning, above every label critical; not three doses a day an info.

    Below the lowest labelled dose nothing is said. The most on one dosing day counts, not an average. Nobody
    under 18 is told adult figures; a dose above even those is.
    """
    doses = [
        (order, order.dose) for order in chart.drafts(TOLPERISONE) if order.focus and isinstance(order.dose, DailyDose)
    ]
    if not doses:
        return None
    order, dose = max(doses, key=lambda entry: entry[1].dosing_day)
    indicator = _indicator(dose, thresholds)
    minor = chart.under_age(thresholds["adult"].value)
    if indicator is None or (minor and indicator is Indicator.INFO):
        return None
    older = chart.age is not None and chart.age.at_least >= thresholds["older"].value
    return Finding(
        card="tolperisone-daily-dose",
        indicator=indicator,
        orders=(order,),
        facts={
            "order": order,
            "dose": dose,
            "day": dose.dosing_day,
            "level": indicator.word,
            "other_times": dose.times != thresholds["doses"].value,
            "older": older,
            "minor": minor,
        },
        lines=(FOOD,),
    )


def _indicator(dose: DailyDose, thresholds: Thresholds) -> Indicator | None:
    day = dose.dosing_day
    if day > thresholds["label_maximum"].value:
        return Indicator.CRITICAL
    if day > thresholds["eu_maximum"].value:
        return Indicator.WARNING
    if day >= thresholds["label_minimum"].value and dose.times != thresholds["doses"].value:
        return Indicator.INFO
    return None
