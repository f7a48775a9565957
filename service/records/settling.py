"""Counts of calls, cards and reasons, and which feedback about a card is counted.

A card and its feedback may arrive in either order, from two machines at once. Whoever has written one of them settles
the card after that, so that the later of the two sees both. Settling again changes nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Insert, Row, Table, bindparam, case, func, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from service.records.kept import Exchange, StoredFeedback, printable
from service.records.tables import (
    call_counts,
    card_counts,
    outcomes,
    quiet_cards,
    reason_counts,
    shown_cards,
    unchecked_counts,
)

STEP = 500
"""Cards that are looked up at once."""

Item = TypeVar("Item")

TABLES = (call_counts, card_counts, reason_counts, unchecked_counts)

LOCK_SPACE = 0x63617264
"""The space of PostgreSQL's advisory locks for cards: the letters of "card" as a number."""


def hour_of(moment: datetime) -> datetime:
    """The hour of UTC in which a moment lies."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def day_of(moment: datetime) -> date:
    """The day of UTC in which a moment lies."""
    return moment.astimezone(UTC).date()


class Tally:
    """Numbers to be added to the tables of counts; negative ones take away."""

    def __init__(self) -> None:
        self._counts: dict[Table, defaultdict[tuple[Any, ...], Counter[str]]] = {
            table: defaultdict(Counter) for table in TABLES
        }

    def count(self, table: Table, key: tuple[Any, ...], column: str, number: int = 1) -> None:
        """Adds to one number. ``key`` is the table's, in the order of its columns."""
        self._counts[table][key][column] += number

    def calls(self, hour: datetime, client: str, hook: str, within: int, number: int = 1) -> None:
        """Answered calls of an hour."""
        self.count(call_counts, (hour, printable(client), hook, within), "calls", number)

    def exchange(self, exchange: Exchange) -> None:
        """An answered call with its cards, those kept quiet, and the reasons of what was not checked."""
        day, client, hook = day_of(exchange.at), printable(exchange.client), exchange.hook
        self.calls(hour_of(exchange.at), client, hook, exchange.within)
        for card in exchange.cards:
            self.count(card_counts, (day, card.card, client, hook, card.indicator), "shown")
        for quiet, indicator in exchange.quiet:
            self.count(card_counts, (day, quiet, client, hook, indicator), "quiet")
        for reason in exchange.unchecked:
            self.count(unchecked_counts, (day, client, hook, reason), "answers")

    def add_to(self, connection: Connection) -> None:
        """Adds all numbers to the tables."""
        for table, counts in self._counts.items():
            keys = [column.name for column in table.primary_key]
            numbers = [column.name for column in table.columns if not column.primary_key]
            rows = [
                dict(zip(keys, key, strict=True)) | {number: counted[number] for number in numbers}
                for key, counted in sorted(counts.items())
                if any(counted.values())
            ]
            if rows:
                connection.execute(_adding(table, connection.dialect.name), rows)


def insert_of(table: Table, dialect: str) -> postgresql.Insert | sqlite.Insert:
    """The INSERT of a kind of database, which knows conflicts."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


@cache
def _adding(table: Table, dialect: str) -> Insert:
    """Adds the numbers of rows to those that are there."""
    insert = insert_of(table, dialect)
    raised = {column.name: column + insert.excluded[column.name] for column in table.columns if not column.primary_key}
    return insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=raised)


def lock_cards(connection: Connection, uuids: Collection[str]) -> None:
    """Keeps others from settling the same cards until the transaction ends.

    On PostgreSQL there is one lock for all uuids with the same end, so that a call takes no more than 256.
    On SQLite whoever writes is alone.
    """
    if connection.dialect.name == "postgresql":
        places = sorted({int(uuid[-2:], 16) for uuid in uuids})
        statement = text("SELECT pg_advisory_xact_lock(:space, place) FROM unnest(CAST(:places AS int[])) AS place")
        connection.execute(statement, {"space": LOCK_SPACE, "places": places})


def cards_with_early_feedback(connection: Connection, uuids: Sequence[str]) -> list[str]:
    """Those of the cards whose feedback arrived before them."""
    found: list[str] = []
    for some in _steps(uuids):
        unsettled = select(outcomes.c.card).where(outcomes.c.card.in_(some), outcomes.c.card_id == "")
        found += connection.scalars(unsettled.distinct())
    return found


def known_feedback(connection: Connection, entries: Sequence[StoredFeedback]) -> tuple[set[str], Counter[str]]:
    """The fingerprints of entries that are kept already, and the last number given out for each card."""
    known, numbers = set[str](), Counter[str]()
    for some in _steps(entries):
        about = outcomes.c.card.in_({entry.card for entry in some})
        same = outcomes.c.fingerprint.in_({entry.fingerprint for entry in some})
        known |= set(connection.scalars(select(outcomes.c.fingerprint).where(about, same)))
        number = func.max(outcomes.c.number).label("number")
        last = select(outcomes.c.card, number).where(about).group_by(outcomes.c.card)
        numbers |= {row.card: row.number for row in connection.execute(last)}
    return known, numbers


def settle(connection: Connection, uuids: Collection[str], quiet_for: timedelta = timedelta()) -> set[str]:
    """Makes the latest feedback about each card the one that counts; the uuids of cards that are unknown.

    The time of the outcome decides, then the order of arrival. A time after the arrival counts as the arrival: a
    client whose clock is years ahead must not have the last word for years. The cards must be locked.
    """
    tally, unknown = Tally(), set(uuids)
    for some in _steps(sorted(uuids)):
        latest = _latest(connection, some)
        cards = connection.execute(select(shown_cards).where(shown_cards.c.uuid.in_(some))).all()
        unknown.difference_update(card.uuid for card in cards)
        _mark(connection, latest.values(), {card.uuid: card.card for card in cards})
        for card in cards:
            if card.uuid in latest:
                _settle(connection, card, latest[card.uuid], tally)
        _quieten(connection, list(latest.values()), quiet_for)
    tally.add_to(connection)
    return unknown


def _steps(each: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (each[start : start + STEP] for start in range(0, len(each), STEP))


def _latest(connection: Connection, uuids: Sequence[str]) -> dict[str, Row[Any]]:
    decided = case((outcomes.c.at > outcomes.c.received, outcomes.c.received), else_=outcomes.c.at)
    place = func.row_number().over(partition_by=outcomes.c.card, order_by=(decided.desc(), outcomes.c.number.desc()))
    placed = select(outcomes, place.label("place")).where(outcomes.c.card.in_(uuids)).subquery()
    rows = connection.execute(select(placed).where(placed.c.place == 1))
    return {row.card: row for row in rows}


def _mark(connection: Connection, feedback: Collection[Row[Any]], cards: Mapping[str, str]) -> None:
    """Marks the entries that count, and names the cards' files in all entries about them."""
    if not feedback:
        return
    last, card_id = outcomes.c.number == bindparam("last"), bindparam("named", type_=outcomes.c.card_id.type)
    wrong = or_(outcomes.c.latest != last, outcomes.c.card_id != card_id)
    statement = update(outcomes).where(outcomes.c.card == bindparam("about"), wrong)
    rows = [{"about": row.card, "last": row.number, "named": cards.get(row.card, row.card_id)} for row in feedback]
    connection.execute(statement.values(latest=last, card_id=card_id), rows)


def _settle(connection: Connection, card: Row[Any], feedback: Row[Any], tally: Tally) -> None:
    """Counts a card's latest feedback in place of what was counted of it before."""
    reason = feedback.reason if feedback.outcome == "overridden" else ""
    if (card.answer, card.reason) == (feedback.outcome, reason):
        return
    shown = (shown_cards.c.uuid == card.uuid) & (shown_cards.c.at == card.at)
    connection.execute(update(shown_cards).where(shown).values(answer=feedback.outcome, reason=reason))
    day = day_of(card.at)
    for answer, why, number in ((card.answer, card.reason, -1), (feedback.outcome, reason, 1)):
        if answer:
            tally.count(card_counts, (day, card.card, card.client, card.hook, card.indicator), answer, number)
        if answer == "overridden":
            tally.count(reason_counts, (day, card.card, card.client, card.hook, why), "overridden", number)


def _quieten(connection: Connection, feedback: Sequence[Row[Any]], quiet_for: timedelta) -> None:
    """From now on the answered cards may stay quiet."""
    if feedback and quiet_for:
        waiting = (quiet_cards.c.uuid == bindparam("answered_card")) & ~quiet_cards.c.answered
        statement = update(quiet_cards).where(waiting).values(answered=True, expires=bindparam("until"))
        rows = [{"answered_card": row.card, "until": row.received + quiet_for} for row in feedback]
        connection.execute(statement, rows)
