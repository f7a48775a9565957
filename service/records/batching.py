"""Batches database queries of many threads into one round trip with a bounded wait."""

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, Literal, TypeVar

import structlog

from service.errors import place_of
from service.records import DatabaseUnavailable
from service.records.opening import PATIENCE

BATCH = 500
MOST_WAITING = 100_000
"""The most questions that wait while the database is away; beyond that the oldest are dropped."""

RETRY = 0.1
"""Seconds between attempts while the database is away."""

log = structlog.get_logger()

Question = TypeVar("Question")
Answer = TypeVar("Answer")


def begin_in_each_process(begin: Callable[[], None]) -> None:
    """Calls a method now, and in each child that is forked as long as its object is there."""
    begin()
    found = weakref.WeakMethod(begin)

    def begin_in_child() -> None:
        if (method := found()) is not None:
            method()

    os.register_at_fork(after_in_child=begin_in_child)


class _Pending(Generic[Question, Answer]):
    """A question, and its answer when there is one."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.answer: Answer | None = None
        self.unanswered = threading.Lock()
        self.unanswered.acquire()


class QueryBatcher(Generic[Question, Answer]):
    """Queries the database from one thread for all threads of the process.

    ``answer`` gets the questions gathered meanwhile and returns their answers in order; what it raises means that
    there is no answer. When it failed or was too slow once, nobody waits until it succeeds again. ``late``
    says what becomes of a question that had no answer in time: it is asked ``again`` until it has one, because asking
    leaves something behind; it is ``dropped``; or it is ``withdrawn``, so that surely nothing was left behind.
    One waits ``PATIENCE``; ``first`` seconds until there was an answer for the first time, since the database may have
    to be made; ``away`` seconds while it is away.
    """

    def __init__(
        self,
        name: str,
        answer: Callable[[Sequence[Question]], Sequence[Answer]],
        *,
        late: Literal["again", "dropped", "withdrawn"],
        first: float = PATIENCE,
        away: float = 0.0,
    ) -> None:
        self._name = name
        self._answer = answer
        self._late = late
        self._first = first
        self._while_away = away
        begin_in_each_process(self._begin)

    def _begin(self) -> None:
        """The state of a process that has just begun; a fork inherits no threads and perhaps a lock that is held."""
        self._arrived = threading.Condition()
        self._waiting: deque[_Pending[Question, Answer]] = deque(maxlen=MOST_WAITING)
        self._away = False
        self._opened = False
        self._thread: threading.Thread | None = None

    def ask(self, question: Question) -> Answer:
        """The answer. Raises DatabaseUnavailable when it is not in time, and immediately after an earlier failure."""
        asked: _Pending[Question, Answer] = _Pending(question)
        with self._arrived:
            patience = self._while_away if self._away else PATIENCE if self._opened else self._first
            if patience or self._late == "again":
                self._waiting.append(asked)
                self._arrived.notify()
            if self._thread is None:
                thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                thread.start()
                self._thread = thread
        if not (patience and asked.unanswered.acquire(timeout=patience)):
            with self._arrived:
                self._away = True
                self._arrived.notify()
                under_way = self._late == "withdrawn" and patience > 0 and asked not in self._waiting
                if self._late != "again" and asked in self._waiting:
                    self._waiting.remove(asked)
            if under_way:
                asked.unanswered.acquire()
        if asked.answer is None:
            raise DatabaseUnavailable(f"{self._name}: the database does not answer")
        return asked.answer

    def _run(self) -> None:
        while True:
            with self._arrived:
                self._arrived.wait_for(lambda: self._waiting or self._away)
                met = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            if not self._ask(met):
                time.sleep(RETRY)

    def _ask(self, met: Sequence[_Pending[Question, Answer]]) -> bool:
        """Answers those that have met; whether the database did."""
        try:
            answers = self._answer([asked.question for asked in met])
        except DatabaseUnavailable:
            with self._arrived:
                self._away = True
                if self._late == "again":
                    self._waiting.extendleft(reversed(met))
        except Exception as error:
            log.error("questions refused", about=self._name, error=type(error).__name__, place=place_of(error))
            self._away = False
        else:
            self._away, self._opened = False, True
            for asked, answer in zip(met, answers, strict=True):
                asked.answer = answer
        for asked in met:
            if asked.unanswered.locked():
                asked.unanswered.release()
        return not self._away
