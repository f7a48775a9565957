"""Whoever runs the service can see whether it lives, whether it is ready and what it has done."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app, records_of
from service.engine.library import Library
from service.metrics import Metrics
from service.settings import Settings
from service.web.operations import LATE, Check, operations
from tests.calls import PAIR, without

SECRET = "postgresql://tolami:pass@db.example.org/tolami"
Fixture = Callable[[str], dict[str, Any]]


def asked(*checks: Check) -> Any:
    """The answer of /readyz with these checks."""
    app = Flask("operations")
    app.register_blueprint(operations(checks, "1.2.3", Metrics({})))
    return app.test_client().get("/readyz")


def failing() -> str:
    raise ConnectionError(SECRET)


def test_the_service_says_that_it_lives(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "alive"})


def test_a_ready_service_names_its_guidance(client: FlaskClient, library: Library) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.get_json()["status"] == "ready"
    assert answer.get_json()["guidance"] == library.version
    assert answer.get_json()["checks"]["guidance"] == "ok"


def test_a_needed_check_that_fails_is_named_and_makes_the_service_not_ready() -> None:
    answer = asked(Check("guidance", lambda: ""), Check("database", lambda: "cannot be written"))
    assert answer.status_code == 503
    assert answer.get_json() == {
        "status": "not ready",
        "guidance": "1.2.3",
        "checks": {"guidance": "ok", "database": "cannot be written"},
    }


def test_a_moment_without_threads_does_not_leave_a_check_late_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_thread(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    app = Flask("operations")
    app.register_blueprint(operations([Check("database", lambda: "")], "1.2.3", Metrics({})))
    client = app.test_client()
    with monkeypatch.context() as short:
        short.setattr(threading.Thread, "start", no_thread)
        assert client.get("/readyz").get_json()["checks"] == {"database": LATE}
    assert client.get("/readyz").get_json()["checks"] == {"database": "ok"}


def test_a_service_that_can_still_give_cards_is_degraded_and_gets_calls() -> None:
    answer = asked(Check("database", lambda: "cannot be written", needed=False))
    assert (answer.status_code, answer.get_json()["status"]) == (200, "degraded")


def test_a_check_that_breaks_has_failed_and_tells_nothing_of_its_message(logged: list[Any]) -> None:
    answer = asked(Check("database", failing))
    assert answer.status_code == 503
    assert "ConnectionError" in answer.get_json()["checks"]["database"]
    assert SECRET not in answer.text + str(logged)
    assert logged[0]["check"] == "database"


def test_metrics_show_what_was_answered(client: FlaskClient, fixture: Fixture) -> None:
    client.post("/cds-services/order-select", json=fixture(PAIR))
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'tolami_requests_total{endpoint="invoke",hook="order-select",status="200"}' in answer.text
    assert 'tolami_cards_total{card="tolperisone-with-amitriptyline",indicator="warning"}' in answer.text


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_no_cache_keeps_the_state_of_the_service(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers["Cache-Control"] == "no-store"


def test_fetches_and_their_failures_are_counted(client: FlaskClient, fixture: Fixture) -> None:
    elsewhere = {"fhirServer": "https://fhir.example.org", "fhirAuthorization": {"access_token": "t"}}
    client.post("/cds-services/order-select", json=without(fixture(PAIR), "prefetch", "conditions") | elsewhere)
    series = 'tolami_fhir_fetches_total{key="conditions",outcome="fhir-not-allowed"}'
    assert series in client.get("/metrics").text


def test_a_check_that_hangs_is_waited_for_only_so_long_and_started_only_once() -> None:
    end, started = threading.Event(), []

    def hanging() -> str:
        started.append(True)
        end.wait(60)
        return ""

    app = Flask("operations")
    app.register_blueprint(operations([Check("database", hanging, needed=False)], "1.2.3", Metrics({})))
    try:
        for _ in range(2):
            answer = app.test_client().get("/readyz")
            assert (answer.status_code, answer.get_json()["checks"]) == (200, {"database": LATE})
        assert len(started) == 1
    finally:
        end.set()


def test_a_service_whose_database_is_away_is_degraded_and_says_so(library: Library, tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/nowhere/tolami.db", spill_file=tmp_path / "waiting")
    records = records_of(settings)
    answer = create_app(settings, library, records=records).test_client().get("/readyz")
    assert (answer.status_code, answer.get_json()["status"]) == (200, "degraded")
    assert answer.get_json()["checks"] == {"guidance": "ok", "database": "cannot be used"}
    assert str(tmp_path) not in answer.text
