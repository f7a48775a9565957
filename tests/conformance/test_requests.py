"""What a request may and must hold (C-036 … C-051, L-01 … L-12, L-25, L-26, L-30)."""

import json
import time
from typing import Any

import pytest
import requests

from tests.conformance.calls import (
    AMOXICILLIN,
    HOOKS,
    ORDERING,
    Called,
    Json,
    bundle,
    dstu2_order,
    having,
    ids,
    order,
    request,
    rules,
    said,
    stu3_order,
    without,
)
from tests.serving import Served

START = "R07"


def outcome(answer: requests.Response) -> Json:
    """The one issue of an error's OperationOutcome."""
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome"
    (issue,) = body["issue"]
    assert issue["severity"] == "error"
    found: Json = issue
    return found


@pytest.mark.conformance("C-036", "C-067")
@pytest.mark.parametrize("hook", HOOKS)
def test_the_smallest_valid_request_of_every_hook_is_answered_with_cards(call: Called, hook: str) -> None:
    answer = call(request(hook))
    assert answer.status_code == 200
    assert isinstance(answer.json()["cards"], list)
    assert bool(answer.json()["cards"]) == (hook in ORDERING)


@pytest.mark.conformance("C-037")
@pytest.mark.parametrize("hook", HOOKS)
def test_prefetch_may_be_absent(call: Called, hook: str) -> None:
    assert call(without(request(hook), "prefetch")).status_code in (200, 412)


@pytest.mark.conformance("C-038", "C-039")
def test_the_fhir_server_may_be_absent_and_may_come_without_authorization(call: Called) -> None:
    plain = request("order-sign")
    assert "fhirServer" not in plain
    assert said(call(plain)) == said(call(plain | {"fhirServer": "https://fhir.example.org/r4"}))


@pytest.mark.conformance("C-040", "C-041")
@pytest.mark.parametrize("hook", HOOKS)
def test_the_encounter_may_be_absent_and_at_a_refill_the_user_too(call: Called, hook: str) -> None:
    plain = request(hook)
    assert "encounterId" not in plain["context"]
    expected = 200 if hook == "medication-refill" else 422
    assert call(plain).status_code == 200
    assert call(without(plain, "context", "userId")).status_code == expected


@pytest.mark.conformance("C-042")
@pytest.mark.parametrize(
    ("hook", "user"),
    [
        ("order-select", "PractitionerRole/7"),
        ("order-sign", "PractitionerRole/7"),
        ("patient-view", "PractitionerRole/7"),
        ("patient-view", "Patient/1288992"),
        ("patient-view", "RelatedPerson/9"),
    ],
)
def test_every_kind_of_user_may_ask(call: Called, hook: str, user: str) -> None:
    asked = request(hook)
    assert said(call(having(asked, user, "context", "userId"))) == said(call(asked))


@pytest.mark.conformance("C-043")
@pytest.mark.parametrize("status", ["draft", "active"])
def test_orders_of_any_status_are_signed(call: Called, status: str) -> None:
    assert START in rules(
        call(request("order-sign", order(status=status), order("rx-2", medicationCodeableConcept=AMOXICILLIN)))
    )


@pytest.mark.conformance("C-044")
@pytest.mark.parametrize("member", ["dosageInstruction", "intent", "medicationCodeableConcept", "status"])
def test_an_order_may_be_incomplete_while_it_is_selected(call: Called, member: str) -> None:
    assert call(request("order-select", without(order(), member))).status_code == 200


@pytest.mark.conformance("C-045")
def test_guidance_is_about_the_selected_orders(call: Called) -> None:
    tolperisone = order("rx-2", medicationCodeableConcept={"text": "tolperisone 150 mg tablet"})
    other = order("rx-3", medicationCodeableConcept=AMOXICILLIN)
    orders = (order(), tolperisone, other)
    assert "tolperisone-with-amitriptyline" in ids(call(request("order-select", *orders)))
    assert ids(call(request("order-select", *orders, selections=["MedicationRequest/rx-3"]))) == []


@pytest.mark.conformance("C-046", "L-09")
def test_selections_are_matched_by_type_and_id_and_dangling_ones_ignored(call: Called) -> None:
    other = order("rx-3", medicationCodeableConcept=AMOXICILLIN)
    both = ["MedicationRequest/rx-1", "MedicationRequest/gone"]
    assert START in rules(call(request("order-select", order(), other, selections=both)))
    none = call(request("order-select", order(), selections=["MedicationRequest/gone"]))
    assert none.status_code == 422
    assert "context.selections" in outcome(none)["expression"]


@pytest.mark.conformance("C-047", "C-048")
@pytest.mark.parametrize("path", [("extension",), ("context", "extension"), ("context", "newField")])
def test_members_that_nobody_named_do_no_harm(call: Called, path: tuple[str, ...]) -> None:
    plain = request("order-sign")
    assert said(call(having(plain, {"org.example.x": 1}, *path))) == said(call(plain))


@pytest.mark.conformance("C-049", "L-30", "L-12", "L-13")
def test_the_deprecated_hook_says_the_same_in_every_version(call: Called) -> None:
    r4, stu3, dstu2 = (
        said(call(request("medication-prescribe", one))) for one in (order(), stu3_order(), dstu2_order())
    )
    assert START in rules(call(request("medication-prescribe", dstu2_order())))
    assert [summary for summary, _, _ in stu3] == [summary for summary, _, _ in r4]
    assert [summary for summary, _, _ in dstu2] == [summary for summary, _, _ in r4]


@pytest.mark.conformance("C-050", "C-107", "L-01")
@pytest.mark.parametrize(
    "body", [b"", b"  ", b"{", b"[]", b"null", b"\xef\xbb\xbf", b"\xff\xfe{}", b'{"hook": NaN}', b'"text"', b"<xml/>"]
)
def test_what_is_no_json_object_gets_400(call: Called, body: bytes) -> None:
    answer = call(body, "order-sign")
    assert answer.status_code == 400
    assert outcome(answer)["code"] == "structure"


REQUIRED = [
    ("order-sign", ("hook",)),
    ("order-sign", ("hookInstance",)),
    ("order-sign", ("context",)),
    ("order-sign", ("context", "patientId")),
    ("order-sign", ("context", "draftOrders")),
    ("order-select", ("context", "selections")),
    ("medication-prescribe", ("context", "medications")),
    ("medication-refill", ("context", "medications")),
    ("patient-view", ("context", "patientId")),
]


@pytest.mark.conformance("L-02", "L-06")
@pytest.mark.parametrize(("hook", "path"), REQUIRED)
@pytest.mark.parametrize("value", ["missing", None, 7])
def test_a_required_member_is_named_when_it_is_missing_or_of_the_wrong_type(
    call: Called, hook: str, path: tuple[str, ...], value: Any
) -> None:
    whole = request(hook)
    sent = without(whole, *path) if value == "missing" else having(whole, value, *path)
    answer = call(sent, hook)
    assert answer.status_code == 422
    assert ".".join(path) in outcome(answer)["expression"]


@pytest.mark.conformance("L-06")
@pytest.mark.parametrize("member", ["fhirServer", "fhirAuthorization", "prefetch"])
def test_an_optional_member_may_be_null(call: Called, member: str) -> None:
    sent = request("order-sign") | {member: None}
    assert call(sent).status_code in ((200,) if member != "prefetch" else (412,))


@pytest.mark.conformance("L-03")
def test_another_hook_than_the_services_own_is_refused(call: Called) -> None:
    answer = call(request("order-sign"), "order-select")
    assert answer.status_code == 422
    assert outcome(answer)["expression"] == ["hook"]


@pytest.mark.conformance("L-04")
def test_unknown_services_and_wrong_methods_are_told_apart(
    service: Served, client: requests.Session, call: Called
) -> None:
    assert call(request("order-sign"), "nowhere").status_code == 404
    wrong = client.get(f"{service.url}/cds-services/order-sign", timeout=20)
    assert wrong.status_code == 405
    assert "POST" in wrong.headers["Allow"]
    assert client.post(f"{service.url}/cds-services", json={}, timeout=20).status_code == 405


@pytest.mark.conformance("L-05")
def test_a_hook_instance_need_not_be_a_uuid_and_may_come_again(call: Called) -> None:
    sent = request("order-sign") | {"hookInstance": "not a uuid"}
    assert said(call(sent)) == said(call(sent))


@pytest.mark.conformance("L-07")
def test_authorization_without_a_server_is_refused(call: Called) -> None:
    authorization = {
        "access_token": "t",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": "tolami",
    }
    answer = call(request("order-sign") | {"fhirAuthorization": authorization})
    assert answer.status_code == 422
    assert "fhirServer" in outcome(answer)["diagnostics"]


@pytest.mark.conformance("L-10")
def test_other_kinds_of_orders_are_passed_over(call: Called) -> None:
    imaging = {"resourceType": "ServiceRequest", "id": "s-1", "subject": {"reference": "Patient/1288992"}}
    sent = request("order-sign", order(), imaging)
    sent["context"]["draftOrders"]["entry"].append({"fullUrl": "urn:uuid:0"})
    assert START in rules(call(sent))
    assert ids(call(request("order-sign", imaging))) == []


@pytest.mark.conformance("L-10")
def test_an_order_without_an_id_still_counts_as_context(call: Called) -> None:
    tolperisone = without(order(medicationCodeableConcept={"text": "tolperisone 150 mg tablet"}), "id")
    assert "tolperisone-with-amitriptyline" in ids(call(request("order-select", order(), tolperisone)))


@pytest.mark.conformance("L-11")
def test_orders_of_another_patient_are_left_out(call: Called) -> None:
    foreign = order(subject={"reference": "Patient/another"})
    assert START not in rules(call(request("order-sign", foreign)))


@pytest.mark.conformance("L-12")
@pytest.mark.parametrize(
    "dosage",
    [
        {"doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}]},
        {"doseAndRate": {"doseQuantity": {"value": 1, "unit": "tablet"}}},
        {"doseQuantity": {"value": 1, "unit": "tablet"}},
    ],
)
def test_a_dose_is_read_wherever_it_stands(call: Called, dosage: Json) -> None:
    loose = {"category": {"text": "community"}, "reasonCode": {"text": "pain"}}
    assert START in rules(call(request("order-sign", order(dosageInstruction=[{"timing": DAILY} | dosage]) | loose)))


DAILY = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}


@pytest.mark.conformance("L-25")
@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("application/fhir+json", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
    ],
)
def test_only_json_is_taken(call: Called, media_type: str, status: int) -> None:
    answer = call(request("order-sign"), **{"Content-Type": media_type})
    assert answer.status_code == status


@pytest.mark.conformance("L-26")
def test_size_and_depth_have_limits(call: Called) -> None:
    large = request("order-sign") | {"extension": {"org.example": "x" * (5 * 1024 * 1024)}}
    assert call(large).status_code == 413
    deep = b'{"hook":"order-sign","hookInstance":"x","context":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert call(deep, "order-sign").status_code == 400


@pytest.mark.conformance("C-051")
def test_an_answer_takes_well_under_half_a_second(call: Called) -> None:
    sent = request("order-sign")
    call(sent)
    times = []
    for _ in range(100):
        started = time.perf_counter()
        call(sent)
        times.append(time.perf_counter() - started)
    assert sorted(times)[94] < 0.5


@pytest.mark.conformance("L-19")
def test_an_error_names_members_and_never_what_they_held(call: Called) -> None:
    for sent in (
        having(request("order-sign"), {"secret-value": 1}, "context", "patientId"),
        request("order-sign") | {"prefetch": {"patient": {"resourceType": "Patient", "id": "secret-value"}}},
        json.dumps(request("order-sign")).replace("1288992", "secret-value").encode()[:-1],
        request("order-sign") | {"hook": "secret-value"},
        request("order-select", selections=["MedicationRequest/secret-value"]),
    ):
        hook = sent["hook"] if isinstance(sent, dict) and sent["hook"] in HOOKS else "order-sign"
        answer = call(sent, hook)
        assert 400 <= answer.status_code < 500
        assert "secret-value" not in answer.text
        assert "Traceback" not in answer.text


@pytest.mark.conformance("C-107")
def test_a_bundle_is_what_orders_come_in(call: Called) -> None:
    single = having(request("order-sign"), order(), "context", "draftOrders")
    assert call(single).status_code == 422
    assert call(having(request("order-sign"), bundle(), "context", "draftOrders")).json() == {"cards": []}
