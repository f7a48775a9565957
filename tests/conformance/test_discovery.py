"""Discovery and prefetch templates (C-002 … C-035)."""

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from tests.conformance.calls import HOOKS, Called, Json, request
from tests.serving import Served

TOKEN_FIELDS = {"userId", "patientId", "encounterId"}
"""The context fields that the hook library marks as prefetch tokens, of every hook here."""


def walk(value: Any, path: str = "$") -> list[tuple[str, Any]]:
    """Every member with its path; what lies inside a FHIR resource is left out."""
    found = [(path, value)]
    if isinstance(value, dict) and "resourceType" not in value:
        for name, child in value.items():
            found += walk(child, f"{path}.{name}")
    if isinstance(value, list):
        for number, child in enumerate(value):
            found += walk(child, f"{path}[{number}]")
    return found


def templates(services: list[Json]) -> set[str]:
    return {template for service in services for template in service["prefetch"].values()}


def refuse(constant: str) -> None:
    raise ValueError(constant)


@pytest.mark.conformance("C-002", "C-003")
def test_discovery_is_strict_json(discovered: requests.Response) -> None:
    assert discovered.headers["Content-Type"].split(";")[0] == "application/json"
    json.loads(discovered.content.decode("utf-8"), parse_constant=refuse)


@pytest.mark.conformance("C-004", "C-005", "C-006")
def test_discovery_has_no_null_and_nothing_empty(discovered: requests.Response) -> None:
    for path, value in walk(discovered.json()):
        assert value not in (None, "", [], {}), path


@pytest.mark.conformance("C-008", "C-009", "C-010", "C-025")
def test_discovery_answers_200_without_a_redirect_with_a_list_of_services(discovered: requests.Response) -> None:
    assert discovered.status_code == 200
    assert discovered.history == []
    assert isinstance(discovered.json()["services"], list)


@pytest.mark.conformance("C-012", "C-013", "C-014", "C-016", "C-020", "C-022")
@pytest.mark.parametrize("member", ["hook", "description", "id", "title", "usageRequirements"])
def test_every_service_has_its_texts(services: list[Json], member: str) -> None:
    for service in services:
        assert isinstance(service[member], str)
        assert service[member].strip()
        assert service["prefetch"]


@pytest.mark.conformance("C-015", "L-29")
def test_every_id_is_the_path_of_its_own_service(services: list[Json], call: Called) -> None:
    assert {service["hook"] for service in services} == set(HOOKS)
    assert len({service["id"] for service in services}) == len(services)
    for service in services:
        assert call(request(service["hook"]), service["id"]).status_code == 200


@pytest.mark.conformance("C-017", "C-018", "C-019", "C-021")
def test_every_service_names_the_release_it_follows_and_no_hook_is_listed_twice(services: list[Json]) -> None:
    for service in services:
        assert re.fullmatch(r"\d+\.\d+\.\d+", service["version"])
        assert "hookVersion" not in service
    assert len({service["hook"] for service in services}) == len(services)


@pytest.mark.conformance("C-023", "C-024")
def test_extensions_are_objects_with_names_of_our_own(services: list[Json], cards: list[Json]) -> None:
    for extended in (*services, *cards):
        extension = extended.get("extension", {"io.x": 1})
        assert isinstance(extension, dict)
        assert all(name.count(".") >= 1 for name in extension)
    assert all("io.github.tolami" in card["extension"] for card in cards)


@pytest.mark.conformance("C-026", "C-027", "C-028", "C-029", "C-030")
def test_tokens_are_root_fields_of_the_context(services: list[Json]) -> None:
    for template in templates(services):
        tokens = re.findall(r"\{\{(.*?)\}\}", template)
        assert tokens
        for token in tokens:
            scope, _, field = token.partition(".")
            assert (scope, field in TOKEN_FIELDS) == ("context", True)
        assert "{" not in re.sub(r"\{\{.*?\}\}", "", template)


@pytest.mark.conformance("C-031", "C-032", "C-033", "C-034", "C-035")
def test_templates_are_plain_reads_and_searches(services: list[Json]) -> None:
    for template in templates(services):
        assert re.match(r"[A-Z][A-Za-z]+(/\{\{|\?)", template)
        for name, value in parse_qsl(urlsplit(template).query, strict_parsing=True) if "?" in template else []:
            assert name in {"patient", "code"}
            assert "%" not in value


@pytest.mark.conformance("C-138", "L-28")
@pytest.mark.parametrize("path", ["", "/order-select", "/order-select/feedback"])
def test_a_browser_may_ask_first_without_a_token(service: Served, client: requests.Session, path: str) -> None:
    asked = {
        "Origin": "https://ehr.example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    answer = client.options(f"{service.url}/cds-services{path}", headers=asked, timeout=20)
    assert answer.status_code == 200
    allowed = {name.strip().lower() for name in answer.headers["Access-Control-Allow-Headers"].split(",")}
    assert {"authorization", "content-type"} <= allowed
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]


@pytest.mark.conformance("C-138", "L-28")
def test_errors_can_be_read_by_a_browser_too(service: Served, client: requests.Session, call: Called) -> None:
    origin = {"Origin": "https://ehr.example.org"}
    answers = [
        client.get(f"{service.url}/cds-services", headers=origin, timeout=20),
        client.get(f"{service.url}/nowhere", headers=origin, timeout=20),
        call(request("order-sign"), **origin),
        call(b"{", "order-sign", **origin),
        call(request("order-sign") | {"prefetch": {}}, **origin),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 200, 400, 412]
    assert all(answer.headers["Access-Control-Allow-Origin"] in ("*", origin["Origin"]) for answer in answers)
