"""How many calls of this process may wait for FHIR servers, so that a slow server is one client's problem.

A call that waits for a fetch holds a thread. So fewer calls may wait than there are threads, fewer still of one client,
and a server that failed several times in a row is left alone for some seconds: calls then go on without it, at once.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from service.fhir.fetch_errors import Failure

FAILED = frozenset({Failure.TIMEOUT, Failure.UNREACHABLE, Failure.BROKEN})
"""Failures that speak of the server, and not of what it was asked."""

MOST_FAILURES = 5
"""Rounds of fetching that fail in a row before a server is left alone."""

REST_SECONDS = 10.0
"""How long it is left alone; then one call tries again."""

MOST_SERVERS = 256
"""Servers whose failures are remembered."""

log = structlog.get_logger()


@dataclass(slots=True)
class _Server:
    """What is known of one server of a client; ``until`` is when it may be asked again."""

    failures: int = 0
    until: float = 0.0


class Bulkhead:
    """Limits the calls that wait, in total and per client. Thread-safe."""

    def __init__(self, places: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._places = places
        self._for_one = max(1, places * 2 // 3)
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: Counter[str] = Counter()
        self._servers: dict[tuple[str, str], _Server] = {}

    @contextmanager
    def place(self, client: str) -> Iterator[bool]:
        """A place for one round of fetching, if there is one; never waits."""
        with self._lock:
            free = self._waiting.total() < self._places and self._waiting[client] < self._for_one
            if free:
                self._waiting[client] += 1
        try:
            yield free
        finally:
            if free:
                with self._lock:
                    self._waiting[client] -= 1

    def resting(self, client: str, server: str) -> bool:
        """Whether a server is to be left alone now; after its rest, one call finds it free and tries."""
        with self._lock:
            known = self._servers.get((client, server))
            if known is None or known.failures < MOST_FAILURES:
                return False
            now = self._clock()
            if now < known.until:
                return True
            known.until = now + REST_SECONDS
            return False

    def note(self, client: str, server: str, results: Sequence[object]) -> None:
        """Records the outcome of a round of fetches: any answer resets the count of failures."""
        failed = all(isinstance(result, Failure) and result in FAILED for result in results)
        with self._lock:
            known = self._servers.pop((client, server), None) or _Server()
            tired = known.failures >= MOST_FAILURES
            if failed:
                known.failures += 1
                known.until = self._clock() + REST_SECONDS
                self._servers[client, server] = known
                if len(self._servers) > MOST_SERVERS:
                    del self._servers[next(iter(self._servers))]
        if failed and known.failures == MOST_FAILURES:
            log.warning("FHIR server paused", client=client, failures=known.failures)
        if tired and not failed:
            log.info("FHIR server asked again", client=client)
