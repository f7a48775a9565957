"""Another drug is offered in place of the draft only when all it rests on is known and nothing speaks against it."""

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from service.chart import Chart
from service.engine.evaluate import evaluate
from service.engine.finding import Finding, Offer, Thresholds
from service.engine.guideline import Guideline
from service.engine.library import Library
from service.facts import Condition, Measurement, MedicationOrder, Patient, Role, Unread
from service.guidance.alternatives import other_options
from service.guidance.ids import CLEARANCE
from service.guidance.registry import RULES
from service.terminology.recognise import Claim, Recognition
from tests.guidance.charts import (
    AMITRIPTYLINE,
    TOLPERISONE,
    adult,
    born,
    chart,
    current,
    days_ago,
    dose,
    draft,
    drug,
    past,
)

START = draft(AMITRIPTYLINE, dose("10"))
ALL = ["duloxetine-start", "gabapentin-start-normal", "pregabalin-start-normal"]


@pytest.fixture
def numbers(library: Library) -> Thresholds:
    return library.thresholds["other-options"]


def sick(*sets: str) -> tuple[Condition, ...]:
    return tuple(Condition(frozenset({set_}), set_) for set_ in sets)


def measured(value: str, kind: str = CLEARANCE[0], days: int = 10, unit: str = "mL/min") -> Measurement:
    return Measurement(kind, days_ago(days), Fraction(value), unit)


def clearance(value: str, days: int = 10) -> tuple[Measurement, ...]:
    return (measured(value, days=days),)


def of(name: str, *classes: str, role: Role = Role.CURRENT) -> MedicationOrder:
    return MedicationOrder(f"MedicationRequest/{name}", name, drug(name), role, "active", classes=frozenset(classes))


PAIN = replace(chart(START), conditions=sick("neuropathic-pain", "urinary-retention"), measurements=clearance("80"))
"""An adult with nerve pain and slow urine, everything known, who is to start amitriptyline."""


def found(given: Chart, numbers: Thresholds) -> Finding:
    finding = other_options(given, numbers)
    assert finding is not None
    return finding


def templates(given: Chart, numbers: Thresholds) -> list[str]:
    return [offer.template for offer in found(given, numbers).offers]


def test_when_all_is_known_each_drug_is_offered_in_place_of_this_draft(numbers: Thresholds) -> None:
    finding = found(PAIN, numbers)
    assert finding.offers == tuple(Offer(template, delete=START.reference) for template in ALL)
    assert (finding.withheld, finding.facts["not_offered"]) == ((), {})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("60", ALL),
        ("59.9", ["duloxetine-start", "gabapentin-start-moderate", "pregabalin-start-moderate"]),
        ("30", ["duloxetine-start", "gabapentin-start-moderate", "pregabalin-start-moderate"]),
        ("29.9", ["gabapentin-start-severe", "pregabalin-start-severe"]),
        ("15.1", ["gabapentin-start-severe", "pregabalin-start-severe"]),
        ("15", []),
    ],
)
def test_the_start_goes_by_kidney_function(numbers: Thresholds, value: str, expected: list[str]) -> None:
    assert templates(replace(PAIN, measurements=clearance(value)), numbers) == expected


TWO = replace(START, reference="MedicationRequest/another")
DISPUTED = Recognition((AMITRIPTYLINE,), claims=(Claim(frozenset({AMITRIPTYLINE}), "a"), Claim(frozenset({"x"}), "b")))
NOTHING: dict[str, tuple[Chart, str]] = {
    "age unknown": (replace(PAIN, patient=Patient()), "age-unknown"),
    "amitriptyline taken": (replace(PAIN, orders=(START, current(AMITRIPTYLINE))), "taper-first"),
    "a renewal": (replace(PAIN, refill=True), "taper-first"),
    "amitriptyline until last month": (
        replace(PAIN, orders=(START, past(AMITRIPTYLINE, taken=days_ago(30)))),
        "taper-first",
    ),
    "amitriptyline until who knows when": (replace(PAIN, orders=(START, past(AMITRIPTYLINE))), "start-not-certain"),
    "drafted twice": (replace(PAIN, orders=(START, TWO)), "ordered-twice"),
    "drafted twice, one selected": (replace(PAIN, orders=(START, replace(TWO, focus=False))), "ordered-twice"),
    "no id": (replace(PAIN, orders=(replace(START, reference=""),)), "order-not-found"),
    "a combination": (
        replace(PAIN, orders=(replace(START, drug=drug(AMITRIPTYLINE, combination=True)),)),
        "combination",
    ),
    "code and words differ": (replace(PAIN, orders=(replace(START, drug=DISPUTED),)), "drug-disputed"),
    "no medication list": (replace(PAIN, history_known=False), "record-incomplete"),
    "no problem list": (replace(PAIN, conditions_known=False), "record-incomplete"),
    **{
        f"{list_} in part": (replace(PAIN, unread=(Unread("only-first-page", element=list_),)), "record-incomplete")
        for list_ in ("medications", "statements", "conditions", "allergies")
    },
    "a drug nobody could name": (replace(PAIN, unread=(Unread("list-entry-unidentified"),)), "record-incomplete"),
    "no kidney function": (replace(PAIN, measurements=()), "kidney-unknown"),
    "kidney function of 91 days ago": (replace(PAIN, measurements=clearance("80", 91)), "kidney-unknown"),
    "a bound": (
        replace(PAIN, measurements=(replace(measured("60"), comparator=">"),)),
        "kidney-unknown",
    ),
    "severe on the problem list": (
        replace(PAIN, conditions=(*PAIN.conditions, *sick("severe-renal-impairment"))),
        "kidney-contradictory",
    ),
    "pregnancy": (replace(PAIN, conditions=(*PAIN.conditions, *sick("pregnancy"))), "pregnancy"),
    "breastfeeding": (replace(PAIN, conditions=(*PAIN.conditions, *sick("breastfeeding"))), "pregnancy"),
    "suicidal thoughts": (replace(PAIN, conditions=(*PAIN.conditions, *sick("suicidal-ideation"))), "suicidal"),
    "tolperisone": (replace(PAIN, orders=(START, current(TOLPERISONE))), "with-tolperisone"),
}


@pytest.mark.parametrize(("given", "reason"), NOTHING.values(), ids=NOTHING)
def test_nothing_is_offered_and_the_reason_is_kept(
    numbers: Thresholds, library: Library, given: Chart, reason: str
) -> None:
    finding = found(given, numbers)
    assert finding.offers == ()
    assert reason in finding.withheld
    assert reason in library.withheld


def test_a_value_of_90_days_ago_still_counts(numbers: Thresholds) -> None:
    assert templates(replace(PAIN, measurements=clearance("80", 90)), numbers) == ALL


OLD = born(date(1950, 5, 9))
EGFR = (measured("80", "egfr-ckd-epi-2021"),)


def with_condition(*sets: str) -> Chart:
    return replace(PAIN, conditions=(*PAIN.conditions, *sick(*sets)))


OWN: dict[str, tuple[Chart, dict[str, str]]] = {
    "tramadol": (
        replace(PAIN, orders=(START, of("tramadol", "serotonergic", "cns-depressant"))),
        {"duloxetine": "serotonergic", "gabapentin": "sedating", "pregabalin": "sedating"},
    ),
    "bupropion": (
        replace(PAIN, orders=(START, of("bupropion", "cyp2d6-inhibitor-strong"))),
        {"duloxetine": "inhibitor"},
    ),
    "24 years old": (replace(PAIN, patient=born(date(2001, 11, 24))), {"duloxetine": "young"}),
    "epilepsy": (with_condition("epilepsy"), {"duloxetine": "mood-or-seizures"}),
    "bipolar": (with_condition("bipolar-disorder"), {"duloxetine": "mood-or-seizures"}),
    "falls": (
        with_condition("falls"),
        {"duloxetine": "falls", "gabapentin": "unsteady", "pregabalin": "unsteady"},
    ),
    "dementia": (with_condition("dementia"), {"gabapentin": "unsteady", "pregabalin": "unsteady"}),
    "opioid use disorder": (with_condition("opioid-use-disorder"), {"gabapentin": "misuse", "pregabalin": "misuse"}),
    "heart failure": (with_condition("heart-failure"), {"pregabalin": "heart-failure"}),
    "old, only an eGFR": (
        replace(PAIN, patient=OLD, measurements=EGFR),
        {"gabapentin": "only-egfr", "pregabalin": "only-egfr"},
    ),
    "glaucoma of unknown kind": (with_condition("glaucoma-unspecified"), {"duloxetine": "not-all-known"}),
    "140 mmHg": (
        replace(PAIN, measurements=(*clearance("80"), measured("140", "systolic-bp", unit="mm[Hg]"))),
        {"duloxetine": "pressure"},
    ),
    "90 mmHg below": (
        replace(PAIN, measurements=(*clearance("80"), measured("90", "diastolic-bp", unit="mm[Hg]"))),
        {"duloxetine": "pressure"},
    ),
}


@pytest.mark.parametrize(("given", "reasons"), OWN.values(), ids=OWN)
def test_what_speaks_against_one_drug_leaves_the_others(
    numbers: Thresholds, given: Chart, reasons: dict[str, str]
) -> None:
    finding = found(given, numbers)
    assert finding.facts["not_offered"] == {name: (reason,) for name, reason in reasons.items()}
    left = {offer.template.split("-")[0] for offer in finding.offers}
    assert left == {"duloxetine", "gabapentin", "pregabalin"} - reasons.keys()


FINE: dict[str, dict[str, Any]] = {
    "an eGFR below 65 years": {"measurements": EGFR, "patient": adult()},
    "25 years old": {"patient": born(date(2001, 11, 23))},
    "a clearance at 76": {"patient": OLD},
    "139 over 89": {
        "measurements": (
            *clearance("80"),
            measured("139", "systolic-bp", unit="mm[Hg]"),
            measured("89", "diastolic-bp", unit="mm[Hg]"),
        )
    },
    "a high pressure of long ago": {
        "measurements": (*clearance("80"), measured("180", "systolic-bp", days=91, unit="mm[Hg]"))
    },
}


@pytest.mark.parametrize("changes", FINE.values(), ids=FINE)
def test_what_is_within_the_limits_does_not_stand_in_the_way(numbers: Thresholds, changes: dict[str, Any]) -> None:
    assert templates(replace(PAIN, **changes), numbers) == ALL


def unexpected(card: str, error: Exception) -> None:
    raise AssertionError(card) from error


def test_nothing_is_offered_beside_a_critical_finding(library: Library) -> None:
    acute = Condition(frozenset({"acute-angle-closure", "angle-closure-glaucoma"}), "acute angle closure")
    given = replace(PAIN, conditions=(*PAIN.conditions, acute))
    findings = {f.card: f for f in evaluate(given, Guideline(library, RULES), unexpected)}
    assert findings["amitriptyline-and-other-conditions"].indicator.word == "critical"
    assert all(finding.offers == () for finding in findings.values())
    assert "critical-finding" in findings["other-options"].withheld


@pytest.mark.parametrize(
    ("jurisdiction", "kidneys", "expected"),
    [
        ("us", "80", ["duloxetine-start-diabetic", "gabapentin-start-normal", "pregabalin-start-diabetic"]),
        ("us", "45", ["duloxetine-start", "gabapentin-start-moderate", "pregabalin-start-moderate"]),
        ("eu", "80", ALL),
    ],
)
def test_diabetic_nerve_pain_has_starting_doses_of_its_own_in_the_us(
    numbers: Thresholds, jurisdiction: str, kidneys: str, expected: list[str]
) -> None:
    diabetic = replace(PAIN, conditions=sick("diabetic-neuropathy", "urinary-retention"), jurisdiction=jurisdiction)
    finding = other_options(replace(diabetic, measurements=clearance(kidneys)), numbers)
    assert finding is not None
    assert [offer.template for offer in finding.offers] == expected
