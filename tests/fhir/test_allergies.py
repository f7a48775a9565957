"""An allergy counts when it is to a drug that the terminology knows and the record does not take it back (R29)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fhir.allergies import allergies, intolerances
from service.fhir.resources import Resource
from service.terminology.recognise import Terminology
from tests.fhir.hostile import junk
from tests.fhir.samples import AMITRIPTYLINE, SNOMED, TOLPERISONE, order


def allergy(**members: Any) -> Resource:
    return {"resourceType": "AllergyIntolerance", "code": TOLPERISONE, **members}


def coded(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": code}]}


@pytest.mark.parametrize(
    ("substance", "drugs"),
    [
        ({}, {"tolperisone"}),
        ({"code": {"text": "Lidocaine"}}, {"lidocaine"}),
        ({"code": {"coding": [{"display": "Lidocaine"}]}}, {"lidocaine"}),
        ({"code": {"coding": [{"display": "No known allergy to lidocaine"}]}}, set()),
        ({"code": {"coding": [{"system": SNOMED, "code": "293829000"}]}}, {"amitriptyline"}),
        ({"code": None, "substance": AMITRIPTYLINE}, {"amitriptyline"}),
        ({"code": None, "reaction": [{"substance": TOLPERISONE}]}, {"tolperisone"}),
        ({"reaction": {"substance": AMITRIPTYLINE}}, {"amitriptyline", "tolperisone"}),
        ({"code": {"text": "Peanut"}}, set()),
        ({"code": None}, set()),
    ],
    ids=[
        "code",
        "words",
        "name without a code",
        "such a name that denies",
        "allergy code",
        "DSTU2",
        "reaction",
        "reaction as well",
        "no drug",
        "nothing",
    ],
)
def test_the_substance_is_found_wherever_its_version_puts_it(
    substance: dict[str, Any], drugs: set[str], terminology: Terminology
) -> None:
    assert allergies([allergy(**substance)], terminology) == drugs


@pytest.mark.parametrize(
    "status",
    [
        {"clinicalStatus": coded("active"), "verificationStatus": coded("confirmed")},
        {"clinicalStatus": "active", "verificationStatus": "unconfirmed"},
        {"status": "confirmed"},
        {"clinicalStatus": {"text": "resolved, perhaps"}},
    ],
    ids=str,
)
def test_an_allergy_counts_until_the_record_takes_it_back(status: dict[str, Any], terminology: Terminology) -> None:
    assert allergies([allergy(**status)], terminology) == {"tolperisone"}


@pytest.mark.parametrize(
    "status",
    [
        {"clinicalStatus": coded("resolved")},
        {"clinicalStatus": coded("inactive"), "verificationStatus": coded("confirmed")},
        {"clinicalStatus": coded("active"), "verificationStatus": coded("refuted")},
        {"verificationStatus": "entered-in-error"},
        {"status": "resolved"},
        {"status": "entered-in-error"},
    ],
    ids=str,
)
def test_a_refuted_or_resolved_allergy_is_none(status: dict[str, Any], terminology: Terminology) -> None:
    assert allergies([allergy(**status)], terminology) == set()
    assert allergies([allergy(**status), allergy()], terminology) == {"tolperisone"}


def test_an_order_is_no_allergy(terminology: Terminology) -> None:
    assert allergies([order(code=TOLPERISONE)], terminology) == set()


@given(member=st.sampled_from(["clinicalStatus", "verificationStatus", "status", "reaction", "substance"]), value=junk)
def test_any_json_in_place_of_any_member_raises_nothing(terminology: Terminology, member: str, value: Any) -> None:
    assert allergies([allergy(**{member: value})], terminology) <= {"tolperisone"}


@pytest.mark.parametrize(
    "code",
    [
        {"text": "No known allergy to tolperisone"},
        {"text": "Not allergic to tolperisone"},
        {"coding": [{"system": SNOMED, "code": "716186003", "display": "No known allergy"}], "text": "tolperisone"},
        {"coding": [{"system": SNOMED, "code": "716186003"}], "text": "Tolerates tolperisone"},
    ],
)
def test_words_that_there_is_no_allergy_name_none(code: dict[str, Any], terminology: Terminology) -> None:
    assert allergies([allergy(code=code)], terminology) == frozenset()


@pytest.mark.parametrize(
    "code",
    [
        {"text": "Tolperisone: not tolerated"},
        {"text": "Tolperisone, rash without anaphylaxis"},
        {"text": "Tolperisone (no anaphylaxis)"},
        {**TOLPERISONE, "text": "No known allergy"},
    ],
)
def test_other_negations_and_codes_keep_the_allergy(code: dict[str, Any], terminology: Terminology) -> None:
    assert allergies([allergy(code=code)], terminology) == {"tolperisone"}


@pytest.mark.parametrize(
    ("kinds", "mere"),
    [
        (["intolerance"], {"tolperisone"}),
        ([coded("intolerance")], {"tolperisone"}),
        (["allergy"], set()),
        ([None], set()),
        (["intolerance", "allergy"], set()),
        (["intolerance", None], set()),
        ([{"coding": []}], set()),
        ([["intolerance"]], set()),
    ],
    ids=["code", "concept of R5", "allergy", "no type", "also an allergy", "also without type", "empty", "junk"],
)
def test_an_intolerance_is_one_only_when_every_record_says_so(
    kinds: list[Any], mere: set[str], terminology: Terminology
) -> None:
    assert intolerances([allergy(type=kind) for kind in kinds], terminology) == mere
