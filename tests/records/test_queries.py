"""What every call asks: a token is good once, an answered card is found, and nobody waits long for either."""

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from service.records import DatabaseUnavailable, Records, queries, store
from service.records.database import Database
from service.records.purge import purge, remove_expired
from service.records.queries import QueryBatcher, QuietCards, SeenTokens
from service.records.store import write_outcomes
from service.records.tables import outcomes, quiet_cards, seen_tokens
from tests.records.kept import NOW, exchange, outcome, shown
from tests.records.test_store import answered_calls, count
from tests.records.test_writer import until

LATER = NOW + timedelta(minutes=5)
ONCE, AT_ONCE = 2.0, 0.3
"""Seconds that half a second and none may become on a machine that does much else."""


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    opened = Records(
        f"sqlite:///{tmp_path}/tolami.db", tmp_path / "x.jsonl", lambda: NOW, lambda: str(uuid4()), timedelta(days=30)
    )
    assert opened.database.available()
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


def test_while_the_database_is_away_no_question_is_held_up_by_an_attempt_to_reach_it() -> None:
    attempts: list[int] = []
    back = threading.Event()

    def answer(questions: Sequence[int]) -> Sequence[int]:
        attempts.append(len(questions))
        if not back.is_set():
            time.sleep(1)
            raise DatabaseUnavailable
        return questions

    batcher = QueryBatcher("numbers", answer, late="withdrawn", away=0.1)
    seconds: list[float] = []
    for _ in range(8):
        started = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            batcher.ask(1)
        seconds.append(time.monotonic() - started)
    assert seconds[0] > 0.9, "it might have been answered"
    assert max(seconds[1:]) < 0.9
    assert attempts[0] == 1
    assert set(attempts[1:]) == {0}
    back.set()

    def answered() -> bool:
        try:
            return batcher.ask(2) == 2
        except DatabaseUnavailable:
            return False

    until(answered)


def test_feedback_waits_for_its_turn_on_a_busy_machine(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*arguments: Any) -> None:
        time.sleep(0.7)
        write_outcomes(*arguments)

    monkeypatch.setattr(store, "write_outcomes", slow)
    with ThreadPoolExecutor(3) as pool:
        sending = [pool.submit(records.keep, [outcome(number)]) for number in range(3)]
        for each in sending:
            each.result()
    assert count(records.database, outcomes) == 1 + len(sending)


def test_whether_it_is_ready_goes_by_the_last_write(records: Records, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "tolami.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailable), records.database.writing(0.05):
            pytest.fail("it is locked")
        assert not records.database.available(), "it can be read, but not written"
        other.execute("ROLLBACK")
    assert records.database.available()


def test_calls_that_come_together_are_answered_together_and_each_its_own(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PATIENCE", 30.0)  # forty threads of a busy machine may need it
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
        records.writer.add(call)
    assert records.writer.flush(30)
    assert answered_calls(records.database) == 3
    assert records.writer.lost == 1
    assert (tmp_path / "x.jsonl.refused").read_bytes().count(b"\n") == 1


@pytest.fixture
def tokens(database: Database) -> SeenTokens:
    assert database.available()
    return SeenTokens(database)


def test_the_first_use_is_told_from_every_later_one(tokens: SeenTokens) -> None:
    assert tokens.first_use("https://ehr.example.org", "1", LATER)
    assert not tokens.first_use("https://ehr.example.org", "1", LATER)
    assert not tokens.first_use("https://ehr.example.org", "1", LATER + timedelta(hours=1))


def test_another_issuer_may_use_the_same_number(tokens: SeenTokens) -> None:
    pairs = [("a", "b"), ("a", "bc"), ("ab", "c"), ("b", "a"), ("", "ab"), ("ab", ""), ("\ud800", "\x00")]
    assert all(tokens.first_use(issuer, jti, LATER) for issuer, jti in pairs)
    assert not any(tokens.first_use(issuer, jti, LATER) for issuer, jti in pairs)


def test_of_many_at_once_one_is_the_first(url: str, database: Database) -> None:
    assert database.available()
    found: list[bool] = []
    barrier = threading.Barrier(6)

    def use() -> None:
        own = Database(url)
        assert own.available()
        barrier.wait()
        found.append(SeenTokens(own).first_use("issuer", "jti", LATER))
        own.close()

    threads = [threading.Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False] * 5 + [True]


def test_what_is_kept_names_neither_issuer_nor_token(tokens: SeenTokens, database: Database) -> None:
    tokens.first_use("https://ehr.example.org", "a-token-id", LATER)
    with database.reading() as connection:
        (row,) = connection.execute(select(seen_tokens)).all()
    assert "ehr.example.org" not in str(row)
    assert "a-token-id" not in str(row)
    assert row.expires == LATER


def test_expired_tokens_are_removed_after_a_while_and_not_before(tokens: SeenTokens, database: Database) -> None:
    assert tokens.first_use("issuer", "1", LATER)
    for remove in (remove_expired(database, LATER + timedelta(minutes=9)), purge(database, NOW, LATER).tokens):
        assert remove == 0, "clocks differ: it is remembered somewhat longer"
    assert not tokens.first_use("issuer", "1", LATER)
    assert remove_expired(database, LATER + timedelta(minutes=11)) == 1
    assert tokens.first_use("issuer", "1", LATER + timedelta(hours=1)), "the expired one is gone"


def test_without_a_database_nobody_is_told_that_a_token_is_new() -> None:
    tokens = SeenTokens(Database("sqlite:////nowhere/tolami.db"))
    with pytest.raises(DatabaseUnavailable):
        tokens.first_use("issuer", "jti", LATER)


WHOSE = ("client", "", "Practitioner/1", "Patient/1")


def test_a_card_shown_ten_thousand_times_and_never_answered_costs_no_more_than_one_shown_once(
    database: Database,
) -> None:
    quiet = QuietCards(database)

    def fastest() -> float:
        times = []
        for _ in range(20):
            started = time.perf_counter()
            (digest, answered) = quiet.look_up(WHOSE, {"pain-score": "says"}, NOW)["pain-score"]
            times.append(time.perf_counter() - started)
            assert not answered
        rows.extend({"uuid": f"{n:036}", "digest": digest, "expires": NOW + timedelta(days=1)} for n in range(10_000))
        return min(times)

    rows: list[dict[str, object]] = []
    before = fastest()
    with database.writing(30) as connection:
        connection.execute(quiet_cards.insert(), rows)
    assert fastest() < 3 * before


def test_whether_the_database_answers_again_is_asked_without_a_card(database: Database, tmp_path: Path) -> None:
    assert QuietCards(database)._look_up([]) == []
    away = QuietCards(Database(f"sqlite:///{tmp_path}/none/tolami.db"))
    with pytest.raises(DatabaseUnavailable):
        away._look_up([])


def test_an_answered_card_is_quiet_until_the_moment_at_which_that_expires_and_no_other_is(database: Database) -> None:
    quiet = QuietCards(database)
    statements = {"pain-score": "says", "taper": "says another thing"}
    digests = {card: digest for card, (digest, _) in quiet.look_up(WHOSE, statements, NOW).items()}
    rows = [{"uuid": card, "digest": digest, "expires": NOW} for card, digest in digests.items()]
    with database.writing() as connection:
        connection.execute(quiet_cards.insert(), [row | {"answered": row["uuid"] == "taper"} for row in rows])

    def answered(now: datetime) -> dict[str, bool]:
        return {card: found for card, (_, found) in quiet.look_up(WHOSE, statements, now).items()}

    assert answered(NOW - timedelta(microseconds=1)) == {"pain-score": False, "taper": True}
    assert answered(NOW) == {"pain-score": False, "taper": False}
