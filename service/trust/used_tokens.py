"""Tokens that were used before: each is good for one call (``jti``, section "Trusting CDS Clients")."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from service.errors import place_of

log = structlog.get_logger()

PURGE_AFTER = timedelta(minutes=1)


class SeenTokens(Protocol):
    """Remembers which tokens were used."""

    def first_use(self, issuer: str, jti: str, expires: datetime) -> bool:
        """True exactly once for each pair until it expires; False for every later use."""
        ...


class SeenInMemory:
    """Remembers in the memory of one process: enough for one process, and for nothing else.

    With several processes a token can be used once in each. A service that others can reach keeps them in its
    database as well.
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


class SeenEverywhere:
    """Remembers in a store that all processes share, and here as well.

    While the store does not answer, what this process has seen has to do: a call that is refused is shown as "all
    clear" by many clients, which can hurt somebody at once. A token that was overheard and is sent to another process
    within its short life is the smaller evil, and the log says from when to when it was possible.
    """

    def __init__(self, shared: SeenTokens, here: SeenTokens) -> None:
        self._shared = shared
        self._here = here
        self._alone = False

    def first_use(self, issuer: str, jti: str, expires: datetime) -> bool:
        """True exactly once for each pair until it expires within what this process or the store knows."""
        if not self._here.first_use(issuer, jti, expires):
            return False  # and the store is not told: a copy that overtakes the first call must not have it refused
        try:
            new_everywhere = self._shared.first_use(issuer, jti, expires)
        except Exception as error:
            if not self._alone:
                log.warning("used tokens known to this process only", error=type(error).__name__, place=place_of(error))
            self._alone = True
            return True
        if self._alone:
            log.warning("used tokens known to all processes again")
        self._alone = False
        return new_everywhere
