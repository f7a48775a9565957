"""Problems are told by code and words; only those that are active and true count, and none is passed over."""

from datetime import date
from typing import Any

import pytest

from service.facts import Condition
from service.fhir.conditions import ProblemList, problem_list
from service.fhir.resources import Resource
from service.terminology.recognise import Terminology
from tests.fhir.samples import SNOMED, order

DEPRESSION = {"coding": [{"system": SNOMED, "code": "370143000"}]}
FOUND = {"major-depressive-disorder"}


def condition(**members: Any) -> Resource:
    return {"resourceType": "Condition", "id": "c1", "code": DEPRESSION, **members}


def coded(*codes: str) -> dict[str, Any]:
    return {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": c} for c in codes]
    }


def active(resources: list[Resource], terminology: Terminology) -> set[str]:
    """The sets of the conditions that hold now."""
    return {set_ for found in problem_list(resources, terminology).known if found.active for set_ in found.sets}


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"clinicalStatus": "active"},
        {"clinicalStatus": "relapse"},
        {"clinicalStatus": "recurrence"},
        {"clinicalStatus": coded("active")},
        {"clinicalStatus": coded("recurrence")},
        {"clinicalStatus": coded("relapse", "active"), "verificationStatus": coded("confirmed")},
        {"clinicalStatus": "active", "verificationStatus": "provisional"},
        {"verificationStatus": coded("unconfirmed")},
        {"clinicalStatus": {"text": "ongoing"}},
        {"abatementBoolean": False},
        {"clinicalStatus": coded("unknown")},
        {"clinicalStatus": coded("active"), "abatementDateTime": "2020"},
    ],
)
def test_an_active_condition_counts(status: dict[str, Any], terminology: Terminology) -> None:
    assert active([condition(**status)], terminology) == FOUND


@pytest.mark.parametrize(
    "status",
    [
        {"clinicalStatus": "resolved"},
        {"clinicalStatus": "remission"},
        {"clinicalStatus": "inactive"},
        {"clinicalStatus": coded("resolved")},
        {"clinicalStatus": coded("inactive"), "verificationStatus": coded("confirmed")},
        {"clinicalStatus": "active", "verificationStatus": "refuted"},
        {"clinicalStatus": coded("active"), "verificationStatus": coded("refuted")},
        {"verificationStatus": coded("entered-in-error")},
        {"verificationStatus": "entered-in-error"},
        {"clinicalStatus": {"text": "Resolved"}},
        {"clinicalStatus": "RESOLVED "},
        {"clinicalStatus": [coded("Inactive")]},
        {"clinicalStatus": "active", "verificationStatus": {"text": "Refuted"}},
        {"verificationStatus": coded("Refuted")},
        {"abatementDateTime": "2020"},
        {"abatementAge": {"value": 40, "unit": "a"}},
        {"abatementString": "years ago"},
        {"abatementBoolean": True},
    ],
)
def test_a_condition_that_is_over_or_was_never_there_does_not_count(
    status: dict[str, Any], terminology: Terminology
) -> None:
    assert active([condition(**status)], terminology) == set()


@pytest.mark.parametrize(
    "status", [5, True, [], ["active"], [coded("resolved")] * 2, {"coding": "active"}, {"coding": [5]}]
)
def test_a_status_that_cannot_be_read_leaves_the_condition_standing(status: Any, terminology: Terminology) -> None:
    assert active([condition(clinicalStatus=status)], terminology) == FOUND


@pytest.mark.parametrize(
    ("system", "code"),
    [
        ("http://hl7.org/fhir/sid/icd-10", "F32.2"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "F33.1"),
        ("urn:oid:2.16.840.1.113883.6.90", "F32.A"),
        ("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "F32.1"),
        ("urn:oid:2.16.840.1.113883.6.96", "36923009"),
    ],
)
def test_a_condition_is_recognised_in_every_code_system_and_in_the_place_of_its_concept(
    system: str, code: str, terminology: Terminology
) -> None:
    coding = {"system": system, "code": code}
    for given in ({"coding": [coding]}, {"coding": coding}, [{"coding": [coding]}], coding, {"concept": coding}):
        assert active([condition(code=given)], terminology) == FOUND, given


@pytest.mark.parametrize(
    "other",
    [
        condition(code={"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "Z00.0"}]}),
        condition(code={"text": "Asthma bronchiale"}),
        condition(code=None),
        condition(code="370143000"),
        condition(code=[DEPRESSION] * 2),
        {"resourceType": "Condition"},
        order(code=DEPRESSION),
    ],
)
def test_what_is_no_coded_condition_of_the_guidance_is_passed_over(other: Resource, terminology: Terminology) -> None:
    assert problem_list([other], terminology).known == ()


def test_one_active_entry_is_enough_among_resolved_ones(terminology: Terminology) -> None:
    listed = [condition(clinicalStatus="resolved"), condition(), condition(verificationStatus="refuted")]
    assert active(listed, terminology) == FOUND
    assert active([], terminology) == set()


def only(terminology: Terminology, **members: Any) -> Condition:
    (found,) = problem_list([condition(**members)], terminology).known
    return found


@pytest.mark.parametrize(
    ("code", "label"),
    [
        ({**DEPRESSION, "text": "Depression since 2019"}, "Depression since 2019"),
        ({"coding": [{**DEPRESSION["coding"][0], "display": "Major depression"}]}, "Major depression"),
        (DEPRESSION, "code 370143000"),
    ],
)
def test_a_condition_is_named_as_the_record_names_it(code: Any, label: str, terminology: Terminology) -> None:
    assert only(terminology, code=code).label == label


@pytest.mark.parametrize("ended", [{"abatementDateTime": "2020-01-01"}, {"abatementPeriod": {"end": "2020"}}])
def test_an_end_makes_a_condition_past_unless_its_status_says_otherwise(
    ended: dict[str, Any], terminology: Terminology
) -> None:
    assert not only(terminology, **ended).active
    assert only(terminology, **ended, clinicalStatus="recurrence").active


@pytest.mark.parametrize(
    ("dates", "earliest", "recorded_only"),
    [
        ({"onsetDateTime": "2026-10-01", "recordedDate": "2026-11-01"}, date(2026, 10, 1), False),
        ({"onsetPeriod": {"start": "2026-10"}}, date(2026, 10, 1), False),
        ({"recordedDate": "2026-11-01"}, date(2026, 11, 1), True),
        ({"assertedDate": "2026-11-01"}, date(2026, 11, 1), True),
        ({"dateRecorded": "2026-11-01"}, date(2026, 11, 1), True),
        ({"onsetDateTime": "long ago"}, None, False),
        ({}, None, False),
    ],
)
def test_when_a_condition_began_is_told_apart_from_when_it_was_recorded(
    dates: dict[str, Any], earliest: date | None, recorded_only: bool, terminology: Terminology
) -> None:
    found = only(terminology, **dates)
    assert ((found.onset.earliest if found.onset else None), found.recorded_only) == (earliest, recorded_only)


def in_words(words: str, terminology: Terminology) -> ProblemList:
    return problem_list([condition(code={"text": words})], terminology)


def test_a_problem_that_cannot_be_read_is_kept_in_the_words_of_the_record(terminology: Terminology) -> None:
    own = {"coding": [{"system": "https://ehr.example.org/problems", "code": "4711"}]}
    listed = [
        condition(code={"text": "Kryptogene Sache"}),
        condition(code=own),
        condition(code=None),
        condition(code={"text": "hypertension"}),
        condition(code={"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "J45.9"}]}),
        condition(code={"text": "another riddle"}, verificationStatus="refuted"),
    ]
    found = problem_list(listed, terminology)
    assert found.unread == ("Kryptogene Sache", "code 4711", "a problem without code or words")
    assert (found.known, found.total) == ((), 5)


@pytest.mark.parametrize("coding", ["display", "text"])
def test_a_code_of_the_ehrs_own_list_is_read_by_its_words(coding: str, terminology: Terminology) -> None:
    own: dict[str, Any] = {"system": "https://ehr.example.org/problems", "code": "4711"}
    code: dict[str, Any] = {"coding": [own | ({"display": "Long QT syndrome"} if coding == "display" else {})]}
    if coding == "text":
        code["text"] = "Long QT syndrome"
    assert active([condition(code=code)], terminology) == {"long-qt"}


def test_the_code_of_a_classification_decides_and_one_of_snomed_ct_leaves_room_for_its_words(
    terminology: Terminology,
) -> None:
    words = {"text": "Long QT syndrome type 2"}
    coded_otherwise = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "J45"}], **words}
    below = {"coding": [{"system": SNOMED, "code": "20852007"}], **words}
    assert active([condition(code=coded_otherwise)], terminology) == set()
    assert active([condition(code=below)], terminology) == {"long-qt"}


@pytest.mark.parametrize("extension", ["valueCoding", "valueCode"])
@pytest.mark.parametrize(("certainty", "stands"), [("G", "active"), ("V", "suspected"), ("Z", "past"), ("A", "absent")])
def test_the_german_certainty_of_a_diagnosis_is_heard(
    certainty: str, stands: str, extension: str, terminology: Terminology
) -> None:
    address = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"
    value = {"code": certainty} if extension == "valueCoding" else certainty
    coding = {"system": "http://fhir.de/CodeSystem/bfarm/icd-10-gm", "code": "I48.0", "display": "Vorhofflimmern"}
    code = {"coding": [coding | {"extension": [{"url": address, extension: value}]}]}
    found = problem_list([condition(code=code)], terminology)
    assert [c.active for c in found.known] == {"active": [True], "past": [False]}.get(stands, [])
    assert found.suspected == (("Vorhofflimmern",) if stands == "suspected" else ())
    assert found.unread == ()


def test_what_is_only_suspected_in_words_is_not_counted_and_kept_to_be_told(terminology: Terminology) -> None:
    found = in_words("V. a. Long-QT-Syndrom", terminology)
    assert (found.known, found.suspected, found.unread) == ((), ("V. a. Long-QT-Syndrom",), ())


def test_what_words_call_past_is_known_and_over(terminology: Terminology) -> None:
    (found,) = in_words("Z. n. Herzinfarkt", terminology).known
    assert found.sets == {"recent-myocardial-infarction"}
    assert not found.active
