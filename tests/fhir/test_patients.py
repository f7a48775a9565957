"""The patient's age and death are read, and a reference names another patient only when it surely does (X8, X9)."""

from copy import deepcopy
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.chart import Age
from service.chart import Patient as ChartPatient
from service.fhir.patients import OLDEST, patient, same_patient
from tests.fhir.samples import TODAY


def read(**members: Any) -> ChartPatient:
    found = patient({"resourceType": "Patient", "id": "1", **members}, TODAY)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("birth", "age"),
    [
        ("1961-11-23", Age(65, 65)),
        ("1961-11-24", Age(64, 64)),
        ("1961", Age(64, 65)),
        ("1961-11", Age(64, 65)),
        ("2026-11-23", Age(0, 0)),
    ],
)
def test_the_age_is_read_from_a_full_or_a_partial_birth_date(birth: str, age: Age) -> None:
    assert read(birthDate=birth).age(TODAY) == age


@pytest.mark.parametrize(
    "birth",
    ["", "x", "23.11.1961", "1961-13", "1961-02-30", "61", "1961-11-23T10:00:00Z", 1961, 19611123, True, ["1961"], {}],
)
def test_a_birth_date_that_is_none_leaves_the_age_unknown(birth: Any) -> None:
    assert read(birthDate=birth).age(TODAY) is None


@pytest.mark.parametrize("birth", ["2026-11-24", "2027", "1895-12-31", "1895", "0001-01-01"])
def test_an_implausible_birth_date_leaves_the_age_unknown(birth: str) -> None:
    assert read(birthDate=birth).age(TODAY) is None


def test_the_oldest_and_the_youngest_plausible_birth_years_are_believed() -> None:
    assert read(birthDate=str(TODAY.year - OLDEST)).birth is not None
    newborn = read(birthDate=str(TODAY.year)).age(TODAY)
    assert newborn is not None
    assert newborn.at_most == 0


@pytest.mark.parametrize(
    "members",
    [
        {"deceasedBoolean": True},
        {"deceasedBoolean": "true"},
        {"deceasedDateTime": "2026-01-01"},
        {"deceasedDateTime": "2026"},
        {"deceasedDateTime": "some day"},
        {"deceasedDateTime": 5},
        {"deceasedBoolean": True, "deceasedDateTime": "2026-01-01"},
        {"deceasedBoolean": False, "deceasedDateTime": "2026-01-01"},
        {"deceasedBoolean": True, "birthDate": "x"},
    ],
)
def test_a_death_however_it_is_recorded_is_a_death(members: dict[str, Any]) -> None:
    assert read(**members).deceased


@pytest.mark.parametrize(
    "members",
    [{}, {"deceasedBoolean": False}, {"deceasedBoolean": "false"}, {"deceasedBoolean": None, "deceasedDateTime": None}],
)
def test_a_patient_who_is_not_recorded_as_dead_lives(members: dict[str, Any]) -> None:
    assert not read(birthDate="1961", **members).deceased


def test_other_invalid_elements_do_not_keep_the_patient_from_being_read() -> None:
    odd = {"id": 5, "name": "Nobody", "gender": ["x"], "contact": 7, "extension": [{}], "birthDate": "1961-11-23"}
    assert read(**odd).age(TODAY) == Age(65, 65)


def test_a_patient_nested_beyond_reason_cannot_be_read() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert patient({"resourceType": "Patient", "birthDate": deep}, TODAY) is None


def test_reading_leaves_the_clients_patient_as_it_was() -> None:
    sent = {"resourceType": "Patient", "birthDate": "x", "deceasedDateTime": "x", "name": [{"family": "Sand"}]}
    before = deepcopy(sent)
    patient(sent, TODAY)
    assert sent == before


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/1",
        "Patient/1/",
        "Patient/1/_history/3",
        "https://fhir.example.org/r4/Patient/1",
        "https://fhir.example.org/r4/Patient/1/_history/3",
        "1",
        "",
        "#patient",
        "urn:uuid:6f1a2a6e-0000-4000-8000-000000000001",
        "urn:oid:1.2.3",
        "Group/7",
    ],
)
def test_a_reference_that_may_mean_the_patient_is_the_patients(reference: str) -> None:
    assert same_patient(reference, "1")


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/2",
        "Patient/11",
        "Patient/2/_history/1",
        "https://fhir.example.org/r4/Patient/2",
        "https://fhir.example.org/r4/Patient/2/_history/1",
        "2",
    ],
)
def test_a_reference_to_somebody_else_is_not_the_patients(reference: str) -> None:
    assert not same_patient(reference, "1")


@given(
    birth=st.one_of(st.text(max_size=12), st.integers(), st.booleans(), st.lists(st.text())),
    deceased=st.one_of(st.text(max_size=5), st.integers(), st.none(), st.lists(st.integers())),
)
def test_no_birth_or_death_date_ever_raises_or_makes_somebody_impossibly_old(birth: Any, deceased: Any) -> None:
    found = read(birthDate=birth, deceasedDateTime=deceased)
    assert found.deceased is (deceased is not None)
    age = found.age(date(2026, 11, 23))
    assert age is None or age.at_most <= OLDEST + 1
