"""All five hooks with every context that their specifications allow: none of it changes what is said."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from service.decide import Decision
from service.errors import NotConformant
from service.web.ehr import called_for
from tests.calls import NEW_START, PAIR, Json, answered, by_id, draft, drafted_too
from tests.fhir.translated import request_in

Fixture = Callable[[str], Json]

OPENED = "requests/patient-view/pair-already-taken"
REFILL = "requests/medication-refill/amitriptyline-refill-with-tolperisone"
DSTU2 = "requests/medication-prescribe/amitriptyline-50-mg-dstu2"
STU3 = "requests/medication-prescribe/tolperisone-for-patient-on-amitriptyline-stu3"
EVERY_HOOK = [NEW_START, PAIR, OPENED, REFILL, DSTU2, STU3]


def summaries(request: Json, decision: Decision) -> list[str]:
    return [card["summary"] for card in answered(request, decision)]


@pytest.mark.parametrize("name", EVERY_HOOK)
def test_the_encounter_is_optional_in_every_hook(name: str, fixture: Fixture, decision: Decision) -> None:
    request = fixture(name)
    expected = summaries(request, decision)
    assert expected
    for encounter in ({}, {"encounterId": None}, {"encounterId": "89284"}):
        request["context"] = {k: v for k, v in request["context"].items() if k != "encounterId"} | encounter
        assert summaries(request, decision) == expected


@pytest.mark.parametrize("name", EVERY_HOOK)
@pytest.mark.parametrize("kind", ["Practitioner", "PractitionerRole", "Patient", "RelatedPerson"])
def test_whoever_uses_the_chart_gets_the_same_cards(kind: str, name: str, fixture: Fixture, decision: Decision) -> None:
    request = fixture(name)
    expected = summaries(request, decision)
    request["context"]["userId"] = f"{kind}/123"
    assert summaries(request, decision) == expected


@pytest.mark.parametrize("name", [NEW_START, PAIR, OPENED, DSTU2, STU3])
def test_the_user_may_stand_beside_the_context_as_in_early_drafts(
    name: str, fixture: Fixture, decision: Decision
) -> None:
    request = fixture(name)
    expected = summaries(request, decision)
    user = request["context"].pop("userId")
    for outside in (user, ""):
        assert summaries({**request, "user": outside}, decision) == expected
    for outside in ({}, {"user": None}, {"user": 5}, {"user": {"id": user}}):
        with pytest.raises(NotConformant) as refused:
            answered({**request, **outside}, decision)
        assert refused.value.expression == "$.context.userId"
    request["context"]["userId"] = None
    assert summaries({**request, "user": user}, decision) == expected
    request["context"]["userId"] = 5
    with pytest.raises(NotConformant):
        answered({**request, "user": user}, decision)
    request["context"]["userId"] = user
    assert summaries({**request, "user": 5}, decision) == expected


def test_a_context_that_lacks_more_than_the_user_is_told_what_else(fixture: Fixture, decision: Decision) -> None:
    for context in ({}, {"userId": None}):
        with pytest.raises(NotConformant) as refused:
            answered({**fixture(OPENED), "user": "Practitioner/1", "context": context}, decision)
        assert refused.value.expression == "$.context.patientId"


def test_a_refill_may_be_asked_for_by_nobody(fixture: Fixture, decision: Decision) -> None:
    request = fixture(REFILL)
    expected = summaries(request, decision)
    for user in ({}, {"userId": None}, {"userId": "Patient/1"}):
        request["context"] = {k: v for k, v in request["context"].items() if k != "userId"} | user
        assert summaries(request, decision) == expected


def test_orders_to_be_signed_may_have_any_status(fixture: Fixture, decision: Decision) -> None:
    request = fixture(NEW_START)
    expected = summaries(request, decision)
    for status in ("draft", "active", "on-hold", "completed", "unknown", "sent-to-pharmacy", None):
        draft(request)["status"] = status
        # What is said of an order on hold or of an unknown status may differ; that it is looked at may not.
        assert expected[0] in summaries(request, decision), status


@pytest.mark.parametrize("missing", ["dosageInstruction", "intent", "status", "subject", "authoredOn"])
def test_an_order_just_selected_may_be_incomplete(missing: str, fixture: Fixture, decision: Decision) -> None:
    request = fixture(PAIR)
    draft(request).pop(missing)
    assert "tolperisone-with-amitriptyline" in by_id(answered(request, decision))


def test_an_order_just_selected_may_have_no_drug_yet_which_is_said(fixture: Fixture, decision: Decision) -> None:
    request = fixture(PAIR)
    draft(request).pop("medicationCodeableConcept")
    assert list(by_id(answered(request, decision))) == ["not-checked"]


BLANK = "requests/order-select/no-drug-chosen-yet"


def test_an_order_just_selected_of_which_nothing_is_chosen_yet_raises_no_card(
    fixture: Fixture, decision: Decision
) -> None:
    assert answered(fixture(BLANK), decision) == []


@pytest.mark.parametrize("hook", ["order-sign", "medication-prescribe"])
def test_an_order_without_a_drug_is_named_where_it_is_finished(hook: str, fixture: Fixture, decision: Decision) -> None:
    assert list(by_id(answered(called_for(fixture(BLANK), hook), decision))) == ["not-checked"]


@pytest.mark.parametrize(
    "said",
    [
        {"medicationCodeableConcept": {}},
        {"medicationCodeableConcept": None},
        {"medicationCodeableConcept": {"coding": [{"system": "urn:own", "code": "1"}]}},
        {"medicationReference": {"reference": "Medication/1"}},
        {"medication": {}},
        {"contained": []},
        {"note": [{"text": "as discussed"}]},
        {"dosageInstruction": [{"text": "one at bedtime"}]},
        {"text": {"status": "generated"}},
        {"extension": [{"url": "https://ehr.example.org/drug", "valueString": "own list 17"}]},
        {"_authoredOn": {"extension": []}},
        {"unheardOf": 1},
    ],
    ids=lambda said: next(iter(said)),
)
def test_an_order_just_selected_that_says_anything_is_heard_or_named(
    said: dict[str, Any], fixture: Fixture, decision: Decision
) -> None:
    request = fixture(BLANK)
    draft(request).update(said)
    assert list(by_id(answered(request, decision))) == ["not-checked"]


def test_guidance_is_about_the_selected_orders(fixture: Fixture, decision: Decision) -> None:
    request = drafted_too(fixture(PAIR), id="rx-other", medicationCodeableConcept={"text": "Amoxicillin 500 mg"})
    request["context"]["selections"] = ["MedicationRequest/rx-other"]
    assert answered(request, decision) == []


@pytest.mark.parametrize("version", ["DSTU2", "STU3", "R4", "R5"])
@pytest.mark.parametrize("name", [DSTU2, STU3])
def test_drafts_of_the_deprecated_hook_may_come_as_an_array(
    name: str, version: str, fixture: Fixture, decision: Decision
) -> None:
    request = request_in(version, fixture(name))
    expected = summaries(request, decision)
    assert expected
    request["context"]["medications"] = [entry["resource"] for entry in request["context"]["medications"]["entry"]]
    assert summaries(request, decision) == expected


@pytest.mark.parametrize("value", ["MedicationOrder/1", 5, None, {"resourceType": "MedicationOrder"}])
def test_what_is_neither_a_bundle_nor_an_array_is_refused(value: Any, fixture: Fixture, decision: Decision) -> None:
    request = fixture(DSTU2)
    request["context"]["medications"] = value
    with pytest.raises(NotConformant) as refused:
        answered(request, decision)
    assert refused.value.expression == "$.context.medications"


@pytest.mark.parametrize("order", [5, "MedicationOrder/1", {"id": "rx-1"}, {"resource": {}}, [], None])
def test_what_is_no_order_in_the_array_is_named_and_not_passed_over(
    order: Any, fixture: Fixture, decision: Decision
) -> None:
    request = fixture(DSTU2)
    request["context"]["medications"] = [order]
    assert list(by_id(answered(request, decision))) == ["not-checked"]


def test_a_context_that_is_itself_an_array_of_orders_is_refused(fixture: Fixture, decision: Decision) -> None:
    request = fixture(DSTU2)
    request["context"] = [entry["resource"] for entry in request["context"]["medications"]["entry"]]
    with pytest.raises(NotConformant) as refused:
        answered(request, decision)
    assert refused.value.expression == "$.context"


def test_an_array_is_taken_for_orders_by_the_deprecated_hook_only(fixture: Fixture, decision: Decision) -> None:
    for name, member in ((NEW_START, "draftOrders"), (REFILL, "medications")):
        request = fixture(name)
        request["context"][member] = [entry["resource"] for entry in request["context"][member]["entry"]]
        body = json.dumps(request).encode()
        with pytest.raises(NotConformant) as refused:
            answered(body, decision)
        assert refused.value.expression == f"$.context.{member}"
