"""The steps make exactly the tables that the program uses, and leave nothing of older databases behind."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select, text

from service.records.database import Database
from service.records.kept import MORE
from service.records.opening import LAST, STATEMENT, STEPS, alembic_config, engine_of, migrate
from service.records.purge import purge
from service.records.reading import latest_outcomes, report
from service.records.report import Rate
from service.records.tables import metadata, outcomes
from tests.records.kept import NOW, PAIR, START, exchange, keep, named, outcome, show, shown


def test_the_steps_make_the_tables_as_the_program_uses_them(database: Database) -> None:
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_a_database_that_has_all_steps_is_left_alone(database: Database) -> None:
    with database.writing() as connection:
        assert not migrate(connection)


def test_the_steps_follow_one_another_and_their_files_are_named_after_them() -> None:
    steps = list(ScriptDirectory.from_config(alembic_config()).walk_revisions())
    files = sorted(path.name for path in (STEPS / "versions").glob("v*.py"))
    assert [file[1:5] for file in files] == sorted(step.revision for step in steps)
    assert steps[0].revision == LAST


@contextmanager
def at_step(url: str, step: str) -> Iterator[Connection]:
    """A transaction on an empty database, brought to a step first."""
    engine = engine_of(url, STATEMENT)
    with engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, step)
        yield connection
    engine.dispose()


def stored(connection: Connection, moment: datetime) -> object:
    """A moment as each kind of database keeps it."""
    return moment if connection.dialect.name == "postgresql" else f"{moment:%Y-%m-%d %H:%M:%S.%f}"


DAY = timedelta(days=1)
CALLS = [
    ("call 1", NOW, 4.2, ["age-unknown", "dose-missing"], [("a", START), ("b", PAIR)]),
    ("call 2", NOW - 40 * DAY, 70.0, ["age-unknown"], [("c", START)]),
    ("call 3", NOW - 400 * DAY, 20_000.0, [], [("d", START)]),
    ("call 4", NOW, 4.9, [], []),
]
FEEDBACK = [("a", "accepted", 1), ("a", "overridden", 2), ("c", "accepted", 1), ("unknown", "overridden", 1)]


def fill_first_version(connection: Connection) -> None:
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
    for number, (uuid, answer, minute) in enumerate(FEEDBACK):
        connection.execute(
            text(
                "INSERT INTO outcome (fingerprint, card, outcome, at, received, reason, system, suggestions, comment)"
                " VALUES (:print, :card, :answer, :at, :at, :reason, '', '[]', '')"
            ),
            {
                "print": f"{number:064}",
                "card": named(uuid),
                "answer": answer,
                "at": stored(connection, NOW + timedelta(minutes=minute)),
                "reason": "benefit" if answer == "overridden" else "",
            },
        )


@pytest.fixture
def migrated(empty_url: str) -> Iterator[Database]:
    """A database that the first version filled, opened by this one."""
    with at_step(empty_url, "0001") as connection:
        fill_first_version(connection)
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


ENTRIES = [
    ("a", "accepted", 40),
    ("b", "overridden", 400),
    ("a", "overridden", 40),
    ("unknown", "overridden", 1),
]
"""Card, outcome and age in days, in the order of arrival."""


def fill_second_version(connection: Connection) -> None:
    """What the second version wrote: feedback in the order in which it came."""
    statement = text(
        "INSERT INTO outcome (fingerprint, card, card_id, latest, outcome, at, received, reason, system, suggestions,"
        " comment) VALUES (:print, :card, :id, :latest, :answer, :at, :at, 'benefit', 'urn:x', '[\"s\"]', 'words')"
    )
    for number, (card, answer, age) in enumerate(ENTRIES):
        names = {"print": f"{number:064}", "card": named(card), "id": "" if card == "unknown" else START}
        at = stored(connection, NOW - age * DAY)
        connection.execute(statement, names | {"latest": number > 0, "answer": answer, "at": at})


def test_feedback_of_the_version_before_is_kept_in_its_order_and_goes_with_its_month(empty_url: str) -> None:
    with at_step(empty_url, "0002") as connection:
        fill_second_version(connection)
    database = Database(empty_url)
    with database.reading() as connection:
        numbers = connection.execute(select(outcomes.c.card, outcomes.c.number, outcomes.c.outcome)).all()
        listed, total = latest_outcomes(connection, None, None, 10)
        tables = inspect(connection).get_table_names()
    expected = [("a", 1, "accepted"), ("a", 2, "overridden"), ("b", 1, "overridden"), ("unknown", 1, "overridden")]
    assert set(map(tuple, numbers)) == {(named(card), *others) for card, *others in expected}
    assert (total, {each.uuid for each in listed}) == (3, {named("a"), named("b"), named("unknown")})
    assert {(each.reason, each.system, *each.suggestions, each.comment) for each in listed} == {
        ("benefit", "urn:x", "s", "words")
    }
    assert "old_outcome" not in tables
    show(database, exchange(shown("a"), at=NOW - 40 * DAY))
    keep(database, outcome("a", "accepted", at=NOW + DAY))
    assert purge(database, NOW - 64 * DAY, NOW).feedback == 1
    with database.reading() as connection:
        kept = latest_outcomes(connection, None, None, 10)[0]
    assert [(each.uuid, each.outcome) for each in kept if each.card] == [(named("a"), "accepted")]
    database.close()
