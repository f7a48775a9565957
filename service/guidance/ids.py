"""Drugs, their classes, conditions and measurements that several rules look at, by their ids in cards/terminology."""

from service.facts import EGFR_COMPUTED

AMITRIPTYLINE = "amitriptyline"
TOLPERISONE = "tolperisone"
SUBJECTS = (AMITRIPTYLINE, TOLPERISONE)

TRICYCLIC = "tca"
STRONG_INHIBITOR = "cyp2d6-inhibitor-strong"
SENSITIVE = "cyp2d6-substrate-tolperisone-sensitive"
"""Drugs that tolperisone labels name themselves, because tolperisone may raise their levels."""

CISAPRIDE = "contraindicated-with-amitriptyline-us"
MAO_INHIBITORS = ("maoi-irreversible", "maoi-reversible", "maoi-b", "maoi-antibiotic")

DEPRESSION = "major-depressive-disorder"
DEPRESSIVE = frozenset({DEPRESSION, "depressive-disorder"})

TRIGEMINAL = frozenset({"trigeminal-neuralgia"})
"""Pain of nerves, apart from the other kinds: NICE CG173 has none of the guidance's drugs for it."""

NEUROPATHIC = frozenset({"neuropathic-pain", "diabetic-neuropathy", "postherpetic-neuralgia"})
PAIN = NEUROPATHIC | TRIGEMINAL | {"fibromyalgia", "chronic-pain", "musculoskeletal-disorder"}

CORONARY = "ischaemic-heart-disease"

NOT_TOLERATED = "stopped-because-not-tolerated"

QTC = ("qtc-bazett", "qtc-fridericia", "qtc-method-unspecified")
CLEARANCE = ("creatinine-clearance-cockcroft-gault", "creatinine-clearance-24h-urine")
FILTRATION = (
    "egfr-ckd-epi-2021",
    "egfr-ckd-epi-2009",
    "egfr-formula-unspecified",
    "egfr-mdrd",
    "egfr-mdrd-77147-7",
    EGFR_COMPUTED,
)
