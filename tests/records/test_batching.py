"""A database that is locked, slow or away costs half a second once; then nobody waits until it is back, and it is."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from service.records import DatabaseUnavailable, batching
from service.records.records import Records
from tests.records.kept import NOW, exchange, outcome, shown
from tests.records.test_store import answered_calls
from tests.records.test_writer import until

LATER = NOW + timedelta(minutes=5)
ONCE, AT_ONCE = 2.0, 0.3
"""Seconds that half a second and none may become on a machine that does much else."""


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    opened = Records(
        f"sqlite:///{tmp_path}/tolami.db", tmp_path / "x.jsonl", lambda: NOW, lambda: str(uuid4()), timedelta(days=30)
    )
    assert opened.available()
    assert opened.tokens.first_use("issuer", "before", LATER)
    opened.keep([outcome("before")])
    yield opened
    opened.close()


def seconds_of(used: Records, jti: str) -> float:
    started = time.monotonic()
    with pytest.raises(DatabaseUnavailable):
        used.tokens.first_use("issuer", jti, LATER)
    return time.monotonic() - started


def test_a_locked_database_is_waited_for_once_and_what_was_used_meanwhile_is_noted(
    records: Records, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "tolami.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert seconds_of(records, "first") < ONCE
        assert all(seconds_of(records, f"next {number}") < AT_ONCE for number in range(20))
        with pytest.raises(DatabaseUnavailable):
            records.keep([outcome("refused")])
        other.execute("ROLLBACK")

    def used(jti: str) -> bool:
        try:
            return not records.tokens.first_use("issuer", jti, LATER)
        except DatabaseUnavailable:
            return False

    until(lambda: used("next 19"))
    assert used("first")
    records.keep([outcome("taken")])


def test_whether_it_is_ready_goes_by_the_last_write(records: Records, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "tolami.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailable), records.database.writing(0.05):
            pytest.fail("it is locked")
        assert not records.available(), "it can be read, but not written"
        other.execute("ROLLBACK")
    assert records.available()


def test_calls_that_come_together_are_answered_together_and_each_its_own(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "PATIENCE", 30.0)  # forty threads of a busy machine may need it
    answers: dict[int, bool] = {}

    def use(number: int) -> None:
        answers[number] = records.tokens.first_use("issuer", str(number // 2), LATER)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers.values()) == [False] * 20 + [True] * 20
    assert all(answers[number] != answers[number + 1] for number in range(0, 40, 2))


def test_a_row_that_the_database_refuses_does_not_take_its_batch(records: Records, tmp_path: Path) -> None:
    bad = exchange(shown("bad"), at=NOW.replace(tzinfo=None))
    for call in (exchange(shown(1)), bad, exchange(shown(2)), exchange()):
        records.observe(call)
    assert records.writer.flush(30)
    assert answered_calls(records.database) == 3
    assert records.writer.lost == 1
    assert (tmp_path / "x.jsonl.refused").read_bytes().count(b"\n") == 1
