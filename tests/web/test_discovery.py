"""``GET /cds-services`` offers one service for each hook, as the specification asks."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.cdshooks.messages import CONTEXTS
from service.engine.library import Library

PATH = "/cds-services"


@pytest.fixture
def offered(client: FlaskClient) -> list[dict[str, Any]]:
    answer = client.get(PATH)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    body = answer.get_json()
    assert list(body) == ["services"]
    services: list[dict[str, Any]] = body["services"]
    return services


def test_there_is_one_service_for_each_hook_with_an_id_of_its_own(offered: list[dict[str, Any]]) -> None:
    assert {service["hook"] for service in offered} == CONTEXTS.keys()
    assert len({service["id"] for service in offered}) == len(offered)
    assert all(re.fullmatch(r"[a-z-]+", service["id"]) for service in offered), "an id is part of an address"


def test_every_service_says_what_it_does_and_what_it_needs(offered: list[dict[str, Any]]) -> None:
    for service in offered:
        assert service["title"]
        assert service["description"]
        assert "prefetch.patient" in service["usageRequirements"]
        assert "not clinically reviewed" in service["usageRequirements"]
        assert service["version"].startswith("2.")


def test_no_member_is_null_or_empty(offered: list[dict[str, Any]]) -> None:
    for service in offered:
        for value in (*service.values(), *service["prefetch"].values()):
            assert value not in (None, "", [], {})


def test_prefetch_uses_only_what_every_hook_has_in_its_context(offered: list[dict[str, Any]]) -> None:
    for service in offered:
        assert service["prefetch"]["patient"] == "Patient/{{context.patientId}}"
        for template in service["prefetch"].values():
            assert re.findall(r"{{(.*?)}}", template) == ["context.patientId"]


def test_prefetch_asks_for_medications_of_every_status(offered: list[dict[str, Any]]) -> None:
    for service in offered:
        assert service["prefetch"]["medications"] == "MedicationRequest?patient={{context.patientId}}"
        assert service["prefetch"]["statements"] == "MedicationStatement?patient={{context.patientId}}"


def test_prefetch_asks_for_the_measurements_of_the_code_lists(offered: list[dict[str, Any]], library: Library) -> None:
    for service in offered:
        codes = service["prefetch"]["observations"].partition("&code=")[2].split(",")
        assert codes == [f"http://loinc.org|{code}" for code in library.terminology.loinc]


def test_every_service_that_is_offered_answers_at_its_address(
    client: FlaskClient, offered: list[dict[str, Any]]
) -> None:
    for service in offered:
        assert client.post(f"{PATH}/{service['id']}", json={}).status_code == 422


def test_the_answer_is_the_same_every_time_and_has_no_body_for_head(client: FlaskClient) -> None:
    answer = client.get(PATH)
    assert client.get(PATH).data == answer.data
    head = client.head(PATH)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == str(len(answer.data))


@pytest.mark.parametrize("origin", ["https://ehr.example.org", "null"])
def test_any_page_may_read_it(client: FlaskClient, origin: str) -> None:
    answer = client.get(PATH, headers={"Origin": origin})
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", origin)
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_it_cannot_be_posted_to(client: FlaskClient) -> None:
    answer = client.post(PATH, json={})
    assert answer.status_code == 405
    assert {method.strip() for method in answer.headers["Allow"].split(",")} == {"GET", "HEAD", "OPTIONS"}
