"""What could not be checked, said aloud (R28, X7), and the patient recorded as deceased (X8)."""

from collections.abc import Sequence

from service.chart import Chart
from service.dosing.amount import NotComputed, number
from service.engine.finding import Finding, Indicator, Thresholds
from service.facts import WORDS_BESIDE, WORDS_MAY_END, MedicationOrder, Role, Unread

SHOWN = 80
"""Letters of words that are shown."""


def code_and_text_disagree(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """X7: one code or the text of an order names the drug, another names a different one. No dose logic."""
    disputed = [
        order
        for order in chart.orders
        if (order.focus or not order.is_draft) and any(order.drug.disputes(drug) for drug in chart.subjects)
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
    return [f"{claim.evidence}: {', '.join(sorted(claim.drugs)) or 'another drug'}" for claim in order.drug.claims]


def not_checked(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R28: everything a decision would have rested on and that was missing, contradictory or not understood.

    One card for all of it; a contradiction or an open-ended dose makes it a warning. That doses for children are not
    known here is said by R30.
    """
    gaps = [
        *(gap for order in chart.orders for gap in _dose_gaps(chart, order, thresholds)),
        *_noted(chart),
        *_age_gap(chart),
        *chart.unread,
    ]
    return unchecked(gaps) if gaps else None


def _noted(chart: Chart) -> list[Unread]:
    """Notes of the orders that name a problem or a drug which is on no list, or a measured value."""
    ordered = [order for drug in chart.subjects for order in chart.selected(drug)]
    drugs = {drug for order in chart.orders for drug in order.drug.drugs}
    return [
        Unread("note-names", order, found=note.words[:SHOWN])
        for order in ordered
        for note in order.noted
        if note.value or not (note.sets <= chart.recorded_sets and note.drugs <= drugs)
    ]


def unchecked(gaps: Sequence[Unread]) -> Finding:
    """The finding for at least one gap, contradictions first. Words that may end an order are not named twice."""
    ending = {gap.found for gap in gaps if gap.reason == WORDS_MAY_END}
    once = [gap for gap in gaps if gap.reason != WORDS_BESIDE or gap.found not in ending]
    ordered = sorted(dict.fromkeys(once), key=lambda gap: not gap.conflict)
    orders = tuple(dict.fromkeys(gap.order for gap in ordered if gap.order is not None))
    return Finding(
        card="not-checked",
        indicator=Indicator.WARNING if ordered[0].conflict else Indicator.INFO,
        orders=orders,
        unread=tuple(ordered),
    )


def _age_gap(chart: Chart) -> list[Unread]:
    """That the age is not known, once, when one of the drugs is being ordered (X9)."""
    ordered = [order for drug in chart.subjects for order in chart.selected(drug)]
    if not ordered or chart.age is not None:
        return []
    return [Unread("age-unreadable" if chart.patient.birth_stated else "age-unknown", ordered[0])]


def _dose_gaps(chart: Chart, order: MedicationOrder, thresholds: Thresholds) -> list[Unread]:
    """What cannot be relied on in a draft's dose: not computed, added up on an assumption, or not plausible (Q7).

    When a chart is only opened, of a dose on the list: one that no instruction states is missing on many lists.
    """
    dose = order.dose
    if not (order.focus and not order.stops) and (chart.ordering or order.role is not Role.CURRENT):
        return []
    if isinstance(dose, NotComputed):
        if not order.focus and dose.reason == "dose-missing":
            return []
        return [Unread(dose.reason, order, dose.element, dose.found, dose.conflict)]
    if dose is None:
        return []
    gaps = [Unread("together", order, found=dose.working)] if dose.together else []
    if dose.unheard:
        gaps.append(Unread(WORDS_BESIDE, order, found=dose.unheard[:SHOWN]))
    drug = next(drug for drug in chart.subjects if order.drug.names(drug))
    singles = [step.single for step in dose.steps] or [dose.single]
    least, most = thresholds.get(f"{drug}_least"), thresholds.get(f"{drug}_most")
    odd = next((s for s in singles if (least and s < least.to("mg")) or (most and s > most.to("mg"))), None)
    if odd is not None:
        gaps.append(Unread("implausible", order, found=f"{number(odd)} mg", conflict=True))
    return gaps


def patient_deceased(chart: Chart) -> Finding:
    """X8: the patient is recorded as deceased; nothing clinical is said."""
    return Finding("patient-deceased", Indicator.WARNING, tuple(o for o in chart.orders if o.focus))


def service_failed() -> Finding:
    """The service itself broke on a request, and nothing was checked."""
    return Finding("service-failed", Indicator.WARNING)


def rule_failed(card: str) -> Finding:
    """A rule broke: its advice is missing, and the card says so instead of keeping silent."""
    return Finding("rule-failed", Indicator.WARNING, facts={"failed": card})
