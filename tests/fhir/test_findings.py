"""Findings among the observations that name a problem are told; numbers, denials and what is of others are not."""

from typing import Any

from service.fhir.concepts import Room
from service.fhir.findings import findings
from service.fhir.resources import Resource
from service.terminology.recognise import Terminology
from tests.fhir.samples import SNOMED

LOINC = "http://loinc.org"
NAMED: tuple[dict[str, Any], ...] = (
    {"code": {"text": "EKG-Befund"}, "valueCodeableConcept": {"text": "kompletter Linksschenkelblock"}},
    {"code": {"coding": [{"system": LOINC, "code": "18844-1"}]}, "valueString": "Atrial fibrillation"},
    {
        "code": {"coding": [{"system": LOINC, "code": "8884-9"}]},
        "valueCodeableConcept": {"coding": [{"system": SNOMED, "code": "49436004"}]},
    },
    {"code": {"text": "Long QT"}, "valueBoolean": True},
    {"code": {"text": "Suizidalität"}, "valueString": "ja"},
    {
        "code": {"text": "Myasthenia gravis"},
        "valueCodeableConcept": {"coding": [{"system": SNOMED, "code": "52101004"}]},
    },
    {"code": {"coding": [{"system": SNOMED, "code": "9651007"}]}},
    {"code": {"text": "EKG"}, "component": [{"code": {"text": "Rhythmus"}, "valueString": "Vorhofflimmern"}]},
    {"code": {"text": "EKG"}, "valueString": "Sinusrhythmus, " * 200 + "AV-Block II"},
)
SILENT: tuple[dict[str, Any], ...] = (
    {"code": {"text": "Long QT"}, "valueBoolean": False},
    {"code": {"text": "Epilepsie"}, "valueString": "nein"},
    {"code": {"text": "Epilepsy"}, "valueCodeableConcept": {"coding": [{"system": SNOMED, "code": "2667000"}]}},
    {"code": {"text": "Epilepsie"}, "valueString": "unbekannt"},
    {"code": {"text": "EKG"}, "valueString": "kein Vorhofflimmern"},
    {"code": {"text": "Family history"}, "valueString": "epilepsy"},
    {"code": {"text": "Depression scale"}, "valueInteger": 4},
    {"code": {"text": "NIH stroke scale"}, "valueQuantity": {"value": 4}},
    {"code": {"text": "Depression screening"}, "valueString": "done"},
    {"code": {"text": "Stroke"}, "component": [{"code": {"text": "Arm"}, "valueInteger": 1}]},
    {"code": {"text": "Long QT"}, "valueBoolean": True, "status": "entered-in-error"},
    {"code": {"text": "Long QT"}, "dataAbsentReason": {"text": "unknown"}},
)


def found(
    observation: dict[str, Any], terminology: Terminology, known: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    resource: Resource = {"resourceType": "Observation", "id": "o1", "status": "final", **observation}
    return findings([resource], terminology, Room(), known)


def test_a_finding_as_an_answer_or_as_an_affirmed_question_is_told(terminology: Terminology) -> None:
    for observation in NAMED:
        assert len(found(observation, terminology)) == 1, observation


def test_what_is_denied_measured_not_known_or_of_somebody_else_is_no_finding(terminology: Terminology) -> None:
    for observation in SILENT:
        assert found(observation, terminology) == (), observation


def test_a_finding_that_the_problem_list_holds_is_not_told_again(terminology: Terminology) -> None:
    assert found(NAMED[3], terminology, frozenset({"long-qt"})) == ()


def test_what_there_is_no_room_for_is_told(terminology: Terminology) -> None:
    resource: Resource = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "valueString": "y" * 9,
    }
    assert findings([resource], terminology, Room(5), frozenset()) == ("x: yyyyyyyyy",)
