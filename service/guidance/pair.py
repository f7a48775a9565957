"""Tolperisone together with amitriptyline (R01), merged with R04 when a strong CYP2D6 inhibitor is there, too."""

from service.chart import Chart
from service.engine.finding import AMITRIPTYLINE, TOLPERISONE, Finding, Indicator, Thresholds
from service.guidance.interactions import Inhibitors, inhibitor_facts, inhibitors
from service.guidance.tolperisone import FOOD


def tolperisone_with_amitriptyline(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R01: both are ordered or taken, and the ordering creates the pair; an info when it only continues.

    On order-select at least one of the pair has to be selected (X4). A chart that is only opened shows the
    pair that is already taken, as an info.

    With a strong CYP2D6 inhibitor this card is also that of R04, names every inhibitor, and is a warning even
    when the pair only continues; ordering the inhibitor creates the risk, too.
    """
    pair = {drug: [*chart.drafts(drug), *chart.current(drug)] for drug in (TOLPERISONE, AMITRIPTYLINE)}
    if not all(pair.values()):
        return None
    found = inhibitors(chart, thresholds)
    merged = found if found.strong else Inhibitors()
    ordered = [order for orders in pair.values() for order in orders if order.is_draft]
    joining = [order for order in merged.now if order.focus]
    if chart.ordering and not any(order.focus for order in [*ordered, *joining]):
        return None
    starts = any(chart.starts(drug, *ordered) for drug in pair)
    state = ("started" if starts else "continued") if chart.ordering else "taken"
    first = {drug: orders[0] for drug, orders in pair.items()}
    return Finding(
        card="tolperisone-with-amitriptyline",
        indicator=Indicator.WARNING if state == "started" or (chart.ordering and merged.certain) else Indicator.INFO,
        orders=tuple(dict.fromkeys([*joining, *ordered, *first.values(), *merged.all])),
        facts={
            "tolperisone": first[TOLPERISONE],
            "amitriptyline": first[AMITRIPTYLINE],
            "state": state,
            **inhibitor_facts(chart, merged),
        },
        lines=(FOOD,) if first[TOLPERISONE].is_draft else (),
        rules=("R04",) if merged.all else (),
    )
