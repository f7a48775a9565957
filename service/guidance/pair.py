"""Tolperisone together with amitriptyline (R01), merged with R04 when a strong CYP2D6 inhibitor is there, too.

And tolperisone with any other tricyclic, which its labels warn of for one of them (R05).
"""

from service.chart import Chart
from service.engine.concerns import partners
from service.engine.finding import Finding, Indicator, Rule, Thresholds, states
from service.guidance.drugs import AMITRIPTYLINE, TOLPERISONE
from service.guidance.duplicates import TRICYCLIC
from service.guidance.interactions import Inhibitors, inhibitors

NAMED_BY_LABELS = "cyp2d6-substrate-tolperisone-sensitive"
"""Drugs that tolperisone labels name themselves: they have a card of their own."""


@states("started", "both-new", "continued", "taken", "with-inhibitor", "perhaps-inhibitor")
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
    new = [drug for drug in pair if chart.starts(drug, *ordered)]
    first = {drug: orders[0] for drug, orders in pair.items()}
    urgent = chart.ordering and bool(new or merged.certain)
    return Finding(
        card="tolperisone-with-amitriptyline",
        indicator=Indicator.WARNING if urgent else Indicator.INFO,
        orders=tuple(dict.fromkeys([*joining, *ordered, *first.values(), *merged.all])),
        state=_state(chart, len(new), merged),
        facts={
            "tolperisone": first[TOLPERISONE],
            "amitriptyline": first[AMITRIPTYLINE],
            "inhibitors": merged.all,
            "unsure": merged.unsure,
        },
        rules=("R04",) if merged.all else (),
    )


def _state(chart: Chart, new: int, merged: Inhibitors) -> str:
    if merged.all:
        return "with-inhibitor" if merged.certain else "perhaps-inhibitor"
    if not chart.ordering:
        return "taken"
    return ("continued", "started", "both-new")[new]


def tolperisone_with_other_tricyclic(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R05: tolperisone with a tricyclic that is neither amitriptyline nor named by tolperisone labels."""
    others = [
        order
        for order in partners(chart, TOLPERISONE, TRICYCLIC)
        if not order.drug.names(AMITRIPTYLINE) and NAMED_BY_LABELS not in order.classes
    ]
    if not others:
        return None
    orders = chart.taken_or_drafted(TOLPERISONE)
    return Finding(
        card="tolperisone-with-other-tricyclic",
        indicator=Indicator.INFO,
        orders=(*others, *orders),
        facts={"others": others, "tolperisone": orders[0]},
    )


RULES: tuple[Rule, ...] = (tolperisone_with_amitriptyline, tolperisone_with_other_tricyclic)
