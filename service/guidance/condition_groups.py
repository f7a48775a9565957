"""Groups of conditions that several rules look at: ids of ``cards/terminology/conditions``."""

from collections.abc import Iterable

from service.chart import Chart, MedicationOrder

DEPRESSION = "major-depressive-disorder"
DEPRESSIVE = frozenset({DEPRESSION, "depressive-disorder"})

TRIGEMINAL = frozenset({"trigeminal-neuralgia"})
"""Pain of nerves, apart from the other kinds: NICE CG173 has none of the guidance's drugs for it."""

NEUROPATHIC = frozenset({"neuropathic-pain", "diabetic-neuropathy", "postherpetic-neuralgia"})
PAIN = NEUROPATHIC | TRIGEMINAL | {"fibromyalgia", "chronic-pain", "musculoskeletal-disorder"}

HEART = (
    "ischaemic-heart-disease",
    "recent-myocardial-infarction",
    "old-myocardial-infarction",
    "cardiac-arrhythmia",
    "heart-block",
    "long-qt",
    "brugada-syndrome",
    "heart-failure",
    "orthostatic-hypotension",
)


def purpose(chart: Chart, orders: Iterable[MedicationOrder]) -> str:
    """What amitriptyline is for: "depression", "neuropathic" or "other" (another pain, or not said).

    The orders' reasons decide. Without one the record does: depression only when no pain stands beside it.
    """
    said = chart.indication(orders)
    if said & (NEUROPATHIC | TRIGEMINAL):
        return "neuropathic"
    return "depression" if said & DEPRESSIVE and not said & PAIN else "other"
