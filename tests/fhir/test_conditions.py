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


def test_a_code_of_no_set_does_not_silence_the_words_beside_it(terminology: Terminology) -> None:
    icd, german = "http://hl7.org/fhir/sid/icd-10", "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
    for system, code, words, set_ in (
        (icd, "J45", "Long QT syndrome type 2", "long-qt"),
        (german, "R94.3", "QTc-Verlängerung", "long-qt"),
        (german, "R69", "Angina pectoris", "ischaemic-heart-disease"),
        (german, "U99.0", "VHF", "atrial-fibrillation"),
        (german, "G70.9", "Myasthenie", "myasthenia-gravis"),
        (german, "I11.9", "Hypertensive Herzkrankheit, Z. n. Schlaganfall; Epilepsie", "epilepsy"),
        ("http://www.orpha.net", "768", "Familial long QT syndrome", "long-qt"),
        (SNOMED, "20852007", "Long QT syndrome type 2", "long-qt"),
    ):
        coding = {"system": system, "code": code}
        for written in ({"coding": [coding], "text": words}, {"coding": [coding | {"display": words}]}):
            assert set_ in active([condition(code=written)], terminology), (code, words)
    without = {"coding": [{"system": german, "code": "I11.9", "display": "Hypertensive heart (congestive) failure"}]}
    assert "heart-failure" in active([condition(code=without)], terminology)
    without["coding"][0]["display"] = "Hypertensive heart disease without (congestive) heart failure"
    assert active([condition(code=without)], terminology) == set()


def test_words_that_contradict_a_known_code_are_named_and_others_count_beside_it(terminology: Terminology) -> None:
    def of(code: str, words: str) -> ProblemList:
        coding = {"system": "http://hl7.org/fhir/sid/icd-10", "code": code}
        return problem_list([condition(code={"coding": [coding], "text": words})], terminology)

    both = of("I25.1", "KHK, Vorhofflimmern")
    assert {"ischaemic-heart-disease", "atrial-fibrillation"} <= both.known[0].sets
    assert not both.unread
    other = of("G40.9", "Vorhofflimmern")
    assert other.known[0].sets == {"epilepsy"}
    assert other.unread == ("Vorhofflimmern",)
    for words in ("Kein Vorhofflimmern", "VHF ausgeschlossen"):
        assert (of("I48.9", words).known, of("I48.9", words).unread) == ((), (words,))
    assert (of("I48.9", "V. a. VHF").known, of("I48.9", "V. a. VHF").suspected) == ((), ("V. a. VHF",))
    assert not of("G63.2", "Polyneuropathie").unread


def test_a_sign_that_counts_only_beside_a_disease_is_named_without_it(terminology: Terminology) -> None:
    signs = ("hepatic encephalopathy", "Aszites", "encéphalopathie hépatique")
    for words in signs:
        assert in_words(words, terminology).unread == (words,)
        beside = [condition(code={"text": words}), condition(code={"text": "Leberzirrhose"})]
        assert problem_list(beside, terminology).unread == ()


def test_a_code_of_snomed_ct_that_no_set_holds_is_named_where_no_words_say_what_it_is(terminology: Terminology) -> None:
    code = {"coding": [{"system": SNOMED, "code": "282825002"}]}
    assert problem_list([condition(code=code)], terminology).unread == ("code 282825002",)
    for words in ({"text": "Antenatal care"}, {"coding": [{**code["coding"][0], "display": "Antenatal care"}]}):
        assert problem_list([condition(code={**code, **words})], terminology).unread == ()


def test_a_code_of_self_harm_is_known(terminology: Terminology) -> None:
    for system, code in (("icd-10", "X61"), ("icd-10", "X84.9!"), ("icd-10-cm", "T43.012A"), ("icd-10-cm", "Z91.51")):
        coding = {"system": f"http://hl7.org/fhir/sid/{system}", "code": code}
        assert active([condition(code={"coding": [coding]})], terminology) >= {"suicidal-ideation"}, code


def test_what_is_provisional_or_one_of_several_diagnoses_is_suspected(terminology: Terminology) -> None:
    for status in ("provisional", coded("provisional"), coded("differential"), {"text": "Verdacht"}):
        found = problem_list([condition(verificationStatus=status)], terminology)
        assert (found.known, len(found.suspected)) == ((), 1), status


def test_a_status_in_words_is_heard(terminology: Terminology) -> None:
    for words in ("ausgeschlossen", "refuted", "nicht bestätigt", "exclu", "исключено"):
        found = problem_list([condition(verificationStatus={"text": words})], terminology)
        assert (found.known, found.unread, found.total) == ((), (), 0), words
    for words in ("abgeschlossen", "inaktiv", "resolved", "nieaktywny"):
        assert active([condition(clinicalStatus={"text": words})], terminology) == set(), words
    assert active([condition(verificationStatus={"text": "gesichert"})], terminology) == FOUND


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
