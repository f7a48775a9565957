"""Several processes of ``tolami serve`` keep one record, and what was acknowledged survives the worst end."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from service.records.database import Database
from service.records.reading import latest_outcomes
from tests.calls import SAMPLE, by_id
from tests.feedback import ACCEPTED, OVERRIDDEN, entry, feedback
from tests.records.kept import named
from tests.records.test_store import answered_calls
from tests.records.test_writer import until
from tests.serving import CALL, COMMAND, Served, environment, serving, session


@contextmanager
def keeping(folder: Path, url: str, *arguments: str) -> Iterator[Served]:
    """A server that keeps its records there, with one process unless the arguments say otherwise."""
    folder.mkdir(exist_ok=True)
    with serving(folder, *(arguments or ("--workers", "1")), settings={"TOLAMI_DATABASE_URL": url}) as served:
        yield served


JSON = {"Content-Type": "application/json"}


def call(served: Served) -> dict[str, Any]:
    """The cards of an answered call, by the id of their file."""
    with session() as client:
        url = f"{served.url}/cds-services/order-select"
        answer = client.post(url, data=SAMPLE.read_bytes(), headers=JSON, timeout=CALL)
    assert answer.status_code == 200
    return by_id(answer.json()["cards"])


def send(served: Served, *entries: dict[str, Any]) -> requests.Response:
    with session() as client:
        url = f"{served.url}/cds-services/order-select/feedback"
        return client.post(url, data=feedback(*entries), headers=JSON, timeout=CALL)


def latest(database: Database) -> list[tuple[str, str]]:
    with database.reading() as connection:
        return sorted((each.uuid, each.outcome) for each in latest_outcomes(connection, None, None, 1000)[0])


@pytest.fixture
def url(tmp_path: Path) -> str:
    """An SQLite file; two servers on PostgreSQL are in ``test_machines``."""
    return f"sqlite:///{tmp_path / 'tolami.db'}"


def test_what_waits_when_a_server_ends_meets_its_feedback_in_the_report(
    url: str, database: Database, tmp_path: Path
) -> None:
    with keeping(tmp_path / "second", url) as second:
        with keeping(tmp_path / "first", url, "--workers", "2") as first:
            cards = [call(first)["amitriptyline-older-adult"] for _ in range(10)]
            assert send(second, entry(card=cards[-1]["uuid"])).status_code == 200
        assert answered_calls(database) == 10
    reported = subprocess.run(
        [str(COMMAND), "report", "--format", "json"], capture_output=True, check=True, timeout=60, cwd=tmp_path,
        env=environment() | {"TOLAMI_DATABASE_URL": url},
    )  # fmt: skip
    row = next(row for row in json.loads(reported.stdout) if row["card"] == "amitriptyline-older-adult")
    assert (row["shown"], row["overridden"]) == (10, 1)


def acknowledged(served: Served, card: str) -> bool:
    return send(served, entry(card=card)).status_code == 200


def test_what_was_acknowledged_is_there_after_a_kill(url: str, database: Database, tmp_path: Path) -> None:
    sent = [(named(number), "overridden") for number in range(20)]
    with keeping(tmp_path / "served", url, "--workers", "2") as served:
        for uuid, _ in sent:  # a busy database is a 503, and the client sends again
            until(partial(acknowledged, served, uuid))
        served.kill(2)
    assert latest(database) == sorted(sent)


def test_a_server_whose_database_comes_later_gives_cards_first_and_keeps_everything_then(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    url = f"sqlite:///{folder}/tolami.db"
    with keeping(tmp_path / "served", url) as served:
        assert "amitriptyline-older-adult" in call(served)
        refused = send(served, OVERRIDDEN)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
        assert "records unavailable" in served.logged()
        folder.mkdir()
        until(lambda: send(served, ACCEPTED).status_code == 200)
        database = Database(url)
        until(lambda: answered_calls(database) == 1)
    assert latest(database) == [(ACCEPTED["card"], "accepted")]
