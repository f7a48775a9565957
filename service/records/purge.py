"""Retention: monthly partitions of cards and feedback, and the removal of old rows.

On PostgreSQL each month is a table of its own, which is removed in one step; the rest in small steps, so that no caller
waits long for the database.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Column, ColumnElement, Connection, Table, delete, select, text

from service.records.database import Database
from service.records.settling import hour_of
from service.records.tables import (
    call_counts,
    card_counts,
    counted,
    outcomes,
    quiet_cards,
    reason_counts,
    seen_tokens,
    shown_cards,
    unchecked_counts,
)

STEP = 5_000

MARGIN = timedelta(minutes=10)
"""Time after its expiry that a token is remembered: the clocks of several machines differ."""

MONTHS_LOCK = 0x6D6F6E746873
"""The advisory lock under which a month is made: the letters of "months" as a number."""


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows were removed."""

    cards: int
    feedback: int
    tokens: int


def purge(database: Database, before: datetime, now: datetime) -> Purged:
    """Removes cards that went out and feedback that was received before a moment, and counts of the days before.

    Tokens and digests that have expired go, too. On PostgreSQL, months that are old as a whole are removed in one
    step. Raises DatabaseUnavailable; what was removed until then stays removed.
    """
    day = before.astimezone(UTC).date()
    with database.writing() as connection:
        connection.execute(delete(call_counts).where(call_counts.c.hour < hour_of(before)))
        for table in (card_counts, reason_counts, unchecked_counts):
            connection.execute(delete(table).where(table.c.day < day))
    _remove_old(database, counted, counted.c.id, counted.c.at < before)
    return Purged(
        cards=_remove_months(database, shown_cards, shown_cards.c.uuid, shown_cards.c.at, before),
        feedback=_remove_months(database, outcomes, outcomes.c.card, outcomes.c.received, before),
        tokens=remove_expired(database, now),
    )


def remove_expired(database: Database, now: datetime) -> int:
    """Removes digests and used tokens that have expired; the number of tokens. Raises DatabaseUnavailable."""
    _remove_old(database, quiet_cards, quiet_cards.c.uuid, quiet_cards.c.expires < now)
    return _remove_old(database, seen_tokens, seen_tokens.c.digest, seen_tokens.c.expires < now - MARGIN)


def _remove_months(database: Database, table: Table, key: Column[str], at: Column[datetime], before: datetime) -> int:
    with database.writing() as connection:
        whole = drop_months(connection, table, before)
    return whole + _remove_old(database, table, key, at < before)


def _remove_old(database: Database, table: Table, key: Column[str], old: ColumnElement[bool]) -> int:
    """Removes the rows that are old, step by step; their number."""
    removed = 0
    while True:
        with database.writing() as connection:
            step = select(key).where(old).limit(STEP)
            rows = connection.execute(delete(table).where(key.in_(step), old)).rowcount
        removed += rows
        if rows < STEP:
            return removed


def month_of(moment: datetime) -> datetime:
    """The first moment of the month of UTC in which a moment lies."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def following(month: datetime) -> datetime:
    """The first moment of the next month."""
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def make_months(connection: Connection, table: Table, moments: Iterable[datetime]) -> None:
    """Creates the partitions for the months of these moments, unless they exist.

    A part is made first and attached then, which keeps nobody from reading or writing the others.
    """
    if connection.dialect.name != "postgresql":
        return
    for month in sorted({month_of(moment) for moment in moments}):
        name = f"{table.name}_{month:%Y_%m}"
        if not _is_there(connection, name):
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MONTHS_LOCK})
            if not _is_there(connection, name):
                span = f"FROM ('{month.isoformat()}') TO ('{following(month).isoformat()}')"
                connection.exec_driver_sql(f"CREATE TABLE {name} (LIKE {table.name} INCLUDING ALL)")
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ATTACH PARTITION {name} FOR VALUES {span}")


def _is_there(connection: Connection, name: str) -> bool:
    # Not to_regclass(), which need not know yet what others have committed since the transaction began.
    there = text("SELECT 1 FROM pg_class WHERE relname = :name AND pg_table_is_visible(oid)")
    return connection.scalar(there, {"name": name}) is not None


def drop_months(connection: Connection, table: Table, before: datetime) -> int:
    """Removes the months that were over before a moment; the number of rows that were in them."""
    if connection.dialect.name != "postgresql":
        return 0
    removed = 0
    parts = text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = CAST(:name AS regclass)")
    for name in sorted(connection.scalars(parts, {"name": table.name})):
        month = datetime.strptime(name.removeprefix(f"{table.name}_"), "%Y_%m").replace(tzinfo=UTC)
        if following(month) <= before:
            removed += connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0  # noqa: S608  (the name is PostgreSQL's)
            connection.exec_driver_sql(f"DROP TABLE {name}")
    return removed
