"""The patient's age and death are read, and a reference names another patient only when it surely does (X8, X9)."""

from copy import deepcopy
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.facts import Age
from service.facts import Patient as ChartPatient
from service.fhir.as_r4 import subject_references
from service.fhir.patients import OLDEST, about_patient, patient, patient_id, same_patient
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
        (" 1961-11-23 ", Age(65, 65)),
        ("1961-11-23T00:00:00Z", Age(65, 65)),
        ("1961-11-23T00:00:00.000+02:00", Age(65, 65)),
        ("1961-11-23 00:00:00", Age(65, 65)),
        ("1961-11-23T22:00:00Z", Age(64, 65)),
        ("1961-11-22T22:00:00Z", Age(65, 65)),
        ("1961-06-01T10:30:00+01:00", Age(65, 65)),
        ("19611123", Age(65, 65)),
        (19611123, Age(65, 65)),
        ("1961/11/23", Age(65, 65)),
        ("1961-1-2", Age(65, 65)),
        ("23.11.1961", Age(65, 65)),
        ("1.2.1961", Age(65, 65)),
        (1961, Age(64, 65)),
    ],
)
def test_the_age_is_read_from_a_full_or_a_partial_birth_date(birth: str, age: Age) -> None:
    assert read(birthDate=birth).age(TODAY) == age


@pytest.mark.parametrize(
    "birth",
    [
        *("", "x", "23/11/1961", "11/23/1961", "Nov 1961", "1961-13", "1961-02-30", "61", "196111", "1961-11-23T"),
        *("2.1961", "31.2.1961", True, ["1961", "1962"], {}, 5),
    ],
)
def test_a_birth_date_that_is_none_leaves_the_age_unknown_and_is_said_to_be_there(birth: Any) -> None:
    found = read(birthDate=birth)
    assert (found.age(TODAY), found.birth_stated) == (None, True)
    assert not read().birth_stated


@pytest.mark.parametrize("birth", ["2026-11-24", "2027", "1895-12-31", "1895", "0001-01-01"])
def test_an_implausible_birth_date_leaves_the_age_unknown(birth: str) -> None:
    found = read(birthDate=birth)
    assert (found.age(TODAY), found.birth_stated) == (None, True)


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


@pytest.mark.parametrize(
    "given",
    [
        *("1", "Patient/1", "Patient/1/", "Patient/1/_history/2", "https://ehr.example.org/fhir/Patient/1", " 1 "),
        *("https://ehr.example.org/fhir/Patient/1/_history/2", "urn:uuid:1", "fhir/Patient/1"),
    ],
)
def test_an_id_of_a_patient_is_read_in_each_form_that_names_one(given: str) -> None:
    assert patient_id(given) == "1"


@pytest.mark.parametrize(
    "given",
    [
        *("", " ", "/", "Patient/", "Practitioner/1", "https://ehr.example.org/fhir/Person/1", "Patient?identifier=1"),
        *("Patient/1?_format=json", "a b", "Patient/1#x", "sys|1", "_history/2"),
    ],
)
def test_what_is_no_id_of_a_patient_is_none(given: str) -> None:
    assert patient_id(given) is None


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
        "#patient",
        "urn:uuid:6f1a2a6e-0000-4000-8000-000000000001",
        "urn:oid:1.2.3",
        "Person/7",
    ],
)
def test_a_reference_that_may_mean_the_patient_is_the_patients(reference: str) -> None:
    assert same_patient([reference], "1")


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/2",
        "Patient/11",
        "Patient/2/_history/1",
        "https://fhir.example.org/r4/Patient/2",
        "https://fhir.example.org/r4/Patient/2/_history/1",
        "2",
        "patient/2",
        "Group/1",
        "Device/1",
        "https://fhir.example.org/r4/RelatedPerson/1",
    ],
)
def test_a_reference_to_somebody_else_is_not_the_patients(reference: str) -> None:
    assert not same_patient([reference], "1")


def test_an_observation_with_another_focus_is_not_about_the_patient() -> None:
    for focus, about in (
        ([], True),
        ([{"reference": "Patient/1"}], True),
        ({"reference": "Condition/5"}, True),
        ([{"reference": "RelatedPerson/fetus"}], False),
        ([{"reference": "Patient/2"}], False),
        ([{"reference": "Device/pump"}], True),
        ([{"reference": "https://ehr.example.org/r4/Group/7"}], False),
        ([{"display": "fetus"}], False),
    ):
        assert about_patient({"resourceType": "Observation", "focus": focus}, "1") is about, focus


@given(
    birth=st.one_of(st.text(max_size=12), st.integers(), st.booleans(), st.lists(st.text())),
    deceased=st.one_of(st.text(max_size=5), st.integers(), st.none(), st.lists(st.integers())),
)
def test_no_birth_or_death_date_ever_raises_or_makes_somebody_impossibly_old(birth: Any, deceased: Any) -> None:
    found = read(birthDate=birth, deceasedDateTime=deceased)
    assert found.deceased is (deceased is not None)
    age = found.age(date(2026, 11, 23))
    assert age is None or age.at_most <= OLDEST + 1


def test_the_patient_of_a_resource_is_told_from_any_shape_of_its_subject() -> None:
    own, other = {"reference": "Patient/1"}, {"reference": "Patient/2"}
    others: list[Any] = [
        other,
        [other],
        [[other]],
        [own, other],
        "Patient/2",
        {"reference": ["Patient/1", "Patient/2"]},
    ]
    owns: list[Any] = [own, [[own]], "Patient/1", {"display": "Somebody"}, 1]
    for subject in others:
        assert not same_patient(subject_references({"resourceType": "Condition", "subject": subject}), "1"), subject
    for subject in owns:
        assert same_patient(subject_references({"resourceType": "Condition", "subject": subject}), "1"), subject
