"""Writes answered calls in the background, so that no card waits for a database.

One thread for each process takes them from a bounded queue. What the database does not take goes to the spill file and
is written when the database is back. What finds no room anywhere is counted as lost, and the log says so.
"""

import atexit
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog

from service.errors import place_of
from service.records.database import Database, DatabaseUnavailable
from service.records.exchange import Exchange
from service.records.spill import SpillFile
from service.records.store import Numbered, add_exchanges

MOST_WAITING = 10_000
"""Calls in the queue. It fills only while neither the database nor the disk gives an answer."""

BATCH = 500
GATHER = 0.2
"""Seconds in which calls gather before they are written together."""

RETRY = 5.0
"""Seconds between attempts to write what waits in the spill file."""

WriterObserver = Callable[[str, int], None]
"""Is told how many calls were ``written``, ``spilled`` (set aside) or ``lost``; must neither fail nor wait."""

log = structlog.get_logger()


class ExchangeWriter:
    """The queue of answered calls and the thread that writes them. Made before a fork, it starts after it."""

    def __init__(
        self, database: Database, spill: SpillFile, new_id: Callable[[], str], most_waiting: int = MOST_WAITING
    ) -> None:
        self._database = database
        self._spill = spill
        self._new_id = new_id
        self._most_waiting = most_waiting
        self.observers: list[WriterObserver] = []
        self._begin()
        itself = weakref.ref(self)

        def begin_in_child() -> None:
            writer = itself()
            if writer is not None:
                writer._begin()

        os.register_at_fork(after_in_child=begin_in_child)

    def _begin(self) -> None:
        """The state of a process that has just begun; a fork inherits no threads and perhaps a lock that is held."""
        self.lost = 0
        """Calls of this process that were not kept."""
        self._changed = threading.Condition()
        self._queue: deque[Numbered] = deque()
        self._writing = False
        self._closing = False
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Starts the thread, which first of all opens the database."""
        with self._changed:
            if self._thread is None:
                self._closing = False
                thread = threading.Thread(target=self._run, name="records", daemon=True)
                thread.start()
                self._thread = thread
                atexit.register(self.close)

    def add(self, exchange: Exchange) -> None:
        """Puts an answered call into the queue: neither fails nor waits."""
        with suppress(RuntimeError):  # no thread to be had now: the next call tries again
            self.open()
        with self._changed:
            self._queue.append(Numbered(self._new_id(), exchange))
            full = len(self._queue) > self._most_waiting
            if full:
                self._queue.popleft()
            self._changed.notify_all()
        if full:
            self._lose(1)

    def flush(self, seconds: float) -> bool:
        """Waits until nothing is in the queue; False when that takes longer than it may."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._queue or self._writing), seconds)

    def close(self, seconds: float = 5.0) -> None:
        """Writes what is in the queue, into the spill file if need be, and ends the thread, within the time."""
        thread = self._thread
        if thread is None:
            return
        atexit.unregister(self.close)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        thread.join(seconds)
        with self._changed:
            left = len(self._queue)
            self._queue.clear()
            self._thread = None
        self._lose(left)

    def _run(self) -> None:
        self._database.available()
        next_attempt = time.monotonic()
        while True:
            batch = self._next_batch()
            if batch:
                self._write(batch)
            if time.monotonic() >= next_attempt and not self._closing:
                self._write_waiting()
                next_attempt = time.monotonic() + RETRY
            with self._changed:
                self._writing = False
                self._changed.notify_all()
                if self._closing and not self._queue:
                    return

    def _next_batch(self) -> list[Numbered]:
        """The calls that gathered within a moment; none after a while without any."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing, RETRY)
            if self._queue:
                self._changed.wait_for(lambda: len(self._queue) >= BATCH or self._closing, GATHER)
            batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            self._writing = bool(batch)
            return batch

    def _write(self, batch: Sequence[Numbered]) -> None:
        try:
            self._insert(batch)
        except DatabaseUnavailable:
            self._set_aside(batch)

    def _set_aside(self, batch: Sequence[Numbered]) -> None:
        try:
            without_room = self._spill.add(batch)
        except OSError as error:
            log.error("exchanges not set aside", error=type(error).__name__, errno=error.errno)
            without_room = len(batch)
        self._tell("spilled", len(batch) - without_room)
        self._lose(without_room)

    def _write_waiting(self) -> None:
        """Writes what waits in the spill file, if the database takes it."""
        try:
            written, unreadable = self._spill.take(self._insert)
        except DatabaseUnavailable:
            return
        except OSError as error:
            log.error("exchanges set aside not read", error=type(error).__name__, errno=error.errno)
            return
        if written:
            log.info("exchanges set aside are written", number=written)
        self._lose(unreadable)

    def _insert(self, batch: Sequence[Numbered]) -> None:
        try:
            with self._database.writing() as connection:
                add_exchanges(connection, batch)
        except DatabaseUnavailable:
            raise
        except Exception as error:
            # What the database refuses now it refuses for ever; kept in the file, it would block all that follow.
            log.error("exchanges refused", error=type(error).__name__, place=place_of(error))
            self._lose(len(batch))
        else:
            self._tell("written", len(batch))

    def _lose(self, number: int) -> None:
        if number:
            self.lost += number
            log.error("exchanges lost", number=number, altogether=self.lost)
            self._tell("lost", number)

    def _tell(self, what: str, number: int) -> None:
        if number:
            for observe in self.observers:
                observe(what, number)
