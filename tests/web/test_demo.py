"""The synthetic patients can be read and searched as the Sandbox does, and the pair raises its card there."""

import html
from urllib.parse import parse_qs, urlsplit

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.cdshooks.messages import EXTENSION
from service.engine.library import Library
from service.settings import Settings
from service.web.demo import ADDRESS, introduced, people
from tests.conftest import FIXTURES

PATIENTS = FIXTURES / "demo"


@pytest.fixture(scope="module")
def client(library: Library) -> FlaskClient:
    app: Flask = create_app(Settings(demo=True), library)
    return app.test_client()


def test_everything_that_it_answers_is_valid_fhir(client: FlaskClient) -> None:
    CapabilityStatement.model_validate(client.get(f"{ADDRESS}/metadata").get_json())
    for kind in {reference.partition("/")[0] for reference in people(PATIENTS)}:
        found = Bundle.model_validate(client.get(f"{ADDRESS}/{kind}").get_json())
        assert found.total == len(found.entry or ()) > 0
    for reference in people(PATIENTS):
        assert client.get(f"{ADDRESS}/{reference}").get_json()["id"] == reference.partition("/")[2]


def test_a_search_is_narrowed_by_patient_id_and_code_as_get_and_as_post(client: FlaskClient) -> None:
    of_jan = client.get(f"{ADDRESS}/MedicationRequest?patient=demo-jan").get_json()
    assert of_jan["total"] == 2
    posted = client.post(f"{ADDRESS}/MedicationRequest/_search", data={"patient": "Patient/demo-jan"}).get_json()
    assert [entry["resource"]["id"] for entry in posted["entry"]] == [e["resource"]["id"] for e in of_jan["entry"]]
    assert client.get(f"{ADDRESS}/Patient?_id=demo-jan").get_json()["total"] == 1
    assert client.get(f"{ADDRESS}/Condition?code=http://hl7.org/fhir/sid/icd-10|G20,I10").get_json()["total"] == 2
    assert client.get(f"{ADDRESS}/Observation?patient=demo-jan").get_json()["total"] == 0


def test_what_is_not_there_is_404_with_an_outcome(client: FlaskClient) -> None:
    for path in ("Patient/nobody", "Nope", "Nope/1", "Nope/_search"):
        answer = client.get(f"{ADDRESS}/{path}")
        assert (answer.status_code, answer.get_json()["resourceType"]) == (404, "OperationOutcome"), path


def test_amitriptyline_for_a_patient_on_tolperisone_raises_the_card_about_the_pair(client: FlaskClient) -> None:
    def listed(kind: str) -> object:
        return client.get(f"{ADDRESS}/{kind}?patient=demo-eszter").get_json()

    draft = {
        "resourceType": "MedicationRequest",
        "id": "request-123",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/demo-eszter"},
        "medicationCodeableConcept": {"text": "Amitriptyline Hydrochloride 10 MG Oral Tablet"},
    }
    request = {
        "hook": "order-sign",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {
            "userId": "Practitioner/1",
            "patientId": "demo-eszter",
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": draft}]},
        },
        "prefetch": {
            "patient": client.get(f"{ADDRESS}/Patient/demo-eszter").get_json(),
            "medications": listed("MedicationRequest"),
            "statements": listed("MedicationStatement"),
            "conditions": listed("Condition"),
            "allergies": listed("AllergyIntolerance"),
            "observations": listed("Observation"),
        },
    }
    cards = client.post("/cds-services/order-sign", json=request).get_json()["cards"]
    assert "tolperisone-with-amitriptyline" in {card["extension"][EXTENSION]["card"] for card in cards}


def test_the_home_page_introduces_every_patient_with_a_link_that_opens_the_sandbox_on_them(client: FlaskClient) -> None:
    page = html.unescape(client.get("/").text)
    for one in introduced(PATIENTS, "http://localhost"):
        assert one.name in page
        assert one.link in page
        assert parse_qs(urlsplit(one.link).query)["fhirServiceUrl"] == [f"http://localhost{ADDRESS}"]
    assert page.count("sandbox.cds-hooks.org") == len(list(introduced(PATIENTS, ""))) + 1, (
        "the button opens the first of them"
    )


def test_without_the_setting_there_is_no_such_server(library: Library) -> None:
    assert create_app(Settings(), library).test_client().get(f"{ADDRESS}/metadata").status_code == 404
