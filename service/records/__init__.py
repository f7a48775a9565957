"""What is kept of calls and of what clinicians made of them: never who the patient was."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from service.records.kept import StoredFeedback

TURN, AWAY = 2.0, 0.4
"""Seconds that feedback waits for its turn, on a machine that is busy and while the database is away: it can be kept
nowhere else."""


class DatabaseUnavailable(Exception):
    """The database cannot be used now. What was being written is not kept, or not known to be."""


class Records:
    """Answered calls, feedback and used tokens, in one database: made before a fork, opened after it."""

    def __init__(
        self,
        database_url: str,
        spill_file: Path,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        quiet_for: timedelta = timedelta(),
    ) -> None:
        # Here, because SQLAlchemy and Alembic take a while to import and most commands need neither.
        from service.records.database import Database
        from service.records.opening import BUSY
        from service.records.queries import QueryBatcher, QuietCards, SeenTokens
        from service.records.spill import SpillFile
        from service.records.writer import ExchangeWriter

        self.database = Database(database_url)
        self.tokens = SeenTokens(self.database)
        self.writer = ExchangeWriter(self.database, SpillFile(spill_file), new_id, now, quiet_for)
        self.quiet: QuietCards | None = QuietCards(self.database) if quiet_for else None
        self._quiet_for = quiet_for
        self._feedback = QueryBatcher("feedback", self._keep, late="withdrawn", usual=TURN, first=BUSY, away=AWAY)

    def open(self) -> None:
        """Opens the database in the background: tables are made, and what had to wait is written."""
        self.writer.open()

    def keep(self, entries: Sequence[StoredFeedback]) -> None:
        """Stores feedback, committed on return. Raises DatabaseUnavailable: the same may be sent again."""
        self._feedback.ask(tuple(entries))

    def _keep(self, calls: Sequence[Sequence[StoredFeedback]]) -> list[bool]:
        """Keeps the feedback of several calls, all or none of it."""
        from service.records.store import write_outcomes

        entries = [entry for call in calls for entry in call]
        write_outcomes(self.database, entries, self._quiet_for)
        return [True] * len(calls)

    def close(self) -> None:
        """Writes what is left, within seconds, and gives the connections back."""
        self.writer.close()
        self.database.close()
