"""Tolperisone together with amitriptyline (R01)."""

from service.clinical.chart import Chart, MedicationOrder
from service.guidance.finding import AMITRIPTYLINE, TOLPERISONE, Finding, Indicator, Thresholds
from service.guidance.tolperisone import FOOD


def tolperisone_with_amitriptyline(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R01: both are ordered or taken, and the ordering creates the pair; quieter when it only continues.

    On order-select at least one of the pair has to be selected (X4). A chart that is only opened shows the
    pair that is already taken.
    """
    pair = {drug: [*chart.drafts(drug), *chart.current(drug)] for drug in (TOLPERISONE, AMITRIPTYLINE)}
    if not all(pair.values()):
        return None
    ordered = [order for orders in pair.values() for order in orders if order.is_draft]
    if chart.ordering and not any(order.focus for order in ordered):
        return None
    starts = any(is_new(chart, drug, order) for drug in pair for order in ordered)
    state = ("started" if starts else "continued") if chart.ordering else "taken"
    first = {drug: orders[0] for drug, orders in pair.items()}
    return Finding(
        card="tolperisone-with-amitriptyline",
        indicator=Indicator.INFO if state == "continued" else Indicator.WARNING,
        orders=tuple(dict.fromkeys([*ordered, *first.values()])),
        facts={"tolperisone": first[TOLPERISONE], "amitriptyline": first[AMITRIPTYLINE], "state": state},
        lines=(FOOD,) if first[TOLPERISONE].is_draft else (),
    )


def is_new(chart: Chart, drug: str, order: MedicationOrder) -> bool:
    """True when a draft starts the drug: it continues nothing and the drug is not taken now."""
    if not order.drug.names(drug) or order.continues_earlier or chart.refill:
        return False
    return not any(True for _ in chart.current(drug))
