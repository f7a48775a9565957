"""What every call asks the database: gathered from all threads into one round trip, with a bounded wait.

Which tokens were used, so that each is valid once across all machines; and which cards a clinician has answered for a
patient. Both are kept as digests.
"""

import hashlib
import hmac
import json
import os
import secrets
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Generic, Literal, TypeVar

import structlog
from sqlalchemy import select

from service.errors import place_of
from service.records import DatabaseUnavailable
from service.records.database import Database
from service.records.opening import BUSY, CONNECT, PATIENCE
from service.records.store import insert_new
from service.records.tables import quiet_keys

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
    there is no answer, and with no question it tries whether the database is back. When it failed or was too slow
    once, nobody waits until it succeeds again. ``late`` says what becomes of a question that had no answer in time: it
    is asked ``again`` until it has one, because asking leaves something behind; it is ``dropped``; or it is
    ``withdrawn``, and its answer waited for if it was too late for that.
    One waits ``usual`` seconds, else ``PATIENCE``; ``first`` until there was an answer for the first time, since the
    database may have to be made; ``away`` while it is away.
    """

    def __init__(
        self,
        name: str,
        answer: Callable[[Sequence[Question]], Sequence[Answer]],
        *,
        late: Literal["again", "dropped", "withdrawn"],
        usual: float | None = None,
        first: float = PATIENCE,
        away: float = 0.0,
    ) -> None:
        self._name = name
        self._answer = answer
        self._late = late
        self._usual = usual
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
            usual = PATIENCE if self._usual is None else self._usual
            patience = self._while_away if self._away else usual if self._opened else self._first
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
                # While it is away, nobody's question is held up by the attempt to reach it.
                met = [self._waiting.popleft() for _ in range(0 if self._away else min(BATCH, len(self._waiting)))]
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
                else:
                    met = [*met, *self._waiting]
                    self._waiting.clear()
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


class SeenTokens:
    """The tokens that were used and could be used again. Tokens that come together are written together."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = QueryBatcher("used tokens", self._first_uses, late="again", first=CONNECT)

    def first_use(self, issuer: str, jti: str, expires: datetime) -> bool:
        """True for the first caller with this issuer and jti, False for every other one, on any machine.

        ``expires`` is the moment from which the token is refused anyhow, leeway included. Raises
        DatabaseUnavailable; then nobody knows whether the token was used, but it is noted when that is possible.
        """
        return self._queries.ask((digest(issuer, jti), expires))

    def _first_uses(self, uses: Sequence[tuple[str, datetime]]) -> list[bool]:
        # In the order of their digests, so that two machines with the same tokens do not wait for each other.
        rows = sorted(dict(uses).items())
        digests, expiries = [used for used, _ in rows], [expires for _, expires in rows]
        new = {used for (used,) in self._database.rows(_INSERT, digests, expiries, writes=True)}
        first = []
        for used, _ in uses:
            first.append(used in new)
            new.discard(used)
        return first


_INSERT = {
    "postgresql": (
        "INSERT INTO seen_token (digest, expires) SELECT * FROM unnest(%s::text[], %s::timestamptz[])"
        " ON CONFLICT DO NOTHING RETURNING digest"
    ),
    "sqlite": (
        "INSERT INTO seen_token (digest, expires) SELECT d.value, e.value FROM json_each(?) AS d"
        " JOIN json_each(?) AS e ON e.key = d.key WHERE true ON CONFLICT DO NOTHING RETURNING digest"
    ),
}


def digest(issuer: str, jti: str) -> str:
    """One value for a pair; the length keeps two pairs apart that read the same one after the other."""
    return hashlib.sha256(f"{len(issuer)}:{issuer}{jti}".encode("utf-8", "surrogatepass")).hexdigest()


Asked = tuple[tuple[str, ...], Mapping[str, str], datetime]
"""Whose cards (client, tenant, user, patient), what they say by their ids, and now."""

Answers = Mapping[str, tuple[str, bool]]


class QuietCards:
    """The digests of the cards that may stay quiet. The key is made once and lies in the database, for all servers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._key = b""
        self._queries: QueryBatcher[Asked, Answers] = QueryBatcher("quiet cards", self._look_up, late="dropped")

    def look_up(self, whose: tuple[str, ...], statements: Mapping[str, str], now: datetime) -> Answers:
        """For each card its digest and whether it was answered. Nothing when the database does not answer in time."""
        try:
            return self._queries.ask((whose, statements, now))
        except DatabaseUnavailable:
            return {}

    def _look_up(self, calls: Sequence[Asked]) -> list[Answers]:
        if not self._key:
            self._key = self._shared_key()
        if not calls:  # the batcher asks whether the database answers again
            self._database.rows(dict.fromkeys(_ANSWERED, "SELECT 1"))
            return []
        digests = [
            {card: self._digest(whose, text) for card, text in statements.items()} for whose, statements, _ in calls
        ]
        wanted, latest = [digest for each in digests for digest in each.values()], max(now for *_, now in calls)
        answered = {digest for (digest,) in self._database.rows(_ANSWERED, wanted, latest)}
        return [{card: (digest, digest in answered) for card, digest in each.items()} for each in digests]

    def _digest(self, whose: tuple[str, ...], text: str) -> str:
        message = json.dumps([*whose, text]).encode()
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()

    def _shared_key(self) -> bytes:
        with self._database.writing(BUSY) as connection:
            insert_new(connection, quiet_keys, [{"id": 1, "key": secrets.token_hex(32)}])
            return bytes.fromhex(connection.scalars(select(quiet_keys.c.key)).one())


_ANSWERED = {
    "postgresql": "SELECT digest FROM quiet_card WHERE answered AND digest = ANY(%s) AND expires > %s",
    "sqlite": (
        "SELECT digest FROM quiet_card WHERE answered = 1 AND digest IN (SELECT value FROM json_each(?)) AND"
        " expires > ?"
    ),
}
"""The digests of cards that were answered and may stay quiet still. SQLite uses its index for these very words only."""
