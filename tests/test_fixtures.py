"""The fixtures are answered as recorded, every card's examples hold, and the resources are valid FHIR."""

import json
from typing import Any

from fhir.resources.R4B.medication import Medication
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.patient import Patient
from pydantic import BaseModel

from service.cli.answers import InProcess, difference, find, read
from service.cli.check import example_faults
from service.engine.library import Library
from tests.conftest import FIXTURES, TODAY

REQUESTS = sorted(find([FIXTURES / "requests"]))
MODELS: dict[str, type[BaseModel]] = {
    "Patient": Patient,
    "MedicationRequest": MedicationRequest,
    "Medication": Medication,
}


def test_every_fixture_is_answered_as_recorded(library: Library) -> None:
    here = InProcess(library)
    for path in REQUESTS:
        request = read(path)
        assert request.expected is not None, "record it: tolami replay --update --today 2026-11-23"
        assert difference(request, here.answer(request, TODAY)) == [], path.stem


def test_every_card_fires_and_is_silent_where_its_examples_say(library: Library) -> None:
    assert list(example_faults(library, REQUESTS, whole=True)) == []


def test_every_card_that_a_rule_raises_has_examples(library: Library) -> None:
    without = {card.id for card in library.cards.values() if not card.examples}
    assert without == {"rule-failed", "service-failed"}, "only faults of the service cannot be shown by a fixture"


def test_there_is_a_request_for_every_hook() -> None:
    hooks = {json.loads(path.read_text())["hook"] for path in REQUESTS}
    assert hooks == {"medication-prescribe", "order-select", "order-sign", "medication-refill", "patient-view"}


def test_single_resources_are_valid_fhir() -> None:
    for path in FIXTURES.glob("[mp]*/*.json"):
        resource: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        MODELS[resource["resourceType"]].model_validate(resource)


def test_the_patients_of_the_requests_are_the_ones_of_the_patients_folder() -> None:
    known = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FIXTURES.glob("patients/*.json")}
    for path in REQUESTS:
        patient = json.loads(path.read_text(encoding="utf-8")).get("prefetch", {}).get("patient")
        assert patient is None or patient == known[patient["id"]], path.name
