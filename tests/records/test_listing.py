"""Feedback is read back per card: the latest about each card that went out, newest first."""

from dataclasses import replace
from datetime import datetime, timedelta

from service.records.database import Database
from service.records.settling import latest_outcomes
from tests.records.kept import NOW, PAIR, START, exchange, keep, named, outcome, show, shown


def listed(
    database: Database, card: str | None = None, since: datetime | None = None, most: int = 10
) -> tuple[list[str], int]:
    with database.reading() as connection:
        found, total = latest_outcomes(connection, card, since, most)
    return [f"{each.card} {each.outcome}" for each in found], total


def filled(database: Database) -> None:
    show(database, exchange(shown(1), shown(2, PAIR)), exchange(shown(3)))
    said = [outcome(1), outcome(2, "accepted"), outcome(3), outcome("unknown")]
    keep(database, *(replace(each, received=NOW + timedelta(hours=n)) for n, each in enumerate(said)))


def test_nothing_is_listed_of_an_empty_database(database: Database) -> None:
    assert listed(database) == ([], 0)


def test_all_is_listed_newest_first_with_the_unknown_ones(database: Database) -> None:
    filled(database)
    assert listed(database) == ([" overridden", f"{START} overridden", f"{PAIR} accepted", f"{START} overridden"], 4)


def test_a_card_is_asked_for_by_its_id_or_by_the_uuid_that_went_out(database: Database) -> None:
    filled(database)
    assert listed(database, START) == ([f"{START} overridden"] * 2, 2)
    assert listed(database, named(2)) == ([f"{PAIR} accepted"], 1)
    assert listed(database, named("unknown").upper()) == ([" overridden"], 1)
    assert listed(database, "no-such-card") == ([], 0)


def test_only_so_many_are_listed_and_how_many_there_are_is_told(database: Database) -> None:
    filled(database)
    assert listed(database, most=1) == ([" overridden"], 4)


def test_only_what_was_received_since_is_listed(database: Database) -> None:
    filled(database)
    assert listed(database, since=NOW + timedelta(hours=1, minutes=30)) == ([" overridden", f"{START} overridden"], 2)


def test_of_each_card_that_went_out_only_the_latest_is_listed_with_all_its_members(database: Database) -> None:
    show(database, exchange(shown(1)))
    last = replace(outcome(1, "accepted", at=NOW + timedelta(minutes=1)), reason="x", system="urn:x", comment="Words.")
    keep(database, outcome(1), last)
    with database.reading() as connection:
        found, total = latest_outcomes(connection, None, None, 10)
    assert total == 1
    suggestion = [named("suggestion of 1")]
    assert list(map(tuple, found)) == [
        (START, named(1), "accepted", last.at, last.received, "x", "urn:x", suggestion, "Words.")
    ]
