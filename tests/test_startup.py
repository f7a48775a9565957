"""The service starts with an expanded terminology where a server is configured, and starts in any case."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from service.app import create_app
from service.cdshooks.schemas import MESSAGES
from service.engine.library import Library
from service.settings import Settings
from service.startup import start_library
from tests import serving as processes
from tests.calls import NEW_START, PAIR, Json, by_id
from tests.conftest import FIXTURES, TODAY
from tests.terminology.fake_server import Terminology, answering

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
SNOMED = "http://snomed.info/sct"
ANGLE_CLOSURE, BELOW = "392291006", "900001"
SUBSTANCE, TABLETS = "372726002", "900002"
CARD = "amitriptyline-and-other-conditions"


@pytest.fixture
def start(terminology_server: Terminology, tmp_path: Path, few_asked: Library) -> Callable[..., Library]:
    """Starts with the server, whose answers are kept in a folder of the test."""

    def started(after: timedelta = timedelta(0), **settings: Any) -> Library:
        chosen = {
            "terminology_server": terminology_server.url,
            "terminology_cache": tmp_path / "kept",
            "terminology_deadline": 300,
            **settings,
        }
        return start_library(Settings(**chosen), lambda: NOW + after, few_asked)

    return started


def serving(library: Library) -> Flask:
    numbers = count(1)
    return create_app(Settings(), library, lambda: TODAY, lambda: f"00000000-0000-4000-8000-{next(numbers):012}")


def cards(library: Library, request: Json) -> dict[str, Json]:
    answer = serving(library).test_client().post(f"/cds-services/{request['hook']}", json=request)
    assert answer.status_code == 200
    return by_id(answer.get_json()["cards"])


@pytest.fixture
def with_condition(fixture: Callable[[str], Json]) -> Json:
    """Amitriptyline for a patient whose only diagnosis is coded by a concept below angle-closure glaucoma."""
    request = deepcopy(fixture(PAIR))
    condition = {
        "resourceType": "Condition",
        "id": "c1",
        "subject": {"reference": f"Patient/{request['context']['patientId']}"},
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"coding": [{"system": SNOMED, "code": BELOW}], "text": "A diagnosis in words of the ward"},
    }
    request["prefetch"]["conditions"] = {"resourceType": "Bundle", "entry": [{"resource": condition}]}
    return request


def test_a_diagnosis_below_ours_raises_the_card_that_it_does_not_raise_without(
    start: Callable[..., Library], terminology_server: Terminology, library: Library, with_condition: Json
) -> None:
    terminology_server.descendants = {ANGLE_CLOSURE: [BELOW]}
    expanded = start()
    assert CARD not in cards(library, with_condition)
    card = cards(expanded, with_condition)[CARD]
    assert "angle-closure glaucoma" in card["summary"]
    assert card["extension"]["io.github.tolami"]["guidance"] == expanded.version


def test_a_drug_known_by_its_substance_alone_is_recognised_by_its_products(
    start: Callable[..., Library], terminology_server: Terminology, library: Library, fixture: Callable[[str], Json]
) -> None:
    request = deepcopy(fixture(PAIR))
    order = request["context"]["draftOrders"]["entry"][0]["resource"]
    order["medicationCodeableConcept"] = {"coding": [{"system": SNOMED, "code": TABLETS}]}
    terminology_server.descendants = {SUBSTANCE: [TABLETS]}
    assert "tolperisone-with-amitriptyline" in cards(start(), request)
    assert "tolperisone-with-amitriptyline" not in cards(library, request)


def test_without_a_server_the_embedded_lists_serve_and_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: Library, logged: list[Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert start_library(Settings(), lambda: NOW).version == library.version
    assert list(tmp_path.iterdir()) == []
    assert logged == []


def test_the_log_says_what_is_in_force(
    start: Callable[..., Library], terminology_server: Terminology, logged: list[Any]
) -> None:
    terminology_server.descendants = {ANGLE_CLOSURE: [BELOW], SUBSTANCE: [TABLETS]}
    library = start()
    begun, line = logged
    assert (begun["event"], begun["seconds_at_most"]) == ("expanding terminology", 300)
    assert (line["log_level"], line["event"]) == ("info", "terminology expanded")
    assert (line["conditions"], line["drugs"], line["added"]) == ("server", "server", 2)
    assert (line["snomed"], line["guidance"]) == ("20260101", library.version)


def test_a_later_start_does_not_ask_and_one_without_the_server_says_how_old_its_answers_are(
    start: Callable[..., Library], terminology_server: Terminology, logged: list[Any]
) -> None:
    terminology_server.descendants = {ANGLE_CLOSURE: [BELOW]}
    first = start()
    terminology_server.asked.clear()
    assert start(timedelta(days=6)).version == first.version
    assert terminology_server.asked == []
    terminology_server.instead = answering(503, b"")
    assert start(timedelta(days=60)).version == first.version
    line = logged[-1]
    assert line["log_level"] == "warning"
    assert (line["conditions"], line["drugs"]) == ("cache of 2026-11-23", "cache of 2026-11-23")
    assert "status 503" in line["reason"]


@pytest.mark.parametrize(
    "behaviour",
    [answering(404, {"resourceType": "OperationOutcome"}), answering(200, b"<html>"), answering(503, b"")],
)
def test_a_server_that_cannot_be_used_costs_one_warning(
    start: Callable[..., Library],
    terminology_server: Terminology,
    logged: list[Any],
    library: Library,
    behaviour: Any,
) -> None:
    terminology_server.instead = behaviour
    assert start().version == library.version
    _, line = logged
    assert line["log_level"] == "warning"
    assert (line["conditions"], line["drugs"]) == ("embedded lists", "embedded lists")
    assert len(terminology_server.asked) <= 2


def test_a_server_that_is_not_there_does_not_keep_the_service_from_starting(
    start: Callable[..., Library], library: Library, logged: list[Any]
) -> None:
    assert start(terminology_server="http://127.0.0.1:9").version == library.version
    assert [line["log_level"] for line in logged] == ["info", "warning"]


def test_refused_codes_are_logged(
    start: Callable[..., Library], terminology_server: Terminology, logged: list[Any]
) -> None:
    terminology_server.descendants = {"372596005": [BELOW], "400447003": [BELOW]}
    start()
    assert logged[-1]["log_level"] == "warning"
    assert json.dumps(logged[-1]["codes"]) == json.dumps({BELOW: ["citalopram", "escitalopram"]})


def test_a_folder_that_cannot_be_written_is_logged_with_the_setting(
    start: Callable[..., Library], tmp_path: Path, logged: list[Any]
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    start(terminology_cache=tmp_path / "file")
    assert logged[-1]["event"] == "expansions not kept"
    assert "TOLAMI_TERMINOLOGY_CACHE" in logged[-1]["advice"]


def test_the_served_process_answers_with_the_expanded_terminology(
    terminology_server: Terminology, tmp_path: Path, with_condition: Json, library: Library
) -> None:
    terminology_server.descendants = {ANGLE_CLOSURE: [BELOW]}
    settings = {
        "TOLAMI_TERMINOLOGY_SERVER": terminology_server.url,
        "TOLAMI_TERMINOLOGY_DEADLINE": "300",
        "TOLAMI_LOG_FORMAT": "json",
    }
    with processes.serving(tmp_path, settings=settings) as served, processes.session() as client:
        answer = client.post(f"{served.url}/cds-services/order-select", json=with_condition, timeout=processes.CALL)
        asked = len(terminology_server.asked)
    assert CARD in by_id(answer.json()["cards"])
    assert asked == len(library.terminology.queries), "each set is asked for once, not by each worker"
    assert '"terminology expanded"' in served.log.read_text(encoding="utf-8")
    assert len(list((tmp_path / "tolami-terminology").iterdir())) == asked


def test_the_service_starts_answers_and_describes_itself_without_docstrings(tmp_path: Path, library: Library) -> None:
    descriptions = ("/openapi.json", *(f"/schemas/{message.file}.json" for message in MESSAGES))
    with processes.serving(tmp_path, settings={"PYTHONOPTIMIZE": "2"}) as served, processes.session() as client:
        request = (FIXTURES / f"{NEW_START}.json").read_bytes()
        answer = client.post(f"{served.url}/cds-services/order-sign", request, headers=processes.JSON)
        without = {path: client.get(f"{served.url}{path}").json() for path in descriptions}
    assert answer.json()["cards"]
    app = create_app(Settings(public_url=served.url), library).test_client()
    for path in descriptions:
        assert without[path] == app.get(path).get_json(), path
