"""All that is kept, opened together: answered calls, feedback and used tokens in one database."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from service.records.database import Database
from service.records.exchange import Exchange
from service.records.outcome import StoredFeedback
from service.records.spill import SpillFile
from service.records.store import add_outcomes
from service.records.tokens import SeenTokens
from service.records.writer import ExchangeWriter


class Records:
    """The records of a service. Made before a fork, they connect after it; nothing is opened before it is used."""

    def __init__(
        self, database_url: str, spill_file: Path, now: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self.database = Database(database_url)
        self.tokens = SeenTokens(self.database, now)
        self.writer = ExchangeWriter(self.database, SpillFile(spill_file), new_id)

    def open(self) -> None:
        """Opens the database in the background: tables are made, and what had to wait is written."""
        self.writer.open()

    def observe(self, exchange: Exchange) -> None:
        """Keeps an answered call: later, without waiting and without failing."""
        self.writer.add(exchange)

    def keep(self, entries: Sequence[StoredFeedback]) -> None:
        """Keeps feedback: it is kept when this returns. Raises DatabaseUnavailable; then none of it is."""
        with self.database.writing() as connection:
            add_outcomes(connection, entries)

    def available(self) -> bool:
        """Whether the database can be used now."""
        return self.database.available()

    def close(self) -> None:
        """Writes what is left, within seconds, and gives the connections back."""
        self.writer.close()
        self.database.close()
