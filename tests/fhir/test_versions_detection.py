"""The FHIR version of a resource is told from members that only one version has, and is not guessed from others."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fhir.resources import Resource
from service.fhir.versions import own_version, version_of
from tests.fhir.hostile import junk
from tests.fhir.samples import AMITRIPTYLINE, TABLET, order, statement, without
from tests.fhir.translated import VERSIONS, resource_in

CONDITION = {
    "resourceType": "Condition",
    "id": "c",
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "verificationStatus": {"coding": [{"code": "confirmed"}]},
    "code": {"text": "x"},
    "subject": {"reference": "Patient/1"},
}
ALLERGY = {**without(CONDITION, "subject"), "resourceType": "AllergyIntolerance", "patient": {"reference": "Patient/1"}}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("resource", [order(), statement()], ids=["order", "statement"])
def test_an_order_and_a_statement_tell_their_version(resource: Resource, version: str) -> None:
    assert own_version(resource_in(version, resource)) == version


@pytest.mark.parametrize("resource", [CONDITION, ALLERGY], ids=["condition", "allergy"])
def test_a_condition_and_an_allergy_tell_the_older_versions(resource: Resource) -> None:
    assert [own_version(resource_in(version, resource)) for version in VERSIONS] == ["DSTU2", "STU3", None, None]


@pytest.mark.parametrize(
    ("resource", "version"),
    [
        ({"resourceType": "MedicationUsage"}, "R5"),
        ({"resourceType": "MedicationOrder", "dosageInstruction": [{"doseAndRate": []}]}, "DSTU2"),
        ({"resourceType": "Medication", "doseForm": {"text": "tablet"}}, "R5"),
        ({"resourceType": "Medication", "product": {}}, "DSTU2"),
        ({"resourceType": "Medication", "code": AMITRIPTYLINE}, None),
        ({"resourceType": "ProcedureRequest", "intent": "order"}, "STU3"),
        ({"resourceType": "ProcedureRequest", "orderedOn": "2026-11-23"}, "DSTU2"),
        ({"resourceType": "Observation", "comments": "x"}, "DSTU2"),
        ({"resourceType": "Observation", "comment": "x"}, "STU3"),
        ({"resourceType": "Patient", "patient": {}, "context": {}}, None),
        (order(dosageInstruction=[{"text": "at night"}]), None),
        (order(dosageInstruction=[{"text": "at night"}], context={"reference": "Encounter/1"}), "STU3"),
        (order(dosageInstruction=[5, {"text": "x"}, {"doseRange": {"low": TABLET}}]), "STU3"),
        (order(dosageInstruction={"doseAndRate": {"doseQuantity": TABLET}}), "R4"),
        (order(dosageInstruction=[{"doseAndRate": [{}], "doseQuantity": TABLET}]), "R4"),
    ],
)
def test_what_only_one_version_has_tells_it(resource: Resource, version: str | None) -> None:
    assert own_version(resource) == version


def test_the_first_that_tells_decides_and_r4_is_taken_when_none_does() -> None:
    silent = {"resourceType": "Patient"}
    older = resource_in("STU3", order())
    assert version_of([silent, older, order()]) == "STU3"
    assert version_of([silent, order(), older]) == "R4"
    assert version_of([silent, silent]) == "R4"
    assert version_of([]) == "R4"


@given(st.sampled_from([order(), statement(), CONDITION, ALLERGY]), st.data())
def test_any_json_in_any_member_is_no_obstacle(resource: Resource, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*resource, "medication", "context", "dosage", "dosageInstruction"]))
    value: Any = data.draw(junk)
    if name != "resourceType":
        assert own_version({**resource, name: value}) in (None, *VERSIONS)
