"""Several processes of ``tolami serve`` keep one record, and what was acknowledged survives the worst end."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import requests

from service.records.database import Database
from service.records.listing import latest_outcomes
from service.server import SAMPLE
from tests.calls import by_id
from tests.feedback import ACCEPTED, OVERRIDDEN, entry, feedback
from tests.records.kept import named
from tests.records.test_store import answered_calls
from tests.records.test_writer import until
from tests.serving import CALL, COMMAND, Served, environment, serving, session


@contextmanager
def keeping(folder: Path, url: str, *arguments: str) -> Iterator[Served]:
    """A server that keeps its records there, with one process unless it is told otherwise."""
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


def said(database: Database) -> list[tuple[str, str]]:
    with database.reading() as connection:
        return sorted((each.uuid, each.outcome) for each in latest_outcomes(connection, None, None, 1000)[0])


def test_a_card_of_one_server_and_feedback_to_another_meet_in_the_report(
    url: str, database: Database, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        first, second = (stack.enter_context(keeping(tmp_path / name, url)) for name in ("first", "second"))
        card = call(first)["amitriptyline-older-adult"]
        assert send(second, entry(card=card["uuid"])).status_code == 200
        until(lambda: answered_calls(database) == 1)
    reported = subprocess.run(
        [str(COMMAND), "report", "--format", "json"], capture_output=True, check=True, timeout=60, cwd=tmp_path,
        env=environment() | {"TOLAMI_DATABASE_URL": url},
    )  # fmt: skip
    row = next(row for row in json.loads(reported.stdout) if row["card"] == "amitriptyline-older-adult")
    assert (row["shown"], row["overridden"]) == (1, 1)


def acknowledged(served: Served, card: str) -> bool:
    return send(served, entry(card=card)).status_code == 200


def test_what_was_acknowledged_is_there_after_a_kill(url: str, database: Database, tmp_path: Path) -> None:
    sent = [(named(number), "overridden") for number in range(20)]
    with keeping(tmp_path / "served", url, "--workers", "2") as served:
        for uuid, _ in sent:  # a busy database is a 503, and the client sends again
            until(partial(acknowledged, served, uuid))
        served.kill(2)
    assert said(database) == sorted(sent)


def test_what_waits_to_be_written_is_written_when_the_server_ends(url: str, database: Database, tmp_path: Path) -> None:
    with keeping(tmp_path / "served", url, "--workers", "2") as served:
        for _ in range(10):
            call(served)
    assert answered_calls(database) == 10


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
    assert said(database) == [(ACCEPTED["card"], "accepted")]


def test_a_server_whose_postgres_ends_and_comes_back_keeps_everything(
    new_postgres_database: Callable[[], str], tmp_path: Path
) -> None:
    import psycopg

    url = new_postgres_database()
    name = url.partition("/tolami_")[2].partition("?")[0]
    database = Database(url)
    elsewhere = url.replace(f"/tolami_{name}?", "/postgres?")
    with keeping(tmp_path / "served", url) as served:
        assert send(served, OVERRIDDEN).status_code == 200
        with psycopg.connect(elsewhere, autocommit=True) as control:
            control.execute(f'ALTER DATABASE "tolami_{name}" ALLOW_CONNECTIONS false')
            control.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'tolami_{name}'")
            assert "amitriptyline-older-adult" in call(served)
            assert send(served, ACCEPTED).status_code == 503
            control.execute(f'ALTER DATABASE "tolami_{name}" ALLOW_CONNECTIONS true')
        until(lambda: send(served, ACCEPTED).status_code == 200)
        until(lambda: answered_calls(database) == 1)
    assert len(said(database)) == 2
    database.close()
