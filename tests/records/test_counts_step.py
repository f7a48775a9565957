"""Step 2 of the tables: what the first version kept is counted, and a report says the same as it did."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, inspect, text

from service.records.database import Database
from service.records.exchange import MORE
from service.records.rate import Rate
from service.records.report import report
from service.records.settling import latest_outcomes
from tests.records.kept import NOW, PAIR, START, keep, named, outcome
from tests.records.steps import at_step, stored

DAY = timedelta(days=1)
CALLS = [
    ("call 1", NOW, 4.2, ["age-unknown", "dose-missing"], [("a", START), ("b", PAIR)]),
    ("call 2", NOW - 40 * DAY, 70.0, ["age-unknown"], [("c", START)]),
    ("call 3", NOW - 400 * DAY, 20_000.0, [], [("d", START)]),
    ("call 4", NOW, 4.9, [], []),
]
FEEDBACK = [("a", "accepted", 1), ("a", "overridden", 2), ("c", "accepted", 1), ("unknown", "overridden", 1)]


def fill(connection: Connection) -> None:
    """What the first version wrote: calls with and without cards, a changed mind, feedback about an unknown card."""
    for name, at, milliseconds, unchecked, cards in CALLS:
        connection.execute(
            text(
                "INSERT INTO exchange VALUES (:id, :at, 'Example EHR', '', 'order-sign', 'order-sign', '0', :ms, :why)"
            ),
            {"id": named(name), "at": stored(connection, at), "ms": milliseconds, "why": json.dumps(unchecked)},
        )
        for uuid, card in cards:
            connection.execute(
                text("INSERT INTO shown_card VALUES (:uuid, :exchange, :card, 'warning', '[]')"),
                {"uuid": named(uuid), "exchange": named(name), "card": card},
            )
    for number, (uuid, said, minute) in enumerate(FEEDBACK):
        connection.execute(
            text(
                "INSERT INTO outcome (fingerprint, card, outcome, at, received, reason, system, suggestions, comment)"
                " VALUES (:print, :card, :said, :at, :at, :reason, '', '[]', '')"
            ),
            {
                "print": f"{number:064}",
                "card": named(uuid),
                "said": said,
                "at": stored(connection, NOW + timedelta(minutes=minute)),
                "reason": "benefit" if said == "overridden" else "",
            },
        )


@pytest.fixture
def migrated(empty_url: str) -> Iterator[Database]:
    """A database that the first version filled, opened by this one."""
    with at_step(empty_url, "0001") as connection:
        fill(connection)
    opened = Database(empty_url)
    yield opened
    opened.close()


def test_a_report_says_of_old_records_what_it_said_before(migrated: Database) -> None:
    with migrated.reading() as connection:
        found = report(connection, NOW.date())
        listed, total = latest_outcomes(connection, None, None, 10)
        tables = set(inspect(connection).get_table_names())
    cards = {card.card: card for card in found.cards}
    assert found.calls == 4
    assert (cards[START].counted.shown, cards[START].counted.override_rate) == (3, Rate(1, 2))
    assert (cards[START].before, cards[START].recent) == (Rate(0, 1), Rate(1, 1))
    assert cards[START].reasons == (("benefit", 1),)
    assert cards[PAIR].counted.shown == 1
    assert found.unchecked == (("age-unknown", 2), ("dose-missing", 1))
    assert found.times.calls == ((5, 2), (100, 1), (None, 1))
    assert MORE > 20_000
    assert found.unknown == {"overridden": 1}
    assert total == 3
    assert {each.uuid: each.card for each in listed} == {named("a"): START, named("c"): START, named("unknown"): ""}
    assert tables.isdisjoint({"exchange", "old_card"})


def test_feedback_about_an_old_card_is_counted_on_the_day_of_the_card(migrated: Database) -> None:
    keep(migrated, outcome("d"), outcome("c", at=NOW + timedelta(minutes=9)))
    with migrated.reading() as connection:
        (start,) = [card for card in report(connection, NOW.date()).cards if card.card == START]
    days = dict(start.days)
    assert days[(NOW - 400 * DAY).date()].overridden == 1
    assert (days[(NOW - 40 * DAY).date()].accepted, days[(NOW - 40 * DAY).date()].overridden) == (0, 1)
