"""Key sets at an address of the client's (``jku``): fetched when needed, kept, fetched again when keys rotate.

Only addresses of the trust file come here. Nothing is fetched at startup, so every process of the server has
its own copies; an address is asked at most every ``RETRY_AFTER`` seconds by each of them, whatever is sent, and
whatever it answers: an attempt that has not ended by then is left to itself and another one begun.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from pathlib import Path

import requests
import structlog

from service.errors import place_of
from service.http import NotAnswered, get, new_session
from service.trust.keys import KeySet, NotAKeySet, PublicKey, read_key_set

MAX_AGE = 600.0
"""Seconds for which a set is used without asking again: as long as a withdrawn key stays valid at most."""

RETRY_AFTER = 10.0
"""Seconds between two requests to one address, so that tokens with unknown keys cannot make many."""

DEADLINE = 3.0
"""Seconds that a call waits for a set at most."""

MOST_BYTES = 256 * 1024

THREAD = "key set"
"""The name of the threads that fetch."""

log = structlog.get_logger()


class NotFetched(Exception):
    """A key set could not be fetched; the message says why, without repeating what was answered."""


class KeysUnavailable(Exception):
    """No key set of this address has ever been fetched."""


def fetch(url: str, ca_file: Path | None = None) -> bytes:
    """The body at an address, at most ``MOST_BYTES``, within ``DEADLINE``. Raises NotFetched.

    ``ca_file`` has the authorities to trust instead of the public ones.
    """
    until = time.monotonic() + DEADLINE
    try:
        with new_session(ca_file, 1) as session:
            answer = get(session, url, {"Accept": "application/json"}, until=until, most_bytes=MOST_BYTES)
    except (NotAnswered, OSError) as fault:
        raise NotFetched(f"it {fault}" if isinstance(fault, NotAnswered) else type(fault).__name__) from None
    if answer.status != requests.codes.ok:
        raise NotFetched(f"it answered with status {answer.status}")
    return answer.body


@dataclass(slots=True)
class _Kept:
    """What is known of one address; times are those of the clock handed in."""

    keys: KeySet | None = None
    fetched: float = -inf
    asked: float = -inf
    failing: bool = False
    running: threading.Event | None = None


class RemoteKeys:
    """The key sets of all addresses. Safe for threads; what counts is the latest attempt of an address.

    While an address fails or hangs, its last good set stays in use, and nobody waits for a further attempt: a
    flood of tokens cannot hold the threads of the server.
    """

    def __init__(self, clock: Callable[[], float], fetch: Callable[[str], bytes] = fetch) -> None:
        self._clock = clock
        self._fetch = fetch
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    def key(self, jku: str, kid: str) -> PublicKey | None:
        """The key of this name in the set at this address; None when the set has none.

        Raises KeysUnavailable. Waits up to ``DEADLINE`` seconds where the set has to be fetched first, unless the
        last attempt failed.
        """
        with self._lock:
            kept = self._kept.setdefault(jku, _Kept())
            running = self._refreshing(jku, kept, kid)
        late = running is not None and not running.wait(DEADLINE)
        with self._lock:
            kept.failing = kept.failing or (late and kept.running is running)
            if kept.keys is None:
                raise KeysUnavailable(jku)
            return kept.keys.keys.get(kid)

    def _refreshing(self, jku: str, kept: _Kept, kid: str) -> threading.Event | None:
        """Starts a request where one is due; returns the event to wait for, if this call has to wait at all."""
        now = self._clock()
        fresh = now - kept.fetched < MAX_AGE
        if fresh and kept.keys is not None and kid in kept.keys.keys:
            return None
        if now - kept.asked >= RETRY_AFTER:
            if kept.running is not None:
                log.warning("key set asked for again", jku=jku, unanswered_seconds=round(now - kept.asked))
            kept.asked = now
            kept.running = threading.Event()
            # A thread, for a time-out of the whole: looking up the name and reading the headers have none.
            arguments = (jku, kept, kept.running)
            try:
                threading.Thread(target=self._refresh, args=arguments, name=THREAD, daemon=True).start()
            except RuntimeError:  # no thread available now: a failed attempt like any other
                kept.failing, kept.running = True, None
        return None if kept.failing else kept.running

    def _refresh(self, jku: str, kept: _Kept, done: threading.Event) -> None:
        keys: KeySet | None = None
        reason = ""
        try:
            keys = read_key_set(self._fetch(jku))
        except (NotFetched, NotAKeySet) as fault:
            reason = str(fault)
        except Exception as error:
            reason = f"{type(error).__name__} at {place_of(error)}"
        with self._lock:
            if kept.running is done:  # else another attempt has taken its place
                if keys is not None:
                    kept.keys, kept.fetched = keys, self._clock()
                kept.failing, kept.running = keys is None, None
            last_good = kept.keys is not None
        if keys is None:
            log.error("key set not fetched", jku=jku, reason=reason, last_good_set_in_use=last_good)
        else:
            log.info("key set fetched", jku=jku, kids=list(keys.keys), passed_over=list(keys.passed_over))
        done.set()
