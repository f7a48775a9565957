"""What is wrong with a request is said as an OperationOutcome that names the member and repeats nothing."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.engine.library import Library
from service.settings import Settings
from tests.calls import NEW_START, PAIR, SAMPLE, Json, without
from tests.web.test_invoke import PATH, Path, paths, post, replaced

Fixture = Callable[[str], dict[str, Any]]
MARKER = "Zx9-marker-Quux"
UPGRADE = {"Content-Type": "application/json", "Connection": "Upgrade", "Upgrade": "websocket"}
ORIGIN = {"Origin": "https://ehr.example.org"}


def outcome(answer: Any, status: int) -> Json:
    """The one issue of an error, checked for what every error has to have."""
    assert answer.status_code == status, answer.data
    assert answer.mimetype == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", ORIGIN["Origin"])
    body = answer.get_json()
    assert body.keys() == {"resourceType", "issue"}
    assert body["resourceType"] == "OperationOutcome"
    (issue,) = body["issue"]
    assert (issue["severity"], bool(issue["code"]), bool(issue["diagnostics"])) == ("error", True, True)
    return dict(issue)


NOT_JSON = {
    "empty": b"",
    "white space": b" \r\n",
    "text": b"hook=order-select",
    "XML": b"<Parameters/>",
    "NaN": SAMPLE.read_bytes().replace(b'"frequency": 1', b'"frequency": NaN'),
    "infinity": SAMPLE.read_bytes().replace(b'"frequency": 1', b'"frequency": Infinity'),
    "byte order mark": b"\xef\xbb\xbf",
    "UTF-16": SAMPLE.read_text(encoding="utf-8").encode("utf-16"),
    "Latin-1": SAMPLE.read_bytes().replace(b"Ilona", b"Il\xf3na"),
    "cut short": SAMPLE.read_bytes()[:-20],
    "two values": SAMPLE.read_bytes() * 2,
    "a comment": b"// sample\n" + SAMPLE.read_bytes(),
    "nested in a member": b'{"x": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
    "nested in the context": SAMPLE.read_bytes().replace(b'"1961-04-02"', b"[" * 100_000 + b"]" * 100_000),
}


def test_a_call_for_another_protocol_is_refused_with_advice(client: FlaskClient) -> None:
    issue = outcome(client.post(f"{PATH}/order-select", data=SAMPLE.read_bytes(), headers=UPGRADE), 400)
    assert "Check the client or the proxy" in issue["diagnostics"]


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_a_body_that_is_not_json_is_400(client: FlaskClient, body: bytes) -> None:
    issue = outcome(post(client, body), 400)
    assert issue["code"] == "structure"
    assert "JSON" in issue["diagnostics"] or "nested too deeply" in issue["diagnostics"]


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b"5", b'"order-select"', b"true", b"[" * 100_000], ids=lambda body: body.decode()[:12]
)
def test_json_that_is_no_object_is_400(client: FlaskClient, body: bytes) -> None:
    issue = outcome(post(client, body), 400)
    assert issue["code"] == "structure"
    assert "object" in issue["diagnostics"]


MISSING = [
    ("order-select", ("hook",)),
    ("order-select", ("hookInstance",)),
    ("order-select", ("context",)),
    ("order-select", ("context", "userId")),
    ("order-select", ("context", "patientId")),
    ("order-select", ("context", "draftOrders")),
    ("order-select", ("context", "selections")),
    ("order-sign", ("context", "draftOrders")),
]


@pytest.mark.parametrize(("hook", "member"), MISSING, ids=lambda value: ".".join(value) if value else "")
def test_a_required_member_that_is_missing_is_named(
    client: FlaskClient, fixture: Fixture, hook: str, member: tuple[str, ...]
) -> None:
    request = fixture(PAIR if hook == "order-select" else NEW_START)
    issue = outcome(post(client, without(request, *member), hook), 422)
    assert issue["expression"] == [".".join(member)]
    assert f"${'.'.join(('', *member))} is missing" in issue["diagnostics"]


@pytest.mark.parametrize("hook", ["medication-prescribe", "medication-refill"])
def test_the_hooks_of_one_order_need_their_medications(client: FlaskClient, fixture: Fixture, hook: str) -> None:
    request = fixture(PAIR) | {"hook": hook}
    assert outcome(post(client, request, hook), 422)["expression"] == ["context.medications"]


WRONG: list[tuple[Path, Any, str]] = [
    (("hook",), 5, "hook"),
    (("hook",), "order-sign", "hook"),
    (("hook",), "no-such-hook", "hook"),
    (("hookInstance",), None, "hookInstance"),
    (("context",), None, "context"),
    (("context",), [], "context"),
    (("context", "userId"), {}, "context.userId"),
    (("context", "patientId"), 5, "context.patientId"),
    (("context", "patientId"), "", "context.patientId"),
    (("context", "draftOrders"), [], "context.draftOrders"),
    (("context", "draftOrders"), {"resourceType": "MedicationRequest"}, "context.draftOrders"),
    (("context", "draftOrders", "entry"), {}, "context.draftOrders.entry"),
    (("context", "selections"), "MedicationRequest/rx-draft", "context.selections"),
    (("context", "selections"), [5], "context.selections[0]"),
    (("context", "selections"), ["MedicationRequest/other"], "context.selections"),
    (("context", "encounterId"), 5, "context.encounterId"),
    (("prefetch",), [], "prefetch"),
    (("fhirServer",), {}, "fhirServer"),
    (("fhirAuthorization",), "token", "fhirAuthorization"),
]


@pytest.mark.parametrize(("path", "value", "expression"), WRONG, ids=str)
def test_a_member_of_the_wrong_kind_is_named(
    client: FlaskClient, fixture: Fixture, path: Path, value: Any, expression: str
) -> None:
    issue = outcome(post(client, replaced(fixture(PAIR), path, value)), 422)
    assert issue["expression"] == [expression]
    assert expression.rpartition(".")[2] in issue["diagnostics"]


def test_a_request_without_its_patient_is_412_and_names_the_key(client: FlaskClient, fixture: Fixture) -> None:
    issue = outcome(post(client, without(fixture(PAIR), "prefetch", "patient")), 412)
    assert (issue["code"], issue["expression"]) == ("incomplete", ["prefetch.patient"])


@pytest.mark.parametrize("path", ["/nowhere", f"{PATH}/no-such-service", f"{PATH}/order-select/x/y"])
def test_an_address_where_nothing_is_says_where_discovery_is(client: FlaskClient, path: str) -> None:
    assert "GET /cds-services" in outcome(client.post(path, json={}), 404)["diagnostics"]


@pytest.mark.parametrize("path", ["/", "/cds-services", "/cds-services/"])
def test_what_is_only_read_says_where_services_are_called(client: FlaskClient, path: str) -> None:
    issue = outcome(client.post(path, json={}), 405)
    assert "Services are called with POST, discovery with GET" in issue["diagnostics"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_a_service_is_only_posted_to(client: FlaskClient, method: str) -> None:
    answer = client.open(f"{PATH}/order-select", method=method)
    assert outcome(answer, 405)["code"] == "not-supported"
    assert {name.strip() for name in answer.headers["Allow"].split(",")} == {"POST", "OPTIONS"}


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded", None])
def test_another_content_type_is_415(client: FlaskClient, content_type: str | None) -> None:
    answer = client.post(f"{PATH}/order-select", data=SAMPLE.read_bytes(), content_type=content_type)
    assert "Content-Type: application/json" in outcome(answer, 415)["diagnostics"]


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-16"])
def test_json_in_another_character_set_is_415(client: FlaskClient, charset: str) -> None:
    content_type = f"application/json; charset={charset}"
    answer = client.post(f"{PATH}/order-select", data=SAMPLE.read_bytes(), content_type=content_type)
    assert "UTF-8" in outcome(answer, 415)["diagnostics"]


def test_a_compressed_body_is_415(client: FlaskClient) -> None:
    answer = client.post(
        f"{PATH}/order-select",
        data=gzip.compress(SAMPLE.read_bytes()),
        content_type="application/json",
        headers={"Content-Encoding": "gzip"},
    )
    assert "not compressed" in outcome(answer, 415)["diagnostics"]


def test_what_adds_nothing_to_the_json_is_passed_over(client: FlaskClient) -> None:
    expected = post(client, SAMPLE.read_bytes()).get_json()["cards"]
    ways = [
        (b"\xef\xbb\xbf" + SAMPLE.read_bytes(), {}),
        (SAMPLE.read_bytes(), {"Content-Encoding": "identity"}),
        (SAMPLE.read_bytes(), {"Content-Type": "application/json; charset=us-ascii"}),
        (SAMPLE.read_bytes(), {"Content-Type": "application/json+fhir"}),
    ]
    for body, headers in ways:
        answer = client.post(f"{PATH}/order-select", data=body, headers={"Content-Type": "application/json", **headers})
        assert [card["summary"] for card in answer.get_json()["cards"]] == [card["summary"] for card in expected]


def test_half_an_emoji_in_a_name_costs_that_letter(client: FlaskClient) -> None:
    whole = post(client, SAMPLE.read_bytes()).get_json()["cards"]
    for half in (rb"Ilona\ud83d", rb"Ilona\\\ude00", rb"\ud83d\ud83d\ude00"):
        answer = post(client, SAMPLE.read_bytes().replace(b"Ilona", half))
        assert [card["summary"] for card in answer.get_json()["cards"]] == [card["summary"] for card in whole]


def test_text_in_another_encoding_is_said_not_to_be_utf_8(client: FlaskClient) -> None:
    issue = outcome(post(client, SAMPLE.read_text(encoding="utf-8").encode("utf-16")), 400)
    assert "not UTF-8" in issue["diagnostics"]


@pytest.mark.parametrize("first", [1, 3])
def test_of_a_member_that_is_there_twice_the_last_counts(client: FlaskClient, first: int) -> None:
    last = 4 - first
    twice = f'"frequency": {first}, "frequency": {last}'.encode()
    once = f'"frequency": {last}'.encode()
    answers = [post(client, SAMPLE.read_bytes().replace(b'"frequency": 1', member, 1)) for member in (twice, once)]
    summaries = [[card["summary"] for card in answer.get_json()["cards"]] for answer in answers]
    assert summaries[0] == summaries[1]


def test_an_error_for_head_has_its_status_and_no_body(client: FlaskClient) -> None:
    for path, status in (("/nowhere", 404), (f"{PATH}/order-select", 405)):
        answer = client.head(path)
        assert (answer.status_code, answer.data) == (status, b"")
    assert {name.strip() for name in answer.headers["Allow"].split(",")} == {"POST", "OPTIONS"}


def test_a_body_that_is_too_large_is_413(library: Library) -> None:
    client = create_app(Settings(max_body_bytes=4096), library).test_client()
    request = json.loads(SAMPLE.read_bytes())
    assert outcome(post(client, request | {"x": "x" * 5000}), 413)["code"] == "too-long"
    assert outcome(post(client, b" " * 4096), 400), "up to the limit the body is read"


def test_a_failure_outside_the_decision_is_500_and_repeats_nothing(library: Library, logged: list[Any]) -> None:
    app = create_app(Settings(), library)

    def broken() -> str:
        raise ValueError(MARKER)

    app.add_url_rule("/broken", view_func=broken)
    answer = app.test_client().get("/broken")
    assert "nothing was checked" in outcome(answer, 500)["diagnostics"]
    line, of_request = logged
    assert (line["error"], line["log_level"]) == ("ValueError", "error")
    assert (of_request["event"], of_request["status"], of_request["log_level"]) == ("request", 500, "error")
    page = app.test_client().get("/broken", headers={"Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (500, "text/html")
    assert MARKER not in page.text + answer.text + str(logged)


def test_no_error_and_no_log_line_repeats_a_value_of_the_request(app: Flask, logged: list[Any]) -> None:
    client = app.test_client()
    sample = json.loads(SAMPLE.read_bytes())
    values: list[Any] = [MARKER, [{MARKER: MARKER, "resourceType": MARKER}]]
    bodies = [json.dumps(replaced(sample, path, value)) for path in paths(sample) for value in values]
    bodies += [body.replace(f'"{MARKER}"', MARKER, 1) for body in bodies[:40]]
    errors = [answer for body in bodies if (answer := post(client, body.encode())).status_code >= 400]
    errors += [client.get(f"/{MARKER}"), client.post(f"{PATH}/{MARKER}"), client.get(f"/?{MARKER}")]
    assert len({error.status_code for error in errors}) > 3
    for error in errors:
        assert MARKER not in error.text
        assert MARKER not in str(error.headers)
    assert MARKER not in str(logged)
