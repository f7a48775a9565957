"""Groups of conditions that several rules look at: ids of ``cards/terminology/conditions``."""

TRIGEMINAL = frozenset({"trigeminal-neuralgia"})
"""Pain of nerves, apart from the other kinds: NICE CG173 has none of the guidance's drugs for it."""

NEUROPATHIC = frozenset({"neuropathic-pain", "diabetic-neuropathy", "postherpetic-neuralgia"})
PAIN = NEUROPATHIC | TRIGEMINAL | {"fibromyalgia", "chronic-pain", "musculoskeletal-disorder"}

HEART_DISEASE = (
    "ischaemic-heart-disease",
    "recent-myocardial-infarction",
    "old-myocardial-infarction",
    "cardiac-arrhythmia",
    "heart-block",
    "long-qt",
    "brugada-syndrome",
    "heart-failure",
)
HEART = (*HEART_DISEASE, "orthostatic-hypotension")
