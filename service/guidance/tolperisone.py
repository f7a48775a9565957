"""Rules about tolperisone: beside amitriptyline or another tricyclic (R01, R05), its use and its dose (R02, R15, R16).

R01 is merged with R04 when a strong CYP2D6 inhibitor is there, too.
"""

from fractions import Fraction

from service.chart import Chart
from service.dosing.dosage import DailyDose
from service.engine.concerns import partners
from service.engine.finding import Finding, Indicator, Thresholds, states
from service.facts import MedicationOrder, doses, reasons
from service.guidance.duplicates import summed, taken_together
from service.guidance.ids import AMITRIPTYLINE, SENSITIVE, TOLPERISONE, TRICYCLIC
from service.guidance.interactions import Inhibitors, inhibitors

POST_STROKE = "post-stroke-spasticity"
URGENCY = {"above-labels": Indicator.CRITICAL, "above-eu": Indicator.WARNING, "divide": Indicator.INFO}
"""How urgent a daily dose is, by the state in which the card says it."""


@states("started", "both-new", "continued", "taken", "with-inhibitor", "perhaps-inhibitor")
def tolperisone_with_amitriptyline(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R01: both are ordered or taken, and the ordering creates the pair; an info when it only continues.

    A chart that is only opened shows the pair that is already taken, as an info. With a strong CYP2D6 inhibitor this
    card is also that of R04, names every inhibitor, and is a warning even when the pair only continues; ordering the
    inhibitor creates the risk, too.
    """
    pair = {drug: chart.taken_or_drafted(drug) for drug in (TOLPERISONE, AMITRIPTYLINE)}
    if not all(pair.values()):
        return None
    found = inhibitors(chart, thresholds)
    merged = found if found.strong else Inhibitors()
    ordered = [order for orders in pair.values() for order in orders if order.is_draft]
    joining = [order for order in merged.now if order.focus]
    if chart.ordering and not any(order.focus for order in [*ordered, *joining]):
        return None
    new = [drug for drug in pair if chart.starts(drug, *ordered)]
    first = {drug: orders[0] for drug, orders in pair.items()}
    urgent = chart.ordering and bool(new or merged.certain)
    return Finding(
        card="tolperisone-with-amitriptyline",
        indicator=Indicator.WARNING if urgent else Indicator.INFO,
        orders=tuple(dict.fromkeys([*joining, *ordered, *first.values(), *merged.all])),
        state=_state(chart, len(new), merged),
        facts={"inhibitors": merged.all, "unsure": merged.unsure},
        rules=("R04",) if merged.all else (),
    )


def _state(chart: Chart, new: int, merged: Inhibitors) -> str:
    if merged.all:
        return "with-inhibitor" if merged.certain else "perhaps-inhibitor"
    if not chart.ordering:
        return "taken"
    return ("continued", "started", "both-new")[new]


def tolperisone_with_other_tricyclic(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R05: tolperisone with a tricyclic that is neither amitriptyline nor named by tolperisone labels.

    Those that labels name themselves have a card of their own.
    """
    tricyclics = [order for order in partners(chart, TOLPERISONE, TRICYCLIC) if not order.drug.names(AMITRIPTYLINE)]
    others = [order for order in tricyclics if SENSITIVE not in order.classes]
    if not others:
        return None
    orders = chart.taken_or_drafted(TOLPERISONE)
    return Finding(
        card="tolperisone-with-other-tricyclic",
        indicator=Indicator.INFO,
        orders=(*others, *orders),
        facts={"others": others},
    )


@states("", "ch", "us")
def tolperisone_indication(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R02: tolperisone without evidence of spasticity, which outside Switzerland has to be after a stroke.

    A warning when it is ordered or refilled; an info where another use is labelled, and when a chart is only opened.
    """
    orders = chart.in_question(TOLPERISONE)
    if not orders or _labelled(chart, orders):
        return None
    return Finding(
        card="tolperisone-indication",
        indicator=Indicator.WARNING if chart.ordering and chart.jurisdiction != "other" else Indicator.INFO,
        orders=tuple(orders),
        state=chart.jurisdiction if chart.jurisdiction in ("ch", "us") else "",
        facts={
            "conditions_known": chart.conditions_known,
            "unread": chart.conditions_known and (not chart.problems_read or any(o.reason_unread for o in orders)),
        },
    )


def _labelled(chart: Chart, orders: list[MedicationOrder]) -> bool:
    spastic = chart.named(orders, POST_STROKE, "spasticity", "spastic-hemiplegia")
    if not spastic or chart.jurisdiction == "ch":
        return spastic
    stroke = any("stroke" in c.sets for c in chart.conditions) or "stroke" in reasons(orders)
    return stroke or chart.named(orders, POST_STROKE)


def tolperisone_food(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R16: tolperisone that is ordered is taken after meals; said beside other advice about the order only."""
    orders = chart.selected(TOLPERISONE)
    return Finding("tolperisone-food", Indicator.INFO, orders=tuple(orders)) if orders else None


@states("above-labels", "above-eu", "divide", "under-age")
def tolperisone_daily_dose(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R15: above the EU maximum a warning, above every label critical; a daily dose not in three doses an info.

    Below the lowest labelled dose nothing is said. The most on one dosing day counts, not an average; orders that
    add up are summed. Adult figures are not shown for patients under 18, unless the dose exceeds even those.
    """
    found = [
        (URGENCY[state], day, state, orders)
        for orders in taken_together(chart, TOLPERISONE)
        if (day := summed(orders)[0]) and (state := _state_of(day, doses(orders), thresholds))
    ]
    if not found:
        return None
    indicator, day, state, orders = max(found, key=lambda entry: entry[:2])
    minor = chart.under_age(thresholds["adult"].to("a"))
    if indicator is Indicator.INFO and (minor or not chart.ordering):
        return None
    return Finding(
        card="tolperisone-daily-dose",
        indicator=indicator,
        state="under-age" if minor else state,
        orders=tuple(orders),
        facts={
            "dose": doses(orders)[0],
            "day": day,
            "summed": len(orders) > 1,
            "complete": summed(orders)[1],
            "implausible": "",
            "older": chart.at_least(thresholds["older"].to("a")),
        },
    )


def _state_of(day: Fraction, doses: list[DailyDose], thresholds: Thresholds) -> str:
    if day > thresholds["label_maximum"].to("mg"):
        return "above-labels"
    if day > thresholds["eu_maximum"].to("mg"):
        return "above-eu"
    alone = len(doses) == 1 and doses[0].daily and day >= thresholds["label_minimum"].to("mg")
    return "divide" if alone and doses[0].times != thresholds["doses"].to("") else ""
