"""Writes answered calls in the background, so that no card waits for a database.

One thread for each process takes them from a bounded queue, once a second or when many wait; calls of which there is
nothing to tell are only counted. What the database does not take goes to the spill file and is written when the
database is back. What finds no room anywhere is counted as lost, and the log says so.
"""

import atexit
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from errno import errorcode

import msgspec
import structlog

from service.errors import place_of
from service.records import DatabaseUnavailable
from service.records.database import Database
from service.records.kept import Exchange
from service.records.opening import ANSWER, BUSY, CONNECT, PATIENCE, STATEMENT
from service.records.purge import remove_expired
from service.records.queries import begin_in_each_process
from service.records.settling import hour_of
from service.records.spill import SpillFile
from service.records.store import CallCount, Numbered, write_exchanges

MOST_WAITING = 10_000
"""The most calls in the queue. It fills only while neither the database nor the disk responds."""

BATCH = 500
GATHER = 1.0
"""Seconds in which calls are gathered for one write, unless they fill a batch earlier."""

RETRY = 5.0
"""Seconds between attempts to write what waits in the spill file."""

TIDY = 60.0
"""Seconds between removals of what has expired, and between lines of the log about calls that are lost."""

WriterObserver = Callable[[str, int], None]
"""Called with the number of calls ``written``, ``spilled`` (set aside) or ``lost``; must not raise or block."""

log = structlog.get_logger()


class ExchangeWriter:
    """The queue of answered calls and the thread that writes them. Made before a fork, it starts after it."""

    def __init__(
        self,
        database: Database,
        spill: SpillFile,
        new_id: Callable[[], str],
        now: Callable[[], datetime],
        quiet_for: timedelta = timedelta(),
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._database = database
        self._spill = spill
        self._new_id = new_id
        self._now = now
        self._quiet_for = quiet_for
        self._most_waiting = most_waiting
        self.observers: list[WriterObserver] = []
        begin_in_each_process(self._begin)

    def _begin(self) -> None:
        """The state of a process that has just begun; a fork inherits no threads and perhaps a lock that is held."""
        self.lost = 0
        """Calls of this process that were not kept."""
        self._lost_logged = 0
        self._next_line = 0.0
        self._cause = ""
        self._changed = threading.Condition()
        self._queue: deque[Numbered] = deque()
        self._counts: Counter[tuple[datetime, str, str, int]] = Counter()
        self._writing = False
        self._hurried = False
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
        """Queues an answered call, or only counts it when it had no cards or gaps; never raises or blocks."""
        if self._thread is None:
            with suppress(RuntimeError):  # no thread to be had now: the next call tries again
                self.open()
        full = False
        with self._changed:
            if exchange.cards or exchange.unchecked or exchange.quiet:
                self._queue.append(Numbered(self._new_id(), exchange))
                full = len(self._queue) > self._most_waiting
                if full:
                    self._queue.popleft()
                if len(self._queue) == BATCH:
                    self._changed.notify_all()
            else:
                self._counts[hour_of(exchange.at), exchange.client, exchange.hook, exchange.within] += 1
        if full:
            self._lose(1, "queue full")

    def flush(self, seconds: float) -> bool:
        """Waits until nothing is in the queue; False when that takes longer than it may."""
        with self._changed:
            self._hurried = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not (self._queue or self._counts or self._writing), seconds)

    def close(self, seconds: float = STATEMENT + ANSWER + 2 * CONNECT) -> None:
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
            left = len(self._queue) + self._counts.total()
            self._queue.clear()
            self._counts.clear()
            self._thread = None
        self._next_line = 0.0
        self._lose(left, "stopped")

    def _run(self) -> None:
        self._database.available()
        next_attempt = next_tidying = time.monotonic()
        while True:
            batch = self._next_batch()
            if batch:
                self._write(batch)
            if not self._closing:
                self._database.recover()
                if time.monotonic() >= next_attempt:
                    self._write_waiting()
                    next_attempt = time.monotonic() + RETRY
                if time.monotonic() >= next_tidying:
                    with suppress(DatabaseUnavailable):
                        remove_expired(self._database, self._now())
                    next_tidying = time.monotonic() + TIDY
                    self._lose(0)
            with self._changed:
                self._writing = False
                self._changed.notify_all()
                if self._closing and not self._queue and not self._counts:
                    return

    def _next_batch(self) -> list[Numbered]:
        """The calls that gathered within a moment, with the counts of all others; none when there was no call."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._queue) >= BATCH or self._hurried or self._closing, GATHER)
            self._hurried = False
            batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            if self._counts:
                counts = tuple(CallCount(*key, calls) for key, calls in self._counts.items())
                batch.append(Numbered(self._new_id(), calls=counts))
                self._counts.clear()
            self._writing = bool(batch)
            return batch

    def _write(self, batch: Sequence[Numbered]) -> None:
        try:
            refused = self._insert(batch)
        except DatabaseUnavailable:
            self._put_aside(batch)
            return
        try:
            self._spill.set_aside([msgspec.json.encode(call) for call in refused])
        except OSError as error:
            log.error("refused exchanges not set aside", error=type(error).__name__, errno=error.errno)

    def _put_aside(self, batch: Sequence[Numbered]) -> None:
        cause = "spill file full"
        try:
            without_room = self._spill.add(batch)
        except OSError as error:
            cause = errorcode.get(error.errno or 0, "OSError")
            without_room = list(batch)
        self._notify("spilled", _number(batch) - _number(without_room))
        self._lose(_number(without_room), cause)

    def _write_waiting(self) -> None:
        """Writes what waits in the spill file, if the database takes it."""
        try:
            written, unreadable = self._spill.take(self._insert)
        except DatabaseUnavailable:
            return
        except OSError as error:
            log.error("exchanges put aside not read", error=type(error).__name__, errno=error.errno)
            return
        if written:
            log.info("spilled exchanges written", lines=written)
        self._lose(unreadable, "unreadable")

    def _insert(self, batch: Sequence[Numbered]) -> list[Numbered]:
        """Writes a batch; those that the database refuses, each by itself. Raises DatabaseUnavailable."""
        try:
            write_exchanges(self._database, batch, self._quiet_for, PATIENCE if self._closing else BUSY)
        except DatabaseUnavailable:
            raise
        except Exception as error:
            if len(batch) > 1:
                return [refused for call in batch for refused in self._insert([call])]
            log.error("exchange refused", error=type(error).__name__, place=place_of(error))
            self._lose(_number(batch), "refused")
            return list(batch)
        self._notify("written", _number(batch))
        return []

    def _lose(self, number: int, cause: str = "") -> None:
        """Counts calls that are lost; the log says so at once, and then at most once a minute."""
        self.lost += number
        self._notify("lost", number)
        self._cause = cause if number else self._cause
        if self.lost > self._lost_logged and time.monotonic() >= self._next_line:
            log.error("exchanges lost", cause=self._cause, number=self.lost - self._lost_logged, altogether=self.lost)
            self._lost_logged, self._next_line = self.lost, time.monotonic() + TIDY

    def _notify(self, what: str, number: int) -> None:
        if number:
            for observe in self.observers:
                observe(what, number)


def _number(batch: Sequence[Numbered]) -> int:
    return sum(call.number for call in batch)
