"""What is older than it has to be kept goes, nothing else does, and no feedback is cut off from its card."""

from dataclasses import replace
from datetime import timedelta

import pytest

from service.records.database import Database
from service.records.purge import Purged, purge
from service.records.queries import SeenTokens
from service.records.reading import latest_outcomes, report
from service.records.tables import outcomes, shown_cards
from tests.records.kept import NOW, START, exchange, keep, outcome, show, shown
from tests.records.test_store import count

DAY = timedelta(days=1)


def test_an_empty_database_has_nothing_to_remove(database: Database) -> None:
    assert purge(database, NOW, NOW) == Purged(0, 0, 0)


def test_older_ones_go_with_their_cards_and_newer_ones_stay(database: Database) -> None:
    show(database, exchange(shown(1), shown(2), at=NOW - 100 * DAY), exchange(shown(3), at=NOW - 80 * DAY))
    keep(database, replace(outcome(1), received=NOW - 99 * DAY), replace(outcome(3), received=NOW - 79 * DAY))
    assert purge(database, NOW - 90 * DAY, NOW) == Purged(cards=2, feedback=1, tokens=0)
    assert [count(database, table) for table in (shown_cards, outcomes)] == [1, 1]
    assert purge(database, NOW - 90 * DAY, NOW) == Purged(0, 0, 0)


def test_feedback_outlives_its_card_and_still_names_it(database: Database) -> None:
    show(database, exchange(shown(1), at=NOW - 100 * DAY))
    keep(database, replace(outcome(1), received=NOW - 10 * DAY))
    assert purge(database, NOW - 90 * DAY, NOW) == Purged(cards=1, feedback=0, tokens=0)
    with database.reading() as connection:
        assert [each.card for each in latest_outcomes(connection, None, None, 10)[0]] == [START]
        assert report(connection, NOW.date()).unknown == {}


def test_counts_go_with_the_days_that_are_older(database: Database) -> None:
    show(database, *(exchange(shown(age), at=NOW - age * DAY, unchecked=["age-unknown"]) for age in (5, 3, 1)))
    keep(database, outcome(5), outcome(3))
    purge(database, NOW - 3 * DAY, NOW)
    with database.reading() as connection:
        left = report(connection, NOW.date())
    assert (left.calls, left.counted.shown, left.counted.overridden, left.unchecked) == (2, 2, 1, (("age-unknown", 2),))


@pytest.mark.parametrize("ages", [(400, 370, 20), (70, 65, 62)])
def test_whole_months_and_parts_of_months_go_alike(database: Database, ages: tuple[int, ...]) -> None:
    show(database, *(exchange(shown(age), at=NOW - age * DAY) for age in ages))
    assert purge(database, NOW - 64 * DAY, NOW).cards == 2
    assert count(database, shown_cards) == 1
    show(database, *(exchange(shown(f"again {age}"), at=NOW - age * DAY) for age in ages))
    assert count(database, shown_cards) == 4, "a month that was removed is made again when it is needed"


def test_more_than_one_step_is_removed(database: Database) -> None:
    show(database, *(exchange(shown(number), at=NOW - DAY) for number in range(1203)))
    keep(database, *(replace(outcome(f"unknown {number}"), received=NOW - DAY) for number in range(1000)))
    assert purge(database, NOW, NOW) == Purged(cards=1203, feedback=1000, tokens=0)


def test_expired_tokens_go_and_good_ones_stay(database: Database) -> None:
    assert database.available()
    tokens = SeenTokens(database)
    tokens.first_use("issuer", "old", NOW - DAY)
    tokens.first_use("issuer", "good", NOW + DAY)
    assert purge(database, NOW, NOW).tokens <= 1
    assert not tokens.first_use("issuer", "good", NOW + DAY)
