"""What is older than it has to be kept goes, nothing else does, and no feedback is cut off from its card."""

from dataclasses import replace
from datetime import timedelta

from service.records.database import Database
from service.records.purge import Purged, purge
from service.records.report import report
from service.records.tables import exchanges, outcomes, shown_cards
from service.records.tokens import SeenTokens
from tests.records.kept import NOW, exchange, keep, outcome, show, shown
from tests.records.test_store import count

DAY = timedelta(days=1)


def test_an_empty_database_has_nothing_to_remove(database: Database) -> None:
    assert purge(database, NOW, NOW) == Purged(0, 0, 0)


def test_older_ones_go_with_their_cards_and_newer_ones_stay(database: Database) -> None:
    show(database, exchange(shown(1), shown(2), at=NOW - 100 * DAY), exchange(shown(3), at=NOW - 80 * DAY))
    keep(database, replace(outcome(1), received=NOW - 99 * DAY), replace(outcome(3), received=NOW - 79 * DAY))
    assert purge(database, NOW - 90 * DAY, NOW) == Purged(exchanges=1, feedback=1, tokens=0)
    assert [count(database, table) for table in (exchanges, shown_cards, outcomes)] == [1, 1, 1]
    assert purge(database, NOW - 90 * DAY, NOW) == Purged(0, 0, 0)


def test_a_call_stays_as_long_as_there_is_newer_feedback_about_it(database: Database) -> None:
    show(database, exchange(shown(1), shown(2), at=NOW - 100 * DAY))
    keep(database, replace(outcome(1), received=NOW - 10 * DAY))
    assert purge(database, NOW - 90 * DAY, NOW) == Purged(0, 0, 0)
    with database.reading() as connection:
        assert report(connection, NOW).unknown == {}
    assert purge(database, NOW - 5 * DAY, NOW) == Purged(exchanges=1, feedback=1, tokens=0)


def test_more_than_one_step_is_removed(database: Database) -> None:
    show(database, *(exchange(shown(number), at=NOW - DAY) for number in range(1203)))
    keep(database, *(replace(outcome(f"unknown {number}"), received=NOW - DAY) for number in range(1000)))
    assert purge(database, NOW, NOW) == Purged(exchanges=1203, feedback=1000, tokens=0)


def test_expired_tokens_go_and_good_ones_stay(database: Database) -> None:
    tokens = SeenTokens(database, lambda: NOW)
    tokens.first_use("issuer", "old", NOW - DAY)  # removed by itself only after the next while
    tokens.first_use("issuer", "good", NOW + DAY)
    assert purge(database, NOW, NOW).tokens <= 1
    assert not tokens.first_use("issuer", "good", NOW + DAY)
