"""``POST /cds-services/{id}/feedback``: kept before it is acknowledged, refused whole, and never a false yes."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.engine.library import Library
from service.records import Records
from service.records.reading import latest_outcomes
from service.settings import Settings
from tests.calls import SAMPLE, Json, by_id
from tests.conftest import TODAY
from tests.feedback import ACCEPTED, MARKER, OVERRIDDEN, entry, feedback
from tests.web.test_errors import outcome
from tests.web.test_invoke import PATH, post

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
URL = f"{PATH}/order-select/feedback"
LIMIT = 30.0


def records_in(folder: Path) -> Records:
    return Records(f"sqlite:///{folder}/tolami.db", folder / "waiting.jsonl", lambda: NOW, lambda: str(uuid4()))


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    opened = records_in(tmp_path)
    yield opened
    opened.close()


MakeApp = Callable[..., Flask]


@pytest.fixture
def make_app(library: Library, records: Records) -> MakeApp:
    def make(**settings: Any) -> Flask:
        return create_app(Settings(**settings), library, lambda: TODAY, now=lambda: NOW, records=records)

    return make


@pytest.fixture
def client(make_app: MakeApp) -> FlaskClient:
    return make_app().test_client()


def send(client: FlaskClient, *entries: Json, url: str = URL) -> Any:
    return client.post(url, data=feedback(*entries), content_type="application/json")


def kept(records: Records, card: str | None = None) -> Sequence[Any]:
    with records.database.reading() as connection:
        return latest_outcomes(connection, card, None, 100)[0]


def test_feedback_is_acknowledged_and_can_be_read_back(client: FlaskClient, records: Records) -> None:
    answer = send(client, OVERRIDDEN)
    assert (answer.status_code, answer.mimetype, answer.get_json()) == (200, "application/json", {})
    (said,) = kept(records)
    assert (said.uuid, said.outcome, said.card) == (OVERRIDDEN["card"], "overridden", "")
    assert (said.at, said.received) == (datetime(2026, 11, 23, 8, 0, tzinfo=UTC), NOW)


def test_feedback_about_a_card_that_was_shown_is_read_back_by_the_id_of_the_card(
    client: FlaskClient, records: Records
) -> None:
    card = by_id(post(client, SAMPLE.read_bytes()).get_json()["cards"])["amitriptyline-older-adult"]
    suggestion = card["suggestions"][0]["uuid"]
    records.writer.flush(LIMIT)
    said = {**ACCEPTED, "card": card["uuid"], "acceptedSuggestions": [{"id": suggestion}]}
    assert send(client, said).status_code == 200
    (found,) = kept(records, "amitriptyline-older-adult")
    assert (found.card, found.outcome, found.suggestions) == ("amitriptyline-older-adult", "accepted", [suggestion])


def test_several_entries_about_several_cards_are_kept_together(client: FlaskClient, records: Records) -> None:
    assert send(client, OVERRIDDEN, ACCEPTED, entry(card=str(uuid4()))).status_code == 200
    assert len(kept(records)) == 3


def test_the_same_feedback_again_is_acknowledged_again_and_kept_once(
    client: FlaskClient, records: Records, tmp_path: Path
) -> None:
    for _ in range(3):
        assert send(client, OVERRIDDEN, OVERRIDDEN).status_code == 200
    with closing(sqlite3.connect(tmp_path / "tolami.db")) as file:
        assert file.execute("SELECT count(*) FROM outcome").fetchone() == (1,)


def test_a_changed_mind_is_kept_beside_and_counts(client: FlaskClient, records: Records) -> None:
    send(client, OVERRIDDEN)
    send(client, {**ACCEPTED, "card": OVERRIDDEN["card"]})
    assert [said.outcome for said in kept(records)] == ["accepted"]


@pytest.mark.parametrize(
    "path", sorted(Path(__file__).parent.glob("../../fhir_fixtures/feedback/*.json")), ids=lambda path: path.stem
)
def test_the_recorded_forms_of_feedback_are_acknowledged(client: FlaskClient, path: Path) -> None:
    assert client.post(URL, data=path.read_bytes(), content_type="application/json").status_code == 200


@pytest.mark.parametrize("service", ["patient-view", "order-sign", "medication-prescribe", "medication-refill"])
def test_every_service_takes_feedback(client: FlaskClient, service: str) -> None:
    assert send(client, OVERRIDDEN, url=f"{PATH}/{service}/feedback").status_code == 200


def test_one_wrong_entry_and_none_is_kept(client: FlaskClient, records: Records) -> None:
    issue = outcome(send(client, OVERRIDDEN, entry(outcome="ignored")), 422)
    assert (issue["code"], issue["expression"]) == ("invalid", ["feedback[1].outcome"])
    assert not kept(records)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"<Parameters/>", b'{"feedback":[', b"\xff"])
def test_a_body_that_is_no_json_object_is_400(client: FlaskClient, body: bytes) -> None:
    outcome(client.post(URL, data=body, content_type="application/json"), 400)


def test_another_content_type_is_415_and_another_method_405(client: FlaskClient) -> None:
    outcome(client.post(URL, data=feedback(OVERRIDDEN), content_type="text/plain"), 415)
    assert outcome(client.get(URL), 405)["code"] == "not-supported"


@pytest.mark.parametrize("url", [f"{PATH}/no-such-service/feedback", f"{PATH}/feedback", f"{URL}/x"])
def test_feedback_to_a_service_that_there_is_not_is_404(client: FlaskClient, url: str) -> None:
    outcome(send(client, OVERRIDDEN, url=url), 404)


def test_a_browser_may_send_feedback_too(client: FlaskClient) -> None:
    asked = {
        "Origin": "https://ehr.example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    answer = client.options(URL, headers=asked)
    assert answer.status_code == 200
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]


def unavailable(answer: Any) -> None:
    issue = outcome(answer, 503)
    assert (issue["code"], answer.headers["Retry-After"]) == ("transient", "30")
    assert "Send the same again" in issue["diagnostics"]


def test_without_a_database_feedback_is_never_acknowledged_and_cards_are_still_given(
    library: Library, tmp_path: Path
) -> None:
    records = records_in(tmp_path / "later")
    client = create_app(Settings(), library, lambda: TODAY, records=records).test_client()
    assert post(client, SAMPLE.read_bytes()).get_json()["cards"]
    unavailable(send(client, OVERRIDDEN))
    assert not records.database.available()
    records.close()


def test_a_database_that_is_locked_by_others_is_no_acknowledgement(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.records.database.BUSY", 0.1)
    assert send(client, OVERRIDDEN).status_code == 200
    with closing(sqlite3.connect(tmp_path / "tolami.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        unavailable(send(client, ACCEPTED))
        other.execute("ROLLBACK")
    assert send(client, ACCEPTED).status_code == 200, "it is used again when it is back"


def test_an_application_without_records_keeps_nothing_and_says_so(app: Flask) -> None:
    unavailable(send(app.test_client(), OVERRIDDEN))


COMMENTED = entry(overrideReason={"reason": {"code": MARKER * 9, "display": MARKER}, "userComment": MARKER})


def test_what_a_client_wrote_freely_is_in_no_log_and_in_no_file(
    client: FlaskClient, tmp_path: Path, logged: list[Any], records: Records
) -> None:
    free = {**COMMENTED, "card": MARKER, "acceptedSuggestions": [{"id": MARKER}], MARKER: MARKER}
    assert send(client, free).status_code == 200
    (said,) = kept(records)
    assert (said.reason, said.comment) == ("(words)", "")
    assert MARKER not in str(logged)
    assert "feedback kept" in [line["event"] for line in logged]
    records.close()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert all(MARKER.encode() not in path.read_bytes() for path in files)


def test_a_comment_is_kept_where_that_was_chosen(make_app: MakeApp, records: Records, logged: list[Any]) -> None:
    assert send(make_app(keep_comments=True).test_client(), COMMENTED).status_code == 200
    assert [said.comment for said in kept(records)] == [MARKER]
    assert MARKER not in str(logged)


def test_an_answered_call_is_kept_without_its_patient(client: FlaskClient, records: Records, tmp_path: Path) -> None:
    request = json.loads(SAMPLE.read_bytes())
    request["context"]["patientId"] = request["prefetch"]["patient"]["id"] = MARKER
    request["prefetch"]["patient"]["name"] = [{"family": MARKER}]
    assert post(client, request).status_code == 200
    assert records.writer.flush(LIMIT)
    records.close()
    assert all(MARKER.encode() not in path.read_bytes() for path in tmp_path.iterdir())
    with closing(sqlite3.connect(tmp_path / "tolami.db")) as file:
        assert file.execute("SELECT client, hook, calls FROM call_hour").fetchall() == [("anybody", "order-select", 1)]
