"""Every request has an id, one line in the log, one count and the headers of all answers, whatever becomes of it."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.engine.library import Library
from service.settings import Settings
from tests.calls import NEW_START, PAIR, SAMPLE, without

Fixture = Callable[[str], dict[str, Any]]
PATH = "/cds-services"
JSON = "application/json"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CALLERS = "0af7651916cd43dd8448eb211c80319c"


def test_the_callers_request_id_is_taken_over(client: FlaskClient, logged: list[Any]) -> None:
    answer = client.get(PATH, headers={"X-Request-ID": CALLERS})
    assert answer.headers["X-Request-ID"] == CALLERS
    assert [line["request"] for line in logged] == [CALLERS]


@pytest.mark.parametrize(
    "sent",
    ["", "MRN 12345", "12345678", "Ilona Example", "eyJhbGciOiJFUzM4NCJ9.e30.c2ln", "a" * 65, "naïve-naïve-naïve"],
)
def test_what_may_be_more_than_an_id_is_replaced(client: FlaskClient, logged: list[Any], sent: str) -> None:
    answer = client.get(PATH, headers={"X-Request-ID": sent} if sent else {})
    assert UUID.fullmatch(answer.headers["X-Request-ID"])
    assert not sent or sent not in str(logged)


def test_each_request_has_an_id_of_its_own(client: FlaskClient, logged: list[Any]) -> None:
    client.get(PATH)
    client.get(PATH)
    first, second = (line["request"] for line in logged)
    assert first != second


def test_every_line_of_a_request_carries_its_id(library: Library, logged: list[Any]) -> None:
    app = create_app(Settings(), library)

    def broken() -> str:
        raise ValueError

    app.add_url_rule("/broken", view_func=broken)
    answer = app.test_client().get("/broken")
    assert [line["event"] for line in logged] == ["unexpected error", "request"]
    assert {line["request"] for line in logged} == {answer.headers["X-Request-ID"]}


ERRORS: list[tuple[str, str, dict[str, Any], int]] = [
    ("GET", "/nowhere", {}, 404),
    ("POST", f"{PATH}/no-such-service", {"json": {}}, 404),
    ("GET", f"{PATH}/order-sign", {}, 405),
    ("POST", f"{PATH}/order-sign", {"data": "x", "content_type": "text/plain"}, 415),
    ("POST", f"{PATH}/order-sign", {"data": "x", "content_type": JSON}, 400),
    ("POST", f"{PATH}/order-sign", {"data": SAMPLE.read_bytes(), "content_type": JSON}, 422),
    ("POST", f"{PATH}/order-sign", {"data": b" " * (Settings().max_body_bytes + 1), "content_type": JSON}, 413),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), ERRORS, ids=lambda value: str(value)[:30])
def test_an_error_has_one_line_with_its_status_and_time(
    client: FlaskClient, logged: list[Any], method: str, path: str, body: dict[str, Any], status: int
) -> None:
    answer = client.open(path, method=method, **body)
    (line,) = logged
    assert (answer.status_code, line["status"], line["event"]) == (status, status, "request")
    assert line["log_level"] == "warning"
    assert line["milliseconds"] >= 0
    assert line["request"] == answer.headers["X-Request-ID"]


def test_a_missing_patient_is_a_line_of_its_hook(client: FlaskClient, fixture: Fixture, logged: list[Any]) -> None:
    client.post(f"{PATH}/order-sign", json=without(fixture(NEW_START), "prefetch", "patient"))
    (line,) = logged
    assert (line["status"], line["service"]) == (412, "order-sign")


def test_a_service_that_does_not_exist_is_not_named(client: FlaskClient, logged: list[Any]) -> None:
    client.post(f"{PATH}/Ilona-Example", json={})
    assert "Ilona" not in str(logged) + client.get("/metrics").text
    assert logged[0]["service"] == "unknown"


def test_nothing_of_a_request_is_left_for_the_next_line(
    client: FlaskClient, fixture: Fixture, logged: list[Any]
) -> None:
    client.post(f"{PATH}/order-select", json=fixture(PAIR))
    client.get("/nowhere")
    assert logged[0]["cards"]
    assert "cards" not in logged[1]


def test_questions_of_machines_are_said_quietly_unless_something_is_wrong(
    client: FlaskClient, logged: list[Any]
) -> None:
    client.get("/healthz")
    client.get("/metrics")
    client.post("/metrics")
    assert [line["log_level"] for line in logged] == ["debug", "debug", "warning"]


ORIGIN = {"Origin": "https://ehr.example.org"}


@pytest.mark.parametrize(("method", "path"), [("GET", PATH), ("GET", "/nowhere"), ("POST", f"{PATH}/order-sign")])
def test_a_browser_may_read_every_answer_from_anywhere(client: FlaskClient, method: str, path: str) -> None:
    headers = client.open(path, method=method, headers=ORIGIN).headers
    assert headers.getlist("Access-Control-Allow-Origin") == ["*"]
    assert "X-Request-ID" in headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in headers
    assert "Access-Control-Allow-Methods" not in headers


def test_a_browser_that_asks_first_is_told_what_it_may_send(client: FlaskClient) -> None:
    asked = {**ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    headers = client.options(f"{PATH}/order-sign", headers=asked).headers
    assert "POST" in headers["Access-Control-Allow-Methods"]
    assert headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type, X-Request-ID"
    assert headers["Access-Control-Max-Age"] == "600"


def test_an_answer_says_where_its_time_went_and_a_refusal_does_not(client: FlaskClient) -> None:
    answer = client.post(f"{PATH}/order-select", data=SAMPLE.read_bytes(), content_type=JSON)
    assert re.fullmatch(r"decide;dur=[0-9.]+, total;dur=[0-9.]+", answer.headers["Server-Timing"])
    assert "Server-Timing" not in client.post(f"{PATH}/order-select", data=b"{", content_type=JSON).headers


def test_requests_at_once_keep_their_ids_and_times_apart(app: Flask, logged: list[Any]) -> None:
    ids = [f"request-number-{number:04}" for number in range(40)]

    def get(request_id: str) -> str:
        return app.test_client().get(PATH, headers={"X-Request-ID": request_id}).headers["X-Request-ID"]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(get, ids)) == ids
    assert sorted(line["request"] for line in logged) == ids


@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/", "/cds-services/order-sign"])
def test_a_public_page_may_call_this_machine_in_open_mode_only_when_it_asks(client: FlaskClient, path: str) -> None:
    asks = {"Origin": "https://sandbox.example", "Access-Control-Request-Method": "POST"}
    name = "Access-Control-Allow-Private-Network"
    private = client.options(path, headers={**asks, "Access-Control-Request-Private-Network": "true"})
    assert (private.status_code, private.headers.get(name)) == (200, "true")
    assert name not in client.options(path, headers=asks).headers


@pytest.mark.parametrize("path", ["/cds-services/", "/cds-services//"])
def test_a_slash_too_many_leads_to_the_same_answer(client: FlaskClient, path: str) -> None:
    answer = client.get(path, follow_redirects=True)
    assert (answer.status_code, "services" in (answer.json or {})) == (200, True)


def test_a_slash_after_a_service_or_its_feedback_changes_nothing(client: FlaskClient) -> None:
    for path in ("/cds-services/order-sign", "/cds-services/order-sign/feedback"):
        assert client.post(f"{path}/", json={}).status_code == client.post(path, json={}).status_code != 404
