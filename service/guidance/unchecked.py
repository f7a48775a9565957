"""What could not be checked, said aloud (R28, X7), and the patient recorded as deceased (X8)."""

from service.clinical.chart import Chart, MedicationOrder, Unread
from service.clinical.dosing import NotComputed
from service.guidance.finding import SUBJECTS, Finding, Indicator, Thresholds


def code_and_text_disagree(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """X7: one code or the text of an order names the drug, another names a different one. No dose logic."""
    disputed = [
        order
        for order in chart.orders
        if (order.focus or not order.is_draft) and any(order.drug.disputes(drug) for drug in SUBJECTS)
    ]
    if not disputed:
        return None
    order = disputed[0]
    return Finding(
        card="code-and-text-disagree",
        indicator=Indicator.WARNING,
        orders=tuple(disputed),
        facts={"order": order, "claims": claims(order)},
    )


def claims(order: MedicationOrder) -> list[str]:
    """Each piece of evidence with the drugs it names, in a stable order: "RxNorm 704: amitriptyline"."""
    return [f"{claim.evidence}: {', '.join(sorted(claim.drugs))}" for claim in order.drug.claims]


def not_checked(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R28: everything a decision would have rested on and that was missing, contradictory or not understood.

    One card for all of it; a contradiction or an open-ended dose makes it a warning.
    """
    minor = chart.under_age(thresholds["adult"].value)
    gaps = [
        *(gap for order in chart.orders for gap in _dose_gap(order)),
        *(Unread("under-age", order) for order in chart.orders if minor and order.focus and order.dose is not None),
        *chart.unread,
    ]
    if not gaps:
        return None
    conflict = any(gap.conflict for gap in gaps)
    ordered = sorted(dict.fromkeys(gaps), key=lambda gap: not gap.conflict)
    orders = tuple(dict.fromkeys(gap.order for gap in ordered if gap.order is not None))
    return Finding(
        card="not-checked",
        indicator=Indicator.WARNING if conflict else Indicator.INFO,
        orders=orders,
        unread=tuple(ordered),
    )


def _dose_gap(order: MedicationOrder) -> list[Unread]:
    """The dose that rules would have looked at and that could not be computed."""
    dose = order.dose
    if not (order.focus and not order.stops and isinstance(dose, NotComputed)):
        return []
    return [Unread(dose.reason, order, dose.element, dose.found, dose.conflict)]


def patient_deceased(chart: Chart) -> Finding:
    """X8: the patient is recorded as deceased; nothing clinical is said."""
    return Finding("patient-deceased", Indicator.WARNING, tuple(o for o in chart.orders if o.focus))


def service_failed() -> Finding:
    """The service itself broke on a request, and nothing was checked."""
    return Finding("service-failed", Indicator.WARNING)


def rule_failed(card: str) -> Finding:
    """A rule broke: its advice is missing, and the card says so instead of keeping silent."""
    return Finding("rule-failed", Indicator.WARNING, facts={"failed": card})
