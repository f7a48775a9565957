"""Step 3 of the tables: feedback lies in months, in the order in which it came."""

from datetime import timedelta

from sqlalchemy import Connection, inspect, select, text

from service.records.database import Database
from service.records.purge import purge
from service.records.settling import latest_outcomes
from service.records.tables import outcomes
from tests.records.kept import NOW, START, exchange, keep, named, outcome, show, shown
from tests.records.steps import at_step, stored

DAY = timedelta(days=1)
SAID = [("a", "accepted", 40), ("b", "overridden", 400), ("a", "overridden", 40), ("unknown", "overridden", 1)]
"""Card, outcome and age in days, in the order of arrival."""


def fill(connection: Connection) -> None:
    """What the version before wrote."""
    statement = text(
        "INSERT INTO outcome (fingerprint, card, card_id, latest, outcome, at, received, reason, system, suggestions,"
        " comment) VALUES (:print, :card, :id, :latest, :said, :at, :at, 'benefit', 'urn:x', '[\"s\"]', 'words')"
    )
    for number, (card, said, age) in enumerate(SAID):
        names = {"print": f"{number:064}", "card": named(card), "id": "" if card == "unknown" else START}
        at = stored(connection, NOW - age * DAY)
        connection.execute(statement, names | {"latest": number > 0, "said": said, "at": at})


def test_feedback_of_the_version_before_is_kept_in_its_order_and_goes_with_its_month(empty_url: str) -> None:
    with at_step(empty_url, "0002") as connection:
        fill(connection)
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
