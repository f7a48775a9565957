"""The next step of the example taper as an order in place of a stop, and why it is not offered (R20)."""

from collections.abc import Sequence
from fractions import Fraction

from service.chart import Chart, MedicationOrder, Role
from service.dosing.dosage import DailyDose
from service.engine.finding import Offer, Thresholds
from service.guidance.condition_groups import HEART
from service.guidance.drugs import AMITRIPTYLINE
from service.guidance.safety import pregnant_or_breastfeeding
from service.guidance.titration import dose_on

RUNGS = ("rung_1", "rung_2", "rung_3", "rung_4")
"""The doses of the example taper, thresholds of the card. The templates of the orders bear the same names."""

AGAINST = (
    *HEART,
    "angle-closure-glaucoma",
    "urinary-retention",
    "paralytic-ileus",
    "delirium",
    "hepatic-failure",
    "hepatic-impairment",
    "suicidal-ideation",
    "bipolar-disorder",
    "epilepsy",
    "serotonin-syndrome",
)
"""Conditions for which a stop may have to be faster than the example."""

IN_ITS_PLACE = ("antidepressant", "gabapentinoid", "maoi-irreversible", "maoi-reversible", "maoi-b", "maoi-antibiotic")
LISTS = frozenset({"medications", "conditions", "allergies"})


def next_step(
    chart: Chart,
    stops: Sequence[MedicationOrder],
    before: Fraction | None,
    path: Sequence[Fraction],
    thresholds: Thresholds,
) -> tuple[tuple[Offer, ...], tuple[str, ...]]:
    """The order of the next step, or why it is not offered (keys of ``cards/phrases.yaml``).

    ``path`` are the doses below ``before``, the mg a day taken until now. The order is for the product of the
    order that is ended, and for less than was taken at once.
    """
    if not path or before is None:
        return (), ()
    reasons = _reasons(chart, stops, path[0], thresholds)
    if reasons:
        return (), reasons
    rung = next(name for name in RUNGS if thresholds[name].value == path[0])
    name = f"amitriptyline-{rung.replace('_', '-')}"
    return (Offer(name, product_of=stops[0].reference, drug=AMITRIPTYLINE, below=before),), ()


def _reasons(chart: Chart, stops: Sequence[MedicationOrder], step: Fraction, thresholds: Thresholds) -> tuple[str, ...]:
    if not stops:
        return ("drafts-stay",)
    listed = list(chart.current(AMITRIPTYLINE))
    taken = listed or list(stops)
    started = [d for d in chart.orders if d.role is Role.DRAFT and not d.stops and d.classes & set(IN_ITS_PLACE)]
    known = chart.history_known and chart.conditions_known
    now = [dose_on(order, order.dose, chart.today)[0] for order in taken if isinstance(order.dose, DailyDose)]
    checks = {
        "age-unknown": chart.age is None,
        "record-incomplete": not known or any(gap.element in LISTS for gap in chart.unread),
        "ordered-twice": len(stops) > 1 or len(listed) > 1,
        "order-not-found": not stops[0].reference,
        "combination": any(order.drug.combination for order in (*stops, *listed)),
        "drug-disputed": any(order.drug.disputes(AMITRIPTYLINE) for order in (*stops, *listed)),
        "stop-reason": any(order.stop_reason_given or order.reason_given for order in stops),
        "condition-against": chart.has(*AGAINST) or pregnant_or_breastfeeding(chart, thresholds["status_age"].value),
        "another-in-its-place": bool(started),
        "taken-divided": any(dose.single < step for dose in now),
        # Of a range, or as needed, less may be taken than the step.
        "would-not-lower": any(dose.low <= step for dose in now),
        "step-not-prepared": all(thresholds[name].value != step for name in RUNGS),
    }
    return tuple(reason for reason, holds in checks.items() if holds)
