"""What is kept is there once, however often and from wherever it is written, in both kinds of database."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Table, func, select

from service.records.database import Database
from service.records.kept import ShownCard
from service.records.store import Numbered, add_exchanges
from service.records.tables import call_counts, metadata, outcomes, shown_cards, unchecked_counts
from tests.records.kept import NOW, START, exchange, keep, named, outcome, show, shown


def count(database: Database, table: Table) -> int:
    with database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def answered_calls(database: Database) -> int:
    """How many calls the counts hold."""
    with database.reading() as connection:
        return int(connection.scalar(select(func.sum(call_counts.c.calls))) or 0)


def test_an_exchange_is_kept_with_its_cards(database: Database) -> None:
    show(database, exchange(shown(1), shown(2, "pain-score"), unchecked=["dose-missing", "age-unknown"]))
    with database.reading() as connection:
        cards = {row["card"]: row for row in connection.execute(select(shown_cards)).mappings()}
        reasons = connection.execute(select(unchecked_counts)).all()
        (call,) = connection.execute(select(call_counts)).all()
    assert cards.keys() == {START, "pain-score"}
    row = cards[START]
    assert (row["uuid"], row["at"], row["indicator"]) == (named(1), NOW, "warning")
    assert (row["client"], row["tenant"], row["hook"]) == ("Example EHR", "ward-7", "order-sign")
    assert (row["guidance"], row["suggestions"]) == ("0.1.0+abc", [named("suggestion of 1")])
    assert (row["answer"], row["reason"]) == ("", "")
    assert sorted(reason[3:] for reason in reasons) == [("age-unknown", 1), ("dose-missing", 1)]
    assert tuple(call) == (NOW, "Example EHR", "order-sign", 5, 1)


def test_a_call_without_cards_is_counted(database: Database) -> None:
    show(database, exchange(), exchange())
    assert (answered_calls(database), count(database, shown_cards)) == (2, 0)


def test_a_call_that_is_written_twice_is_there_once(database: Database) -> None:
    call = Numbered(named("call"), exchange(shown(1)))
    for _ in range(2):
        with database.writing() as connection:
            add_exchanges(connection, [call, call])
    assert (answered_calls(database), count(database, shown_cards)) == (1, 1)


def test_what_breaks_within_the_block_leaves_nothing_behind(database: Database) -> None:
    def write() -> None:
        with database.writing() as connection:
            add_exchanges(connection, [Numbered(named("call"), exchange(shown(1)))])
            raise KeyError

    with pytest.raises(KeyError):
        write()
    assert answered_calls(database) == 0


def test_names_that_no_database_takes_are_made_harmless(database: Database) -> None:
    odd = replace(exchange(ShownCard("no uuid", START, "info")), tenant="ward\x00\ud8007\x1b[31m")
    show(database, odd)
    with database.reading() as connection:
        assert connection.scalar(select(shown_cards.c.tenant)) == "ward  7 [31m"


def test_feedback_is_kept_with_all_that_was_said(database: Database) -> None:
    entry = replace(outcome(1, "accepted"), reason="benefit", system="https://ehr.example.org", comment="Words, 10 µg.")
    keep(database, entry)
    with database.reading() as connection:
        (row,) = connection.execute(select(outcomes)).mappings()
    kept = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    assert (kept.pop("card_id"), kept.pop("latest"), kept.pop("number")) == ("", True, 1)
    assert kept == {name: getattr(entry, name) for name in kept}


def test_the_same_feedback_twice_is_there_once_and_another_one_beside_it(database: Database) -> None:
    first = outcome(1)
    keep(database, first, first)
    keep(database, replace(first, received=first.received + timedelta(days=1)))
    assert count(database, outcomes) == 1
    others = (replace(first, at=NOW + timedelta(seconds=1)), replace(first, reason="x"), outcome(1, "accepted"))
    keep(database, *others, outcome(2))
    assert count(database, outcomes) == 5


@pytest.mark.parametrize("at", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)])
def test_any_time_of_the_calendar_is_kept_to_the_microsecond(database: Database, at: datetime) -> None:
    keep(database, replace(outcome(1), at=at))
    with database.reading() as connection:
        assert connection.scalar(select(outcomes.c.at)) == at


def test_a_time_of_another_zone_is_the_same_moment(database: Database) -> None:
    keep(database, replace(outcome(1), at=NOW.astimezone(timezone(timedelta(hours=14)))), outcome(1))
    assert count(database, outcomes) == 1


def test_a_thousand_entries_fit_into_one_call(database: Database) -> None:
    keep(database, *(outcome(number) for number in range(1000)))
    assert count(database, outcomes) == 1000


def test_several_threads_write_at_once_and_nothing_is_lost(database: Database) -> None:
    def write(start: int) -> None:
        for number in range(start, start + 5):
            keep(database, outcome(number), outcome("the same"))

    threads = [threading.Thread(target=write, args=(start,)) for start in range(0, 30, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(database, outcomes) == 31


def test_no_table_has_a_column_for_a_patient() -> None:
    columns = {column.name for table in metadata.tables.values() for column in table.columns}
    assert columns.isdisjoint({"patient", "user", "encounter", "order", "hook_instance", "jti", "issuer"})
