"""``POST /cds-services/{id}``: what a client gets for a call, and that no request brings the service down."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.calls import NEW_START, PAIR, RAW, SAMPLE, Json, by_id, draft, with_raw

Fixture = Callable[[str], dict[str, Any]]
PATH = "/cds-services"
Path = tuple[str | int, ...]


def post(client: FlaskClient, request: Json | bytes, service: str = "order-select") -> Any:
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    return client.post(f"{PATH}/{service}", data=body, content_type="application/json")


def test_the_sample_is_answered_with_cards(client: FlaskClient) -> None:
    answer = post(client, SAMPLE.read_bytes())
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    cards = list(by_id(answer.get_json()["cards"]))
    assert cards[0] == "tolperisone-with-amitriptyline"
    assert cards[1] == "amitriptyline-older-adult"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/fhir+json",
        "application/fhir+json; fhirVersion=4.0",
        "Application/JSON",
    ],
)
def test_json_is_taken_under_its_usual_names(client: FlaskClient, content_type: str) -> None:
    answer = client.post(f"{PATH}/order-select", data=SAMPLE.read_bytes(), content_type=content_type)
    assert answer.status_code == 200


def test_any_page_may_read_the_answer(client: FlaskClient) -> None:
    headers = {"Origin": "https://ehr.example.org"}
    answer = client.post(f"{PATH}/order-select", json=json.loads(SAMPLE.read_bytes()), headers=headers)
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", "https://ehr.example.org")


@pytest.mark.parametrize("asked", ["content-type", "authorization,content-type", "Authorization, Content-Type"])
def test_a_browser_may_ask_first_without_a_token(client: FlaskClient, asked: str) -> None:
    headers = {
        "Origin": "https://ehr.example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": asked,
    }
    answer = client.options(f"{PATH}/order-select", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", "https://ehr.example.org")
    allowed = {name.strip().lower() for name in answer.headers["Access-Control-Allow-Headers"].split(",")}
    assert allowed >= {name.strip().lower() for name in asked.split(",")}
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]


UNREAD = {
    "no resource": b"5",
    "a huge text": b'"' + b"x" * 500_000 + b'"',
    "a number beyond reason": b"9" * 5000,
    "deep": b"[" * 500 + b"]" * 500,
    "no patient": b'{"resourceType": "Practitioner"}',
}


@pytest.mark.parametrize("value", UNREAD.values(), ids=UNREAD)
def test_for_an_order_of_another_drug_nothing_of_the_prefetch_is_looked_at(
    client: FlaskClient, fixture: Fixture, value: bytes
) -> None:
    request = fixture("requests/order-select/amoxicillin")
    request["prefetch"] = dict.fromkeys(("patient", "medications", "conditions", "observations", "x"), RAW)
    answer = post(client, with_raw(request, value))
    assert (answer.status_code, answer.get_json()) == (200, {"cards": []})


def test_nothing_of_a_call_is_used_for_the_next_one(client: FlaskClient, fixture: Fixture) -> None:
    request = fixture(PAIR)
    cards = by_id(post(client, request).get_json()["cards"])
    assert "tolperisone-with-amitriptyline" in cards
    del request["prefetch"]["medications"]
    later = by_id(post(client, request).get_json()["cards"])
    assert "tolperisone-with-amitriptyline" not in later
    assert "not-checked" in later


def test_numbers_in_a_suggested_order_come_back_as_they_were_written(client: FlaskClient, fixture: Fixture) -> None:
    request = fixture(NEW_START)
    draft(request)["extension"] = [{"url": "https://ehr.example.org/x", "valueDecimal": RAW}]
    answer = post(client, with_raw(request, b"1.50"), "order-sign")
    assert b'"valueDecimal":1.50' in answer.data


def test_members_that_the_specification_does_not_name_do_no_harm(client: FlaskClient, fixture: Fixture) -> None:
    request = fixture(PAIR)
    cards = post(client, request).get_json()["cards"]
    for holder in (request, request["context"], request["prefetch"], draft(request)):
        holder["io.example.extra"] = {"value": [1, None]}
    assert len(post(client, request).get_json()["cards"]) == len(cards)


def test_a_log_line_names_the_cards_and_nobody(client: FlaskClient, fixture: Fixture, logged: list[Any]) -> None:
    cards = post(client, fixture(PAIR)).get_json()["cards"]
    (line,) = logged
    assert (line["event"], line["endpoint"], line["service"], line["status"]) == (
        "request",
        "invoke",
        "order-select",
        200,
    )
    assert line["cards"] == list(by_id(cards)) != []
    known = {"event", "log_level", "request", "endpoint", "status", "client", "service", "cards", "unchecked"}
    assert line.keys() == known | {"milliseconds"}
    assert line["client"] == "anybody"


def test_a_log_line_says_why_something_was_not_checked(
    client: FlaskClient, fixture: Fixture, logged: list[Any]
) -> None:
    post(client, fixture("requests/order-select/dose-not-stated-yet"))
    (line,) = logged
    assert line["unchecked"] == ["dose-missing"]


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Where every member of a JSON value stands."""
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, child in children:
        yield from paths(child, (*path, step))


def replaced(request: Json, path: Path, value: Any) -> Any:
    if not path:
        return value
    changed: Any = deepcopy(request)
    holder = changed
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return changed


SAMPLES = [json.loads(SAMPLE.read_bytes())]
NAMES = st.sampled_from(
    ["resourceType", "id", "entry", "resource", "coding", "code", "system", "text", "reference", "value", "unit",
     "timing", "repeat", "frequency", "period", "periodUnit", "doseAndRate", "doseQuantity", "extension", "status"]
)  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["", RAW, "Bundle", "MedicationRequest", "Patient", "OperationOutcome", "2026-13-45", "mg", "d"])
)
ANY_JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)
TOKENS = st.sampled_from([b"9" * 5000, b"1e400", b"-1e-400", b"1e99999999999999999999", b"[" * 600 + b"]" * 600])


@settings(max_examples=250, deadline=None)
@given(data=st.data(), value=ANY_JSON | st.just(RAW), token=TOKENS)
def test_whatever_stands_in_place_of_any_member_the_service_holds(
    app: Flask, data: st.DataObject, value: Any, token: bytes
) -> None:
    (sample,) = SAMPLES
    path = data.draw(st.sampled_from(sorted(paths(sample), key=str)))
    answer = post(app.test_client(), with_raw(replaced(sample, path, value), token))
    assert answer.status_code in (200, 400, 412, 422)
    if answer.status_code == 200:
        assert by_id(answer.get_json()["cards"]).keys().isdisjoint({"service-failed", "rule-failed"})
    else:
        assert answer.get_json()["resourceType"] == "OperationOutcome"


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=60) | ANY_JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_is_sent_the_answer_is_an_outcome(app: Flask, body: bytes) -> None:
    answer = post(app.test_client(), body)
    assert answer.status_code in (400, 422)
    assert answer.get_json()["resourceType"] == "OperationOutcome"
