"""A database that cannot be used is an error of each use and of nothing else, and it is used again when it is back."""

import re
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.pool import Pool

from service.records import DatabaseUnavailable, postgresql
from service.records.database import CALM, REST, Database
from service.records.tables import outcomes
from tests.records.kept import keep, outcome
from tests.records.postgres import Postgres
from tests.records.test_store import count

SECRET = "Zx9-marker-Quux"


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


UNUSABLE = {
    "no URL": "nonsense",
    "an unknown kind": "mongo://127.0.0.1/tolami",
    "a kind without its driver": "mysql://127.0.0.1/tolami",
    "no such folder": "sqlite:////nowhere/tolami.db",
    "a folder in place of the file": "sqlite:////tmp",
    "in memory": "sqlite://",
    "a port that is no number": f"postgresql://tolami:{SECRET}@127.0.0.1:port/tolami",
    "nobody there": f"postgresql://tolami:{SECRET}@127.0.0.1:1/tolami",
}


@pytest.mark.parametrize("url", UNUSABLE.values(), ids=UNUSABLE)
def test_a_wrong_url_is_an_error_of_the_use_and_names_no_password(url: str, logged: list[Any]) -> None:
    database = Database(url)
    assert not database.available()
    with pytest.raises(DatabaseUnavailable) as raised, database.writing():
        pytest.fail("there is nothing to write to")
    assert SECRET not in str(raised.value) + str(raised.value.__cause__) + str(logged) + database.name
    (line,) = logged
    assert re.fullmatch(r"\w+", line.pop("cause"))
    assert line == {"event": "records unavailable", "log_level": "error", "setting": "TOLAMI_DATABASE_URL"}


def test_the_log_says_what_sqlite_found_wrong(tmp_path: Path, logged: list[Any]) -> None:
    assert not Database(f"sqlite:///{tmp_path}/nowhere/tolami.db").available()
    assert [line["cause"] for line in logged] == ["SQLITE_CANTOPEN"]


def test_a_file_that_is_no_database_is_said_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("these are notes " * 100, encoding="utf-8")
    assert not Database(f"sqlite:///{file}").available()
    assert file.read_text(encoding="utf-8") == "these are notes " * 100


def test_after_a_failure_nobody_waits_for_it_again_for_a_moment(tmp_path: Path, logged: list[Any]) -> None:
    clock = Clock()
    folder = tmp_path / "later"
    database = Database(f"sqlite:///{folder}/tolami.db", monotonic=clock)
    assert not database.available()
    folder.mkdir()
    assert not database.available(), "it is not tried again so soon"
    clock.now += REST
    assert database.available()
    assert [line["event"] for line in logged] == ["records unavailable"], "it might fail again"
    clock.now += CALM
    assert database.available()
    assert [line["event"] for line in logged] == ["records unavailable", "records available"]


def test_a_full_disk_is_a_line_of_the_log_when_it_begins_and_one_when_it_is_over(
    tmp_path: Path, logged: list[Any]
) -> None:
    clock = Clock()
    database = Database(f"sqlite:///{tmp_path / 'tolami.db'}", monotonic=clock)
    keep(database, outcome("before"))
    database.close()
    answers: list[bool] = []

    def write() -> bool:
        clock.now += 1
        try:
            keep(database, *(outcome(f"{clock.now} {number}") for number in range(20)))
        except DatabaseUnavailable:
            return False
        return True

    def fill(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # at least what there is already

    event.listen(Pool, "connect", fill)
    try:
        for _ in range(30):
            answers.append(write())
            assert database.recover(), "there is room for something small"
    finally:
        event.remove(Pool, "connect", fill)
        database.close()
    assert not any(answers[-20:])
    assert write()
    clock.now += CALM
    assert write()
    assert [(line["event"], line.get("cause")) for line in logged] == [
        ("records available", None),
        ("records unavailable", "SQLITE_FULL"),
        ("records available", None),
    ]


def test_what_was_written_is_there_for_another_process(url: str, database: Database) -> None:
    keep(database, outcome(1))
    other = Database(url)
    assert count(other, outcomes) == 1
    other.close()


def test_after_closing_it_opens_again(database: Database) -> None:
    keep(database, outcome(1))
    database.close()
    keep(database, outcome(2))
    assert count(database, outcomes) == 2


def test_several_that_open_an_empty_database_at_once_make_the_tables_once(empty_url: str, logged: list[Any]) -> None:
    barrier = threading.Barrier(6)
    found: list[bool] = []

    def use() -> None:
        own = Database(empty_url)
        barrier.wait()
        found.append(own.available())
        own.close()

    threads = [threading.Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 6
    assert sorted(line["migrated"] for line in logged) == [False] * 5 + [True]


def test_a_database_of_a_newer_program_is_not_touched(url: str, database: Database) -> None:
    keep(database, outcome(1))
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    newer = Database(url)
    assert not newer.available()
    with pytest.raises(DatabaseUnavailable, match="newer version"), newer.reading():
        pytest.fail("its tables may mean something else")


def test_sqlite_is_read_while_it_is_written_to(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'tolami.db'}")
    keep(database, outcome(1))
    with database.writing() as connection:
        connection.execute(text("DELETE FROM outcome"))
        assert count(Database(f"sqlite:///{tmp_path / 'tolami.db'}"), outcomes) == 1
    with sqlite3.connect(tmp_path / "tolami.db") as file:
        assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    file.close()


def test_an_sqlite_file_that_was_taken_away_is_noticed_and_made_anew(tmp_path: Path) -> None:
    clock = Clock()
    file = tmp_path / "tolami.db"
    database = Database(f"sqlite:///{file}", monotonic=clock)
    keep(database, outcome(1))
    file.rename(tmp_path / "taken-away.db")
    with pytest.raises(DatabaseUnavailable):
        keep(database, outcome(2))
    keep(database, outcome(2))
    assert count(database, outcomes) == 1


def test_an_sqlite_file_is_opened_once_for_all_that_is_asked_of_it(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'tolami.db'}")
    keep(database, outcome(1))
    opened: list[object] = []

    def note(connection: object, _record: object) -> None:
        opened.append(connection)

    event.listen(Pool, "connect", note)
    try:
        for number in range(2, 6):
            keep(database, outcome(number))
            assert count(database, outcomes) == number
    finally:
        event.remove(Pool, "connect", note)
        database.close()
    assert opened == []


def test_postgres_that_ends_our_connections_is_used_again(new_postgres_database: Callable[[], str]) -> None:
    url = new_postgres_database()
    clock = Clock()
    database = Database(url, monotonic=clock)
    keep(database, outcome(1))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tolami'")
    clock.now += REST
    keep(database, outcome(2))
    assert count(database, outcomes) == 2
    database.close()


def test_postgres_that_refuses_connections_for_a_while_is_used_again(
    postgres: Postgres, new_postgres_database: Callable[[], str]
) -> None:
    url = new_postgres_database()
    name = make_url(url).database
    clock = Clock()
    database = Database(url, monotonic=clock)
    keep(database, outcome(1))
    with psycopg.connect(postgres.url, autocommit=True) as control:
        control.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        control.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        for _ in range(2):
            clock.now += REST
            with pytest.raises(DatabaseUnavailable):
                keep(database, outcome(2))
        control.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    clock.now += REST
    keep(database, outcome(2))
    assert count(database, outcomes) == 2
    database.close()


def test_postgres_ends_a_statement_that_takes_too_long(new_postgres_database: Callable[[], str]) -> None:
    database = Database(new_postgres_database(), statement_seconds=0.2)
    with pytest.raises(DatabaseUnavailable, match="57014"), database.reading() as connection:
        connection.execute(text("SELECT pg_sleep(30)"))
    database.close()


def test_a_statement_of_the_driver_that_fails_is_an_error_of_that_use(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable):
        database.rows(dict.fromkeys(("postgresql", "sqlite"), "SELECT nothing FROM nowhere"))
    assert database.rows(dict.fromkeys(("postgresql", "sqlite"), "SELECT 1")) == [(1,)]


def test_a_row_that_the_driver_refuses_is_no_outage(database: Database, logged: list[Any]) -> None:
    insert = "INSERT INTO counted (id, at) VALUES ('once', CURRENT_TIMESTAMP) RETURNING id"
    statements = dict.fromkeys(("postgresql", "sqlite"), insert)
    assert database.rows(statements, writes=True) == [("once",)]
    with pytest.raises((psycopg.IntegrityError, sqlite3.IntegrityError)):
        database.rows(statements, writes=True)
    assert database.recover()
    assert [line["event"] for line in logged] == ["records available"]


def test_what_the_driver_cannot_send_is_no_outage(new_postgres_database: Callable[[], str], logged: list[Any]) -> None:
    database = Database(new_postgres_database())
    with pytest.raises(psycopg.DataError):
        database.rows({"postgresql": "SELECT %s::text"}, "no\0text")
    assert database.rows({"postgresql": "SELECT %s::text"}, "text") == [("text",)]
    assert [line["event"] for line in logged] == ["records available"]
    database.close()


def test_postgres_that_stands_still_is_given_up_wherever_it_is_waited_for_and_used_again(
    postgres: Postgres, new_postgres_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "ANSWER", 0.2)
    monkeypatch.setattr(postgresql, "CONNECT", 2)
    clock = Clock()
    database = Database(new_postgres_database(), statement_seconds=1, monotonic=clock)

    def look() -> None:
        database.rows({"postgresql": "SELECT 1"})

    def ask(use: Callable[[], AbstractContextManager[Connection]]) -> None:
        with use() as connection, postgres.standing_still():
            connection.execute(text("SELECT 1"))

    def commit() -> None:
        with ExitStack() as stack, database.writing(answer=0.2) as connection:
            connection.execute(text("DELETE FROM seen_token"))
            stack.enter_context(postgres.standing_still())

    for wait in (partial(ask, database.reading), partial(ask, partial(database.writing, answer=0.2)), commit):
        clock.now += REST
        keep(database, outcome(1))
        with pytest.raises(DatabaseUnavailable, match="ConnectionTimeout"):
            wait()
    keep(database, outcome(1))
    started = time.monotonic()
    with postgres.standing_still():
        for _ in ("on an open connection", "on a new one"):
            with pytest.raises(DatabaseUnavailable, match="ConnectionTimeout"):
                look()
    assert time.monotonic() - started < 10
    clock.now += REST
    keep(database, outcome(2))
    assert count(database, outcomes) == 2
    database.close()


def test_a_command_that_may_ask_for_minutes_waits_for_the_answer(new_postgres_database: Callable[[], str]) -> None:
    database = Database(new_postgres_database(), statement_seconds=600)
    with database.reading() as connection:
        assert getattr(connection.connection.dbapi_connection, "answer", 0) > 600
    database.close()


def test_whether_there_is_a_file_is_told_without_making_one(tmp_path: Path) -> None:
    file = tmp_path / "tolami.db"
    assert not Database(f"sqlite:///{file}").exists()
    assert list(tmp_path.iterdir()) == []
    file.touch()
    assert Database(f"sqlite:///{file}").exists()
    assert Database("postgresql://127.0.0.1/tolami").exists()
    assert Database("nonsense").exists()
