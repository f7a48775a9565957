"""Counts of calls, cards and reasons, gathered in memory and added to the tables of counts.

Everybody adds in the order of the tables and of their keys, so that no two transactions wait for each other.
"""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite

from service.records.exchange import Exchange
from service.records.outcome import printable
from service.records.tables import call_counts, card_counts, reason_counts, unchecked_counts

TABLES = (call_counts, card_counts, reason_counts, unchecked_counts)


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


@cache
def _adding(table: Table, dialect: str) -> Insert:
    """Adds the numbers of rows to those that are there."""
    insert: postgresql.Insert | sqlite.Insert = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    numbers = [column for column in table.columns if not column.primary_key]
    raised = {column.name: column + insert.excluded[column.name] for column in numbers}
    return insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=raised)
