"""A card that the same clinician has answered for a patient stays quiet until something changes; others see it."""

import copy
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.cdshooks.messages import EXTENSION
from service.cli.serve import for_demo
from service.engine.library import Library
from service.records import Records
from service.records.purge import remove_expired
from service.records.reading import report
from service.settings import Settings
from tests.calls import Json
from tests.conftest import FIXTURES, TODAY
from tests.feedback import ACCEPTED, MARKER, entry
from tests.web.test_feedback import LIMIT, NOW, send

REQUESTS = FIXTURES / "requests"


def request(path: str) -> Json:
    found: Json = json.loads((REQUESTS / f"{path}.json").read_bytes())
    return found


PAIR = request("order-select/amitriptyline-25-mg-for-patient-on-tolperisone")
CRITICAL = request("order-select/amitriptyline-for-patient-on-rasagiline")


class Server:
    """One server on the database of a folder, with a clock that is set by hand."""

    def __init__(self, folder: Path, library: Library, name: str = "first", quiet_days: int = 30) -> None:
        self.now: datetime = NOW
        self.records = Records(
            f"sqlite:///{folder}/tolami.db",
            folder / f"{name}.jsonl",
            lambda: self.now,
            lambda: str(uuid4()),
            timedelta(days=quiet_days),
        )
        assert self.records.database.available()
        app = create_app(Settings(), library, lambda: TODAY, now=lambda: self.now, records=self.records)
        self.client: FlaskClient = app.test_client()

    def ask(self, asked: Json) -> Json:
        """The answer to a call, once it is written."""
        answer = self.client.post(f"/cds-services/{asked['hook']}", json=asked)
        assert answer.status_code == 200
        assert self.records.writer.flush(LIMIT)
        return dict(answer.get_json())

    def answer(self, shown: Json, how: str = "overridden") -> None:
        """Sends feedback on every card."""
        for card in shown["cards"]:
            said = entry(card=card["uuid"])
            if how == "accepted":
                said = {**ACCEPTED, "card": card["uuid"], "acceptedSuggestions": [{"id": str(uuid4())}]}
            assert send(self.client, said).status_code == 200


Serve = Callable[..., Server]


@pytest.fixture
def serve(library: Library, tmp_path: Path, request: pytest.FixtureRequest) -> Serve:
    def made(name: str = "first", quiet_days: int = 30) -> Server:
        server = Server(tmp_path, library, name, quiet_days)
        request.addfinalizer(server.records.close)
        return server

    return made


def cards(answer: Json) -> set[str]:
    return {card["extension"][EXTENSION]["card"] for card in answer["cards"]}


def quiet(answer: Json) -> set[str]:
    return set(answer.get("extension", {}).get(EXTENSION, {}).get("quiet", ()))


@pytest.mark.parametrize("how", ["overridden", "accepted"])
def test_what_was_answered_stays_quiet_and_is_named(serve: Serve, how: str) -> None:
    server = serve()
    first = server.ask(PAIR)
    assert cards(first)
    assert cards(server.ask(PAIR)) == cards(first), "without an answer it is shown again"
    server.answer(first, how)
    again = server.ask(PAIR)
    assert again["cards"] == []
    assert quiet(again) >= cards(first)


def test_a_demonstration_shows_its_cards_to_the_next_visitor_too(serve: Serve) -> None:
    settings = for_demo(Settings())
    assert settings.demo
    server = serve(quiet_days=settings.quiet_days)
    first = server.ask(PAIR)
    server.answer(first)
    assert cards(server.ask(PAIR)) == cards(first)


def test_only_what_was_answered_stays_quiet_and_the_last_card_says_so(serve: Serve) -> None:
    server = serve()
    first = server.ask(PAIR)
    if len(first["cards"]) < 2:
        pytest.skip("the pair has one card only")
    server.answer({"cards": first["cards"][:1]})
    again = server.ask(PAIR)
    assert again["cards"]
    assert not cards(again) & quiet(again)
    assert "Not shown again, as you answered it:" in again["cards"][-1]["detail"]


def test_another_clinician_another_patient_and_no_clinician_see_it(serve: Serve) -> None:
    server = serve()
    first = server.ask(PAIR)
    server.answer(first)
    another = copy.deepcopy(PAIR)
    another["context"]["userId"] = "Practitioner/somebody-else"
    assert cards(server.ask(another)) == cards(first)
    nobody = copy.deepcopy(PAIR)
    nobody["context"]["userId"] = ""
    assert cards(server.ask(nobody)) == cards(first)
    patient = json.loads(json.dumps(PAIR).replace(PAIR["context"]["patientId"], "another-patient"))
    assert cards(server.ask(patient)) == cards(first)


def test_a_critical_card_is_never_quiet(serve: Serve) -> None:
    server = serve()
    first = server.ask(CRITICAL)
    critical = {c["extension"][EXTENSION]["card"] for c in first["cards"] if c["indicator"] == "critical"}
    assert critical
    server.answer(first)
    again = server.ask(CRITICAL)
    assert critical <= cards(again)
    assert not critical & quiet(again)


def test_another_dose_is_shown_again(serve: Serve) -> None:
    server = serve()
    server.answer(server.ask(PAIR))
    larger = copy.deepcopy(PAIR)
    (draft,) = larger["context"]["draftOrders"]["entry"]
    dose = draft["resource"]["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]
    dose["value"] = 4 * dose["value"]
    assert server.ask(larger)["cards"]


def test_it_is_quiet_on_another_server_with_the_same_database(serve: Serve) -> None:
    first, second = serve("first"), serve("second")
    shown = first.ask(PAIR)
    second.answer(shown)
    assert second.ask(PAIR)["cards"] == []
    assert first.ask(PAIR)["cards"] == []


def test_it_is_quiet_at_another_hook(serve: Serve) -> None:
    server = serve()
    server.answer(server.ask(PAIR))
    signed = copy.deepcopy(PAIR)
    signed["hook"] = "order-sign"
    del signed["context"]["selections"]
    assert quiet(server.ask(signed))


def test_it_is_shown_again_when_the_days_are_over_and_then_nothing_of_it_is_left(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    first = server.ask(PAIR)
    server.answer(first)
    server.now = NOW + timedelta(days=29)
    assert server.ask(PAIR)["cards"] == []
    server.now = NOW + timedelta(days=31)
    assert cards(server.ask(PAIR)) == cards(first)
    remove_expired(server.records.database, NOW + timedelta(days=90))
    with closing(sqlite3.connect(tmp_path / "tolami.db")) as file:
        assert file.execute("SELECT count(*) FROM quiet_card").fetchone() == (0,)


def test_with_no_days_nothing_is_quiet_and_no_digest_is_kept(serve: Serve, tmp_path: Path) -> None:
    server = serve(quiet_days=0)
    first = server.ask(PAIR)
    server.answer(first)
    assert cards(server.ask(PAIR)) == cards(first)
    with closing(sqlite3.connect(tmp_path / "tolami.db")) as file:
        assert file.execute("SELECT count(*) FROM quiet_card").fetchone() == (0,)


def test_without_the_database_cards_are_shown(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve()
    first = server.ask(PAIR)
    server.answer(first)
    assert server.ask(PAIR)["cards"] == []
    monkeypatch.setattr("service.records.database.Database._ready", _away)
    assert cards(dict(server.client.post("/cds-services/order-select", json=PAIR).get_json())) == cards(first)


def _away(*_: object) -> None:
    from service.records import DatabaseUnavailable

    raise DatabaseUnavailable("away")


def test_what_is_kept_names_neither_clinician_nor_patient(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    marked = json.loads(json.dumps(PAIR).replace(PAIR["context"]["patientId"], MARKER))
    marked["context"]["userId"] = f"Practitioner/{MARKER}"
    server.answer(server.ask(marked))
    assert server.ask(marked)["cards"] == []
    server.records.close()
    assert all(MARKER.encode() not in path.read_bytes() for path in tmp_path.iterdir())


def test_what_stayed_quiet_is_counted(serve: Serve) -> None:
    server = serve()
    first = server.ask(PAIR)
    server.answer(first)
    server.ask(PAIR)
    with server.records.database.reading() as connection:
        found = report(connection, NOW.date())
    assert {card.card for card in found.cards if card.counted.quiet} >= cards(first)
    assert found.calls == 2


def test_what_could_not_be_checked_is_shown_for_another_patient(serve: Serve) -> None:
    server = serve()
    unclear = request("order-sign/drug-only-by-unresolvable-reference")
    first = server.ask(unclear)
    server.answer(first)
    another = json.loads(json.dumps(unclear).replace(unclear["context"]["patientId"], "another-patient"))
    assert cards(server.ask(another)) == cards(first)
