"""Answered calls are written in the background: a database that is away delays nothing, and what is lost is counted."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from service.records import DatabaseUnavailable, postgresql
from service.records import writer as module
from service.records.database import Database
from service.records.spill import SpillFile
from service.records.tables import shown_cards
from service.records.writer import ExchangeWriter
from tests.conftest import ROOT
from tests.records.kept import NOW, exchange, shown
from tests.records.postgres import Postgres
from tests.records.test_store import answered_calls, count

LIMIT = 30.0
"""Seconds after which a test gives up waiting."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries again soon, so that no test takes long."""
    monkeypatch.setattr(module, "RETRY", 0.05)
    monkeypatch.setattr(module, "GATHER", 0.01)
    monkeypatch.setattr("service.records.database.REST", 0.05)


@pytest.fixture
def written(database: Database, tmp_path: Path) -> Iterator[ExchangeWriter]:
    """A writer to an empty database."""
    writer = ExchangeWriter(database, SpillFile(tmp_path / "waiting.jsonl"), lambda: str(uuid4()), lambda: NOW)
    yield writer
    writer.close()


def until(condition: Callable[[], bool], seconds: float = LIMIT) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited long enough"
        time.sleep(0.02)


class Switched(Database):
    """A real database that can be away, or stand still."""

    away = False
    still = False

    @contextmanager
    def writing(self, patience: float = 0.5, **options: float) -> Iterator[Any]:
        while self.still:
            time.sleep(0.01)
        if self.away:
            raise DatabaseUnavailable("switched off")
        with super().writing(patience, **options) as connection:
            yield connection


@pytest.fixture
def switched(tmp_path: Path) -> Switched:
    return Switched(f"sqlite:///{tmp_path / 'tolami.db'}")


def writer_to(database: Database, tmp_path: Path, **options: Any) -> tuple[ExchangeWriter, dict[str, int]]:
    """A writer and what it counts."""
    writer = ExchangeWriter(
        database, SpillFile(tmp_path / "waiting.jsonl"), lambda: str(uuid4()), lambda: NOW, **options
    )
    counts: dict[str, int] = {"written": 0, "spilled": 0, "lost": 0}

    def note(what: str, number: int) -> None:
        counts[what] += number

    writer.observers.append(note)
    return writer, counts


def test_calls_are_written_and_the_tables_made_before_the_first(database: Database, written: ExchangeWriter) -> None:
    written.open()
    for number in range(50):
        written.add(exchange(shown(number)))
    assert written.flush(LIMIT)
    assert (answered_calls(database), count(database, shown_cards)) == (50, 50)


def test_what_is_in_the_queue_is_written_when_it_closes(database: Database, written: ExchangeWriter) -> None:
    for number in range(50):
        written.add(exchange(shown(number)))
    written.close(LIMIT)
    assert answered_calls(database) == 50
    written.add(exchange())
    written.close(LIMIT)
    assert answered_calls(database) == 51


def test_closing_what_was_never_used_does_nothing(written: ExchangeWriter) -> None:
    written.close()
    assert written.flush(0)


def test_while_the_database_is_away_calls_wait_in_the_file_and_are_written_when_it_is_back(
    switched: Switched, tmp_path: Path
) -> None:
    writer, counts = writer_to(switched, tmp_path)
    switched.away = True
    for number in range(20):
        writer.add(exchange(shown(number)))
    assert writer.flush(LIMIT)
    assert counts == {"written": 0, "spilled": 20, "lost": 0}
    assert (tmp_path / "waiting.jsonl").stat().st_size > 0
    switched.away = False
    until(lambda: counts["written"] == 20)
    assert answered_calls(switched) == 20
    until(lambda: (tmp_path / "waiting.jsonl").stat().st_size == 0)
    writer.close()
    assert writer.lost == 0


def test_what_waits_in_the_file_is_written_by_the_next_process(switched: Switched, tmp_path: Path) -> None:
    first, _ = writer_to(switched, tmp_path)
    switched.away = True
    first.add(exchange(shown(1)))
    first.close(LIMIT)
    switched.away = False
    second, counts = writer_to(switched, tmp_path)
    second.open()
    until(lambda: counts["written"] == 1)
    second.close()
    assert count(switched, shown_cards) == 1


def test_a_database_that_stands_still_delays_no_call_and_the_oldest_are_lost_and_counted(
    switched: Switched, tmp_path: Path, logged: list[Any]
) -> None:
    writer, counts = writer_to(switched, tmp_path, most_waiting=10)
    switched.still = True
    started = time.monotonic()
    for number in range(1000):
        writer.add(exchange(shown(number)))
    assert time.monotonic() - started < LIMIT
    assert 480 <= counts["lost"] <= 990, "ten wait in the queue, and one batch may be under way"
    switched.still = False
    writer.close(LIMIT)
    assert counts["written"] + counts["lost"] == 1000
    assert (answered_calls(switched), writer.lost) == (counts["written"], counts["lost"])
    assert any(line["event"] == "exchanges lost" for line in logged)


def test_what_is_being_written_when_postgres_stands_still_and_the_service_stops_waits_in_the_file(
    postgres: Postgres, new_postgres_database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "ANSWER", 0.2)
    monkeypatch.setattr(postgresql, "CONNECT", 2)
    database = Database(new_postgres_database(), statement_seconds=1)
    writer, counts = writer_to(database, tmp_path)
    writer.add(exchange(shown(1)))
    assert writer.flush(LIMIT)
    with postgres.standing_still():
        writer.add(exchange(shown(2)))
        assert not writer.flush(0.5), "it waits for an answer"
        writer.add(exchange(shown(3)))
        writer.close()
        assert counts == {"written": 1, "spilled": 2, "lost": 0}
    database.close()
    writer.open()
    until(lambda: counts["written"] == 3)
    writer.close()
    assert count(database, shown_cards) == 3
    database.close()


def test_without_database_and_without_disk_calls_are_lost_and_counted(switched: Switched, tmp_path: Path) -> None:
    switched.away = True
    writer, counts = writer_to(switched, tmp_path / "nowhere")
    for number in range(5):
        writer.add(exchange(shown(number)))
    writer.close(LIMIT)
    assert counts == {"written": 0, "spilled": 0, "lost": 5}


def test_a_line_of_the_file_that_cannot_be_read_is_counted_as_lost(switched: Switched, tmp_path: Path) -> None:
    (tmp_path / "waiting.jsonl").write_bytes(b"no exchange\n")
    writer, counts = writer_to(switched, tmp_path)
    writer.open()
    until(lambda: counts["lost"] == 1)
    writer.close()


def test_a_call_that_cannot_be_kept_does_not_keep_others_from_it(switched: Switched, tmp_path: Path) -> None:
    writer, counts = writer_to(switched, tmp_path)
    writer.add(exchange(shown(1), at=None))  # type: ignore[arg-type]
    assert writer.flush(LIMIT)
    writer.add(exchange())
    writer.close(LIMIT)
    assert counts == {"written": 1, "spilled": 0, "lost": 1}


FORKS = """
import os, sys
from pathlib import Path
from uuid import uuid4
from service.records.database import Database
from service.records.spill import SpillFile
from service.records.writer import ExchangeWriter
from tests.records.kept import NOW, exchange
folder = Path(sys.argv[1])
database = Database(f"sqlite:///{folder}/tolami.db")
writer = ExchangeWriter(database, SpillFile(folder / "x"), lambda: str(uuid4()), lambda: NOW)
child = os.fork()
writer.add(exchange())
if child:
    assert os.waitpid(child, 0)[1] == 0
"""


def test_a_writer_made_before_a_fork_writes_in_both_processes_until_they_end(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", FORKS, str(tmp_path)], check=True, timeout=60, cwd=ROOT)
    assert answered_calls(Database(f"sqlite:///{tmp_path}/tolami.db")) == 2
