"""Another guideline is served by the same engine: HL7's decision table for warfarin with NSAIDs, column by column."""

import ast
import gc
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import records_of
from service.engine.asked import unknown_ids
from service.engine.check import deep_faults, template_faults
from service.engine.check_answers import unreadable
from service.engine.guideline import Guideline
from service.engine.library import Library
from service.engine.loading import SAMPLE, load
from service.engine.rendering import Renderer
from service.files import FaultyLibrary
from service.server import Server
from service.settings import Settings
from tests.calls import RXNORM
from tests.conftest import ROOT

Json = dict[str, Any]
PRODUCTS = {
    "warfarin": ("855332", "Warfarin Sodium 5 MG Oral Tablet"),
    "ibuprofen": ("197805", "Ibuprofen 400 MG Oral Tablet"),
    "naproxen": ("198013", "Naproxen 250 MG Oral Tablet"),
    "diclofenac gel": ("855635", "Voltaren 1 % Topical Gel"),
    "omeprazole": ("198051", "Omeprazole 20 MG Delayed Release Oral Capsule"),
    "misoprostol": ("317128", "Misoprostol 0.2 MG Oral Tablet"),
    "dexamethasone": ("197577", "Dexamethasone 0.5 MG Oral Tablet"),
    "spironolactone": ("313096", "Spironolactone 25 MG Oral Tablet"),
    "amoxicillin": ("308182", "amoxicillin 250 MG Oral Capsule"),
}
BLED = ("89748001", "Acute gastric ulcer with hemorrhage")
YOUNG, OLD, SIXTY_FIVE = "1981-05-05", "1950-05-05", "1961-05-05"


def order(drug: str, status: str) -> Json:
    code, display = PRODUCTS[drug]
    return {
        "resourceType": "MedicationRequest",
        "id": drug.replace(" ", "-"),
        "status": status,
        "intent": "order",
        "subject": {"reference": "Patient/p1"},
        "authoredOn": "2026-11-01",
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": code, "display": display}]},
        "dosageInstruction": [
            {
                "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                "doseAndRate": [{"doseQuantity": {"value": 5, "unit": "mg"}}],
            }
        ],
    }


def bundle(*resources: Json) -> Json:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": resource} for resource in resources]}


def condition(clinical: str) -> Json:
    code, display = BLED
    status = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    return {
        "resourceType": "Condition",
        "subject": {"reference": "Patient/p1"},
        "clinicalStatus": {"coding": [{"system": status, "code": clinical}]},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": code, "display": display}]},
    }


def request_for(drafts: list[str], taken: list[str], born: str = YOUNG, bled: str = "") -> Json:
    return {
        "hook": "order-sign",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {
            "userId": "Practitioner/1",
            "patientId": "p1",
            "draftOrders": {**bundle(*(order(drug, "draft") for drug in drafts)), "type": "collection"},
        },
        "prefetch": {
            "patient": {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": born},
            "medications": bundle(*(order(drug, "active") for drug in taken)),
            "statements": bundle(),
            "conditions": bundle(*([condition(bled)] if bled else [])),
            "allergies": bundle(),
            "observations": bundle(),
        },
    }


@pytest.fixture
def cards(served: Flask) -> Any:
    client: FlaskClient = served.test_client()

    def answer(drafts: list[str], taken: list[str], born: str = YOUNG, bled: str = "") -> list[Json]:
        response = client.post("/cds-services/order-sign", json=request_for(drafts, taken, born, bled))
        assert response.status_code == 200, response.get_data(as_text=True)
        answered: list[Json] = response.get_json()["cards"]
        return answered

    return answer


ASSESS, BENEFIT = "Assess the risk, and take action", "only if the benefit outweighs the risk"
TABLE: dict[str, tuple[list[str], list[str], str, str, str, str]] = {
    "for the skin": (["diclofenac gel"], ["warfarin"], YOUNG, "", "", ""),
    "with a proton pump inhibitor": (["ibuprofen"], ["warfarin", "omeprazole"], OLD, "active", "warning", ASSESS),
    "with misoprostol": (["ibuprofen"], ["warfarin", "misoprostol", "dexamethasone"], OLD, "", "warning", ASSESS),
    "older and a corticosteroid": (["ibuprofen"], ["warfarin", "dexamethasone"], OLD, "", "critical", BENEFIT),
    "bled once and an antagonist": (
        ["ibuprofen"],
        ["warfarin", "spironolactone"],
        YOUNG,
        "resolved",
        "critical",
        BENEFIT,
    ),
    "older": (["ibuprofen"], ["warfarin"], OLD, "", "warning", BENEFIT),
    "bleeding on record": (["ibuprofen"], ["warfarin"], YOUNG, "active", "warning", BENEFIT),
    "a corticosteroid": (["ibuprofen"], ["warfarin", "dexamethasone"], YOUNG, "", "warning", BENEFIT),
    "several NSAIDs": (["ibuprofen"], ["warfarin", "naproxen"], YOUNG, "", "warning", BENEFIT),
    "nothing else": (["ibuprofen"], ["warfarin"], YOUNG, "", "warning", ASSESS),
    "65 is not over 65": (["ibuprofen"], ["warfarin"], SIXTY_FIVE, "", "warning", ASSESS),
    "warfarin for an NSAID": (["warfarin"], ["ibuprofen"], YOUNG, "", "warning", ASSESS),
    "another drug": (["amoxicillin"], ["warfarin", "ibuprofen"], OLD, "active", "", ""),
    "no warfarin": (["ibuprofen"], [], OLD, "active", "", ""),
}


@pytest.mark.parametrize(("drafts", "taken", "born", "bled", "indicator", "action"), TABLE.values(), ids=TABLE)
def test_every_column_of_the_decision_table_is_answered(
    cards: Any, drafts: list[str], taken: list[str], born: str, bled: str, indicator: str, action: str
) -> None:
    found = cards(drafts, taken, born, bled)
    assert [card["indicator"] for card in found] == ([indicator] if indicator else [])
    assert all(action in card["detail"] for card in found)


def test_the_card_is_this_guidelines_own_with_its_merged_line(cards: Any, warfarin: Guideline) -> None:
    (card,) = cards(["ibuprofen"], ["warfarin", "dexamethasone"], OLD)
    own = card["extension"]["io.github.tolami"]
    assert (own["card"], own["rules"]) == ("nsaid-with-warfarin", ["R01", "R02"])
    assert own["guidance"] == warfarin.library.version
    assert card["summary"] == "Do not give ibuprofen with warfarin: bleeding risk is substantial"
    listed = [line for line in card["detail"].splitlines() if line.startswith("- ")]
    assert [line.removeprefix("- ") for line in listed[:2]] == ["age over 65", "dexamethasone"]
    assert listed[2].startswith("- Check the INR")
    assert list(unreadable(card, warfarin.library)) == []


def test_what_cannot_be_read_is_said_here_as_well(cards: Any) -> None:
    (card,) = cards(["ibuprofen"], ["warfarin"], born="")
    assert card["indicator"] == "warning", "an age that is not known is no old age"
    warned = cards(["warfarin"], ["ibuprofen"], born="")
    assert any("date of birth" in card["detail"] or "age" in card["summary"] for card in warned)


def test_discovery_and_pages_are_about_this_guideline(served: Flask) -> None:
    client = served.test_client()
    services = client.get("/cds-services").get_json()["services"]
    assert [service["id"] for service in services] == ["order-select", "order-sign"]
    for path in ("/", "/cds-services", "/openapi.json", "/guidance", "/guidance/nsaid-with-warfarin"):
        assert "arfarin" in client.get(path).text, path


ONLY_OURS = re.compile(
    r"amitriptyline|tolperisone|tricyclic|fibromyalgia|AI-written|which dose to start"
    r"|/cds-services/(?!order-select|order-sign)[a-z]",
    re.IGNORECASE,
)
"""What a reader of another guideline must not meet: our drugs and article, and a hook that is not answered."""


def test_nothing_that_is_served_is_content_of_ours(served: Flask, warfarin: Guideline) -> None:
    client = served.test_client()
    paths = ["/", "/playground", "/cds-services", "/api", "/openapi.json", "/schemas/", "/guidance", "/insights"]
    paths += [path.removeprefix("http://localhost") for path in client.get("/schemas/").get_json()["schemas"].values()]
    paths += [f"/guidance/{card}" for card in warfarin.library.cards]
    for path in paths:
        answer = client.get(path, headers={"Accept": "text/html" if "." not in path else "*/*"})
        assert answer.status_code == 200, path
        assert ONLY_OURS.findall(answer.text) == [], path


def test_without_requests_of_its_own_the_playground_opens_with_an_empty_box_and_a_hint(served: Flask) -> None:
    page = served.test_client().get("/playground").text
    assert "Paste a request" in page
    assert "Error" not in page
    assert "Requests that come with the service" not in page
    for hook in ("order-select", "order-sign", "patient-view"):
        assert (f"<option>{hook}</option>" in page) is (hook != "patient-view"), hook
    assert "curl" not in served.test_client().get("/").text


@pytest.fixture
def sample() -> Json:
    return request_for(["ibuprofen"], ["warfarin"])


@pytest.fixture
def started(tmp_path: Path, warfarin: Guideline, monkeypatch: pytest.MonkeyPatch) -> Callable[[Library], FlaskClient]:
    """What ``service.server.serve`` serves of a library with this guideline's rules."""
    for name in ("freeze", "set_threshold"):  # of a process of its own
        monkeypatch.setattr(gc, name, lambda *_: None)
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'kept.db'}")

    def load_and_warm(library: Library) -> FlaskClient:
        options = {"threads": 8, "reload": False}
        return Server(settings, library, warfarin.rules, records_of(settings), options, tmp_path).load().test_client()

    return load_and_warm


def test_the_server_starts_with_its_rules_and_without_a_sample(
    started: Callable[[Library], FlaskClient], warfarin: Guideline, sample: Json
) -> None:
    (card,) = started(warfarin.library).post("/cds-services/order-sign", json=sample).get_json()["cards"]
    assert card["extension"]["io.github.tolami"]["card"] == "nsaid-with-warfarin"


def test_what_lies_beside_its_cards_is_shown(
    folder: Path, tmp_path: Path, started: Callable[[Library], FlaskClient], sample: Json
) -> None:
    """A request to begin with, and requests for the playground: those whose hook it answers."""
    own = Path(shutil.copytree(folder, tmp_path / "cards"))
    text = json.dumps(sample)
    (own / SAMPLE).write_text(text, encoding="utf-8")
    guideline = own / "guideline.yaml"
    guideline.write_text(
        guideline.read_text(encoding="utf-8") + "fixtures: ../shown\nexample: order-sign/ibuprofen\n", encoding="utf-8"
    )
    for name in ("order-sign/ibuprofen", "patient-view/not-answered"):
        (tmp_path / "shown/requests" / name).parent.mkdir(parents=True)
        (tmp_path / "shown/requests" / f"{name}.json").write_text(text, encoding="utf-8")
    client = started(load(own))
    home = client.get("/").text
    assert f"-d @cards/{SAMPLE}" in home
    assert "/cds-services/order-sign</pre>" in home
    assert "Ibuprofen" in client.get("/openapi.json").text
    page = client.get("/playground").text
    assert '<h2 id="cards">1 card' in page
    assert "order-sign/ibuprofen" in page
    assert "not-answered" not in page


def test_a_sample_for_a_hook_that_is_not_answered_is_a_fault(folder: Path, tmp_path: Path, sample: Json) -> None:
    own = Path(shutil.copytree(folder, tmp_path / "cards"))
    (own / SAMPLE).write_text(json.dumps(sample | {"hook": "patient-view"}), encoding="utf-8")
    with pytest.raises(FaultyLibrary, match="'patient-view' is no service of"):
        load(own)


def test_its_cards_rules_and_terminology_pass_every_check(warfarin: Guideline, folder: Path) -> None:
    assert [str(fault) for fault in deep_faults(warfarin, folder)] == []
    assert [str(fault) for fault in unknown_ids(warfarin.library, warfarin.rules)] == []
    assert list(template_faults(Renderer.of(warfarin.library))) == []


def test_what_serves_every_guideline_names_no_drug(library: Library) -> None:
    """Docstrings of commands are their help and count; what they give as an example in it may name ours."""
    texts = []
    for room in ("cli", "cdshooks", "dosing", "engine", "fhir", "records", "terminology", "trust", "web"):
        for path in sorted((ROOT / "service" / room).rglob("*.html")):
            texts.append((path.name, path.read_text(encoding="utf-8")))
        for path in sorted((ROOT / "service" / room).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            apart = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and room != "cli"}
            calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and room == "cli"]
            examples = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "example"]
            apart |= {id(node) for call in examples for node in ast.walk(call)}
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in apart:
                    texts.append((f"{path.name}:{node.lineno}", node.value))
    whole = "\n".join(text for _, text in texts).lower()
    contained = [title for title in library.terminology.titles.values() if title.lower() in whole]
    drugs = re.compile("|".join(rf"\b{re.escape(title)}" for title in contained) or r"(?!)", re.IGNORECASE)
    assert [f"{place}: {word}" for place, text in texts for word in drugs.findall(text)] == []
