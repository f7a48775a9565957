"""Removes what is older than it has to be kept, in small steps, so that no caller waits long for the database."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Column, ColumnElement, Table, delete, select

from service.records.counts import hour_of
from service.records.database import Database
from service.records.months import drop_months
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
    remove_old(database, counted, counted.c.id, counted.c.at < before)
    remove_old(database, quiet_cards, quiet_cards.c.uuid, quiet_cards.c.expires < now)
    return Purged(
        cards=_remove_months(database, shown_cards, shown_cards.c.uuid, shown_cards.c.at, before),
        feedback=_remove_months(database, outcomes, outcomes.c.card, outcomes.c.received, before),
        tokens=remove_old(database, seen_tokens, seen_tokens.c.digest, seen_tokens.c.expires < now),
    )


def _remove_months(database: Database, table: Table, key: Column[str], at: Column[datetime], before: datetime) -> int:
    with database.writing() as connection:
        whole = drop_months(connection, table, before)
    return whole + remove_old(database, table, key, at < before)


def remove_old(database: Database, table: Table, key: Column[str], old: ColumnElement[bool]) -> int:
    """Removes the rows that are old, step by step; their number. Raises DatabaseUnavailable."""
    removed = 0
    while True:
        with database.writing() as connection:
            step = select(key).where(old).limit(STEP)
            rows = connection.execute(delete(table).where(key.in_(step), old)).rowcount
        removed += rows
        if rows < STEP:
            return removed
