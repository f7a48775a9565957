"""The body weight is the patient's latest valid one in kilograms, if it is recent enough to dose by (Q6)."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.facts import body_weight
from service.fhir.observations import observed
from service.fhir.resources import Resource
from service.terminology.recognise import Terminology
from tests.fhir.hostile import junk
from tests.fhir.samples import TODAY, order

MOST_DAYS = 90
LOINC = "http://loinc.org"
WEIGHT = {"coding": [{"system": LOINC, "code": "29463-7"}]}


def kilograms(value: Any, **members: Any) -> dict[str, Any]:
    return {"value": value, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg", **members}


def observation(**changes: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": WEIGHT,
        "effectiveDateTime": "2026-11-20",
        "valueQuantity": kilograms(70),
        **changes,
    }


def read(terminology: Terminology, *resources: Resource) -> Fraction | None:
    return body_weight(observed(resources, terminology).measurements, TODAY, MOST_DAYS)


def test_the_latest_weight_of_several_is_taken_wherever_it_stands(terminology: Terminology) -> None:
    older = observation(effectiveDateTime="2026-10-01", valueQuantity=kilograms(80))
    for listed in ((older, observation()), (observation(), older)):
        assert read(terminology, *listed) == Fraction(70)


@pytest.mark.parametrize(
    ("measured", "recent"),
    [
        ("2026-11-23", True),
        ("2026-11-23T08:00:00+01:00", True),
        ("2026-08-25", True),
        ("2026-08-24", False),
        ("2026-11-24", False),
        ("2026-11", True),
        ("2026-08", False),
        ("2026", False),
        ("Invalid date", False),
    ],
)
def test_a_weight_counts_for_ninety_days_and_not_before_it_was_measured(
    measured: str, recent: bool, terminology: Terminology
) -> None:
    assert (read(terminology, observation(effectiveDateTime=measured)) is not None) is recent


def test_the_end_of_a_period_is_when_it_was_measured(terminology: Terminology) -> None:
    period = {"effectiveDateTime": None, "effectivePeriod": {"start": "2026-01-01", "end": "2026-11-01"}}
    started = {**period, "effectivePeriod": {"start": "2026-11-02"}}
    days = [m.taken for m in observed([observation(**period), observation(**started)], terminology).measurements]
    assert days == [date(2026, 11, 1), date(2026, 11, 2)]


@pytest.mark.parametrize("status", ["final", "amended", "corrected"])
def test_a_valid_observation_counts(status: str, terminology: Terminology) -> None:
    assert read(terminology, observation(status=status)) is not None


@pytest.mark.parametrize("status", ["preliminary", "registered", "cancelled", "entered-in-error", "unknown", None, 5])
def test_an_observation_that_is_not_or_no_longer_valid_does_not_count(status: Any, terminology: Terminology) -> None:
    assert read(terminology, observation(status=status)) is None


@pytest.mark.parametrize(
    ("quantity", "weight"),
    [
        ({"value": 70, "code": "kg"}, Fraction(70)),
        ({"value": 70, "unit": "kg"}, Fraction(70)),
        ({"value": Decimal("70.50"), "code": "kg"}, Fraction(141, 2)),
        ({"value": 70000, "code": "g"}, Fraction(70)),
        ({"value": 100, "code": "[lb_av]"}, Fraction("45.359237")),
    ],
)
def test_a_weight_is_exact_in_kilograms_whatever_its_unit(
    quantity: dict[str, Any], weight: Fraction, terminology: Terminology
) -> None:
    assert read(terminology, observation(valueQuantity=quantity)) == weight


@pytest.mark.parametrize(
    "quantity",
    [
        None,
        {},
        {"value": 70},
        {"value": 70, "unit": "stone"},
        kilograms(0),
        kilograms(-70),
        kilograms("seventy"),
        kilograms(Decimal("1e400000")),
        kilograms(70, comparator="<"),
        {"code": "kg"},
    ],
)
def test_what_is_no_certain_weight_is_none(quantity: Any, terminology: Terminology) -> None:
    assert read(terminology, observation(valueQuantity=quantity)) is None


@pytest.mark.parametrize(
    "other",
    [
        observation(code={"coding": [{"system": LOINC, "code": "8480-6"}]}),
        observation(code=None),
        observation(code="29463-7"),
        {"resourceType": "Observation"},
        {**order(), "code": WEIGHT},
    ],
)
def test_what_is_no_coded_body_weight_is_passed_over(other: Resource, terminology: Terminology) -> None:
    assert read(terminology, other) is None
    assert read(terminology, other, observation()) == Fraction(70)


@given(member=st.sampled_from(["status", "code", "effectiveDateTime", "effectivePeriod", "valueQuantity"]), value=junk)
def test_any_json_in_place_of_any_member_is_read_or_passed_over(
    terminology: Terminology, member: str, value: Any
) -> None:
    found = read(terminology, observation(**{member: value}))
    assert found is None or found > 0


EGFR = {"code": {"coding": [{"system": LOINC, "code": "98979-8"}]}}


@pytest.mark.parametrize(
    ("unit", "shown"),
    [("mL/min/{1.73_m2}", "mL/min/1.73 m²"), ("ml/min/1.73m²", "mL/min/1.73 m²"), ("mL/min", "mL/min")],
)
def test_an_egfr_keeps_the_unit_it_was_reported_in(terminology: Terminology, unit: str, shown: str) -> None:
    resource = observation(**EGFR, valueQuantity={"value": 48, "unit": unit, "code": unit})
    (found,) = observed([resource], terminology).measurements
    assert (found.value, found.unit, found.shown_unit) == (Fraction(48), "mL/min", shown)


@pytest.mark.parametrize(("given_value", "answer"), [(True, "yes"), (False, "no")])
def test_a_boolean_answer_is_one_in_words(terminology: Terminology, given_value: bool, answer: str) -> None:
    resource = observation(code={"coding": [{"system": LOINC, "code": "82810-3"}]}, valueBoolean=given_value)
    del resource["valueQuantity"]
    (found,) = observed([resource], terminology).measurements
    assert (found.kind, found.answer) == ("pregnancy-status", answer)


def test_a_day_that_stands_for_not_known_is_no_day_of_a_measurement(terminology: Terminology) -> None:
    assert observed([observation(effectiveDateTime="0001-01-01")], terminology).measurements == ()
