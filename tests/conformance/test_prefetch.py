"""What prefetch may hold and what it means (C-052 … C-058, C-065, C-066, L-17, L-31 … L-33)."""

from typing import Any

import pytest

from tests.conformance.calls import HOOKS, ORDERING, PATIENT, Called, Json, having, ids, order, request, said, without

NOT_CHECKED = "not-checked"
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}
NO_ENTRY = {"resourceType": "Bundle", "type": "searchset", "total": 0}


def reasons(answer: Any) -> list[str]:
    """Why something was not checked, as codes."""
    return [
        reason
        for card in answer.json()["cards"]
        for reason in card["extension"]["io.github.tolami"].get("notChecked", [])
    ]


@pytest.mark.conformance("C-052")
@pytest.mark.parametrize("hook", ORDERING)
def test_without_the_patient_an_order_of_the_guidance_gets_412(call: Called, hook: str) -> None:
    answer = call(without(request(hook), "prefetch", "patient"))
    assert answer.status_code == 412
    assert "prefetch.patient" in answer.json()["issue"][0]["diagnostics"]


@pytest.mark.conformance("C-054")
@pytest.mark.parametrize("hook", HOOKS)
def test_with_everything_there_is_no_412(call: Called, hook: str) -> None:
    assert call(request(hook)).status_code == 200


@pytest.mark.conformance("L-32")
def test_a_patient_of_null_is_no_patient(call: Called) -> None:
    assert call(having(request("order-sign"), None, "prefetch", "patient")).status_code == 412


@pytest.mark.conformance("C-056", "C-057")
@pytest.mark.parametrize("key", ["medications", "statements", "conditions", "allergies", "observations"])
def test_null_and_a_bundle_without_entries_both_mean_no_data(call: Called, key: str) -> None:
    null = call(having(request("order-sign"), None, "prefetch", key))
    empty = call(having(request("order-sign"), NO_ENTRY, "prefetch", key))
    assert said(null) == said(empty)


@pytest.mark.conformance("C-056")
def test_null_is_not_the_same_as_nothing_sent(call: Called) -> None:
    every = dict.fromkeys(("medications", "statements", "conditions", "allergies", "observations"))
    asked = request("order-sign")
    given = call(asked | {"prefetch": {"patient": PATIENT} | every})
    left_out = call(asked | {"prefetch": {"patient": PATIENT}})
    assert NOT_CHECKED not in ids(given)
    assert NOT_CHECKED in ids(left_out)


@pytest.mark.conformance("C-058")
@pytest.mark.parametrize(
    "value", [OUTCOME, {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": OUTCOME}]}]
)
def test_an_operation_outcome_is_never_no_data(call: Called, value: Json) -> None:
    assert call(having(request("order-sign"), value, "prefetch", "patient")).status_code == 412
    assert NOT_CHECKED in ids(call(having(request("order-sign"), value, "prefetch", "medications")))


@pytest.mark.conformance("C-064", "L-17")
def test_a_first_page_alone_is_said_to_be_one(call: Called) -> None:
    first = {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{"relation": "next", "url": "https://fhir.example.org/r4?page=2"}],
        "entry": [{"resource": order("rx-9", status="active", medicationCodeableConcept={"text": "tolperisone"})}],
    }
    answer = call(having(request("order-sign"), first, "prefetch", "medications"))
    assert {"tolperisone-with-amitriptyline", NOT_CHECKED} <= set(ids(answer))


@pytest.mark.conformance("L-33")
@pytest.mark.parametrize("value", ["123", 7, [], {}, {"response": {}, "resource": None}, {"resourceType": "Group"}])
def test_a_value_that_is_no_resource_counts_as_not_provided(call: Called, value: Any) -> None:
    assert call(having(request("order-sign"), value, "prefetch", "patient")).status_code == 412
    assert NOT_CHECKED in ids(call(having(request("order-sign"), value, "prefetch", "medications")))


@pytest.mark.conformance("L-31")
def test_a_drug_behind_a_reference_is_found_or_said_to_be_unknown(call: Called) -> None:
    medication = {"resourceType": "Medication", "id": "m1", "code": {"text": "tolperisone 150 mg tablet"}}
    referring = without(order(medicationReference={"reference": "Medication/m1"}), "medicationCodeableConcept")
    found = having(request("order-sign", referring), medication, "prefetch", "medication")
    assert NOT_CHECKED not in ids(call(found)) or "no-drug" not in reasons(call(found))
    contained = referring | {"contained": [medication], "medicationReference": {"reference": "#m1"}}
    assert any("tolperisone" in card for card in ids(call(request("order-sign", contained))))
    assert ids(call(request("order-sign", referring))) == [NOT_CHECKED]
