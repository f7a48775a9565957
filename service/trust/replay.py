"""Tokens that were used before: each is good for one call (``jti``, section "Trusting CDS Clients")."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

PURGE_AFTER = timedelta(minutes=1)


class SeenTokens(Protocol):
    """Remembers which tokens were used."""

    def first_use(self, issuer: str, jti: str, expires: datetime) -> bool:
        """True exactly once for each pair until it expires; False for every later use.

        Raises any exception when it cannot tell, and the token is then refused.
        """
        ...


class SeenInMemory:
    """Remembers in the memory of one process: enough for one process, and for nothing else.

    With several processes a token can be used once in each. A service that others can reach keeps them in its
    database.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._expiries: dict[tuple[str, str], datetime] = {}
        self._purged = now()

    def first_use(self, issuer: str, jti: str, expires: datetime) -> bool:
        """True exactly once for each pair until it expires."""
        now = self._now()
        with self._lock:
            if self._expiries.get((issuer, jti), now) > now:
                return False
            if now - self._purged > PURGE_AFTER:
                self._expiries = {pair: expiry for pair, expiry in self._expiries.items() if expiry > now}
                self._purged = now
            self._expiries[issuer, jti] = expires
            return True
