"""All that is kept, opened together: answered calls, feedback and used tokens in one database."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from service.records.exchange import Exchange
from service.records.outcome import StoredFeedback

AWAY = 0.4
"""Seconds that feedback waits for a database that is away: it can be kept nowhere else."""


class Records:
    """The records of a service. Made before a fork, they connect after it; nothing is opened before it is used."""

    def __init__(
        self,
        database_url: str,
        spill_file: Path,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        quiet_for: timedelta = timedelta(),
    ) -> None:
        # Here, because SQLAlchemy and Alembic take a while to import and most commands need neither.
        from service.records.batching import QueryBatcher
        from service.records.database import Database
        from service.records.opening import BUSY
        from service.records.quiet import QuietCards
        from service.records.spill import SpillFile
        from service.records.tokens import SeenTokens
        from service.records.writer import ExchangeWriter

        self.database = Database(database_url)
        self.tokens = SeenTokens(self.database)
        self.writer = ExchangeWriter(self.database, SpillFile(spill_file), new_id, now, quiet_for)
        self.quiet: QuietCards | None = QuietCards(self.database) if quiet_for else None
        self._quiet_for = quiet_for
        self._feedback = QueryBatcher("feedback", self._keep, late="withdrawn", first=BUSY, away=AWAY)

    def open(self) -> None:
        """Opens the database in the background: tables are made, and what had to wait is written."""
        self.writer.open()

    def observe(self, exchange: Exchange) -> None:
        """Keeps an answered call: later, without waiting and without failing."""
        self.writer.add(exchange)

    def keep(self, entries: Sequence[StoredFeedback]) -> None:
        """Stores feedback, committed on return. Raises DatabaseUnavailable; then nothing is stored."""
        self._feedback.ask(tuple(entries))

    def _keep(self, calls: Sequence[Sequence[StoredFeedback]]) -> list[bool]:
        """Keeps the feedback of several calls, all or none of it."""
        from service.records.store import write_outcomes

        entries = [entry for call in calls for entry in call]
        write_outcomes(self.database, entries, self._quiet_for)
        return [True] * len(calls)

    def available(self) -> bool:
        """Whether the database can be used now."""
        return self.database.available()

    def close(self) -> None:
        """Writes what is left, within seconds, and gives the connections back."""
        self.writer.close()
        self.database.close()
