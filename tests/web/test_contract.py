"""The contract is served: schemas under their addresses, and a description of everything that is answered."""

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from service.app import create_app
from service.cdshooks.schemas import schemas
from service.engine.library import Library
from service.settings import Settings
from tests.calls import Json
from tests.trust.ehr import Ehr, trusting
from tests.web.test_errors import outcome

BASE = "https://cds.example.org/guidance-service"


@pytest.fixture(scope="module")
def description(app: Flask) -> Json:
    found: Json = app.test_client().get("/openapi.json").get_json()
    return found


def test_every_schema_is_served_at_the_address_that_it_names(library: Library) -> None:
    client = create_app(Settings(public_url=BASE), library).test_client()
    listed = client.get("/schemas/").get_json()["schemas"]
    assert listed.keys() == schemas().keys()
    for name, address in listed.items():
        assert address == f"{BASE}/schemas/{name}.json"
        answer = client.get(address.removeprefix(BASE))
        assert (answer.status_code, answer.mimetype) == (200, "application/schema+json")
        assert answer.get_json(force=True)["$id"] == address


def test_the_list_of_schemas_is_found_without_its_last_slash(client: FlaskClient) -> None:
    assert client.get("/schemas").get_json() == client.get("/schemas/").get_json()


@pytest.mark.parametrize("name", ["no-such", "response.json", "..%2Fresponse"])
def test_a_schema_that_is_not_there_is_404(client: FlaskClient, name: str) -> None:
    outcome(client.get(f"/schemas/{name}.json"), 404)


def test_any_page_may_read_the_contract(client: FlaskClient) -> None:
    for path in ("/schemas/", "/schemas/response.json", "/openapi.json"):
        assert client.get(path, headers={"Origin": "https://ehr.example.org"}).headers["Access-Control-Allow-Origin"]


def test_the_description_is_valid_openapi(description: Json) -> None:
    assert description["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(description).iter_errors()) == []
    broken = {**description, "paths": {"no-slash": {"get": {}}}}
    assert list(OpenAPIV31SpecValidator(broken).iter_errors()) != []


FOR_READERS = {"pages.home", "pages.static", "pages.icon", "pages.code_system", "playground", "insights", "api"}
"""Endpoints and blueprints of pages, which no program calls."""


def described(description: Json) -> set[tuple[str, str]]:
    """Method and path of every operation."""
    return {(method.upper(), path) for path, item in description["paths"].items() for method in item}


def test_everything_that_is_answered_is_described_and_nothing_else(app: Flask, description: Json) -> None:
    """A path is described as its rule, or once for each value that its rule takes."""
    rules = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in FOR_READERS and rule.endpoint.partition(".")[0] not in FOR_READERS
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    services = [service["id"] for service in app.test_client().get("/cds-services").get_json()["services"]]
    answered = {
        (method, path.replace("{service_id}", service))
        for method, path in rules
        for service in (services if "{service_id}" in path else [""])
    }
    assert described(description) == answered


def test_the_description_holds_the_schemas_that_are_published(description: Json) -> None:
    held = description["components"]["schemas"]
    for schema in schemas().values():
        for name, definition in schema["$defs"].items():
            assert with_references(definition) == held[name]


def with_references(value: Any) -> Any:
    """A definition as it stands in the description, which keeps definitions elsewhere."""
    if isinstance(value, dict):
        return {
            key: item.replace("#/$defs/", "#/components/schemas/") if key == "$ref" else with_references(item)
            for key, item in value.items()
        }
    return [with_references(item) for item in value] if isinstance(value, list) else value


def test_the_call_of_a_service_has_its_request_its_answer_and_every_error(description: Json) -> None:
    call = description["paths"]["/cds-services/order-select"]["post"]
    content = call["requestBody"]["content"]
    assert content.keys() == {"application/json", "application/fhir+json"}
    assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/OrderSelectRequest"}
    assert call["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/Response")
    assert call["responses"].keys() >= {"400", "404", "405", "412", "413", "415", "422", "default"}
    for status in description["components"]["responses"].values():
        assert status["content"]["application/json"]["schema"]["$ref"].endswith("/OperationOutcome")
        assert status["description"]


def test_the_example_of_every_call_is_answered_with_cards(client: FlaskClient, description: Json) -> None:
    calls = {path: found["post"] for path, found in description["paths"].items() if "post" in found}
    calls = {path: call for path, call in calls.items() if not path.endswith("/feedback")}
    assert len(calls) == 5
    for path, call in calls.items():
        example = call["requestBody"]["content"]["application/json"]["example"]
        answer = client.post(path, json=example)
        assert answer.status_code == 200
        assert answer.get_json()["cards"] or path.endswith("patient-view"), "the sample patient is not yet on the pair"


@pytest.mark.parametrize(("auth", "security"), [("open", [{"jwt": []}, {}]), ("required", [{"jwt": []}])])
def test_a_token_is_optional_only_in_open_mode(
    library: Library, tmp_path: Path, auth: Any, security: list[Json]
) -> None:
    settings = Settings.model_validate(trusting(tmp_path, Ehr()) | {"auth": auth})
    description = create_app(settings, library).test_client().get("/openapi.json").get_json()
    assert description["security"] == security
    assert description["paths"]["/guidance"]["get"]["security"] == []


def test_the_error_that_is_sent_is_the_one_described(client: FlaskClient) -> None:
    validator = Draft202012Validator(schemas()["operation-outcome"])
    answers = [client.post("/cds-services/order-sign", json=body) for body in ({}, {"hook": "order-sign"})]
    for answer in [*answers, client.get("/nowhere"), client.get("/cds-services/order-sign")]:
        validator.validate(answer.get_json())
