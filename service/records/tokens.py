"""Which tokens were used: a token is good once, whichever process or machine it is sent to."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete

from service.records.database import Database
from service.records.store import insert_new
from service.records.tables import seen_tokens

PURGE_EVERY = timedelta(minutes=10)
MARGIN = timedelta(minutes=10)
"""Time after its expiry that a token is remembered: the clocks of several machines differ."""


class SeenTokens:
    """The tokens that were used and could be used again."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._purged: datetime | None = None

    def first_use(self, issuer: str, jti: str, expires: datetime) -> bool:
        """True for the first caller with this issuer and jti, False for every other one, on any machine.

        ``expires`` is the moment from which the token is refused anyhow, leeway included. Raises
        DatabaseUnavailable; then nobody knows whether the token was used.
        """
        with self._database.writing() as connection:
            rows = [{"digest": digest(issuer, jti), "expires": expires}]
            first = insert_new(connection, seen_tokens, rows) == 1
            if self._due():
                connection.execute(delete(seen_tokens).where(seen_tokens.c.expires < self._now() - MARGIN))
        return first

    def _due(self) -> bool:
        """Whether the expired ones are to be removed now; true once in a while."""
        now = self._now()
        if self._purged is not None and now - self._purged < PURGE_EVERY:
            return False
        self._purged = now
        return True


def digest(issuer: str, jti: str) -> str:
    """One value for a pair; the length keeps two pairs apart that read the same one after the other."""
    return hashlib.sha256(f"{len(issuer)}:{issuer}{jti}".encode("utf-8", "surrogatepass")).hexdigest()
