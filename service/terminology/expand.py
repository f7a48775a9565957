"""Expands all value sets, each from the server or from what is kept of it; never raises and never blocks for long.

Answers are kept on disk, so that a start does not need the server.
"""

import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path

import msgspec

from service.terminology.answer import NotUsable
from service.terminology.client import Expansion, NoAnswer, TerminologyServer
from service.terminology.query import Query

GRACE = 1.0
"""Seconds beyond the time given that a call which has begun is waited for."""

MOST_BYTES = 16 * 1024 * 1024
"""Largest kept file that is read."""


class Source(Enum):
    """Where the codes of a set come from, beside those that are embedded."""

    EMBEDDED = "embedded"
    SERVER = "server"
    CACHE = "cache"


class _Kept(msgspec.Struct):
    """The content of a file: an expansion, and the server and the question that it answers."""

    server: str
    asked: str
    expansion: Expansion


@dataclass(frozen=True, slots=True)
class ExpansionCache:
    """The folder of kept answers of one server."""

    folder: Path
    server: str

    def read(self, query: Query) -> Expansion | None:
        """The cached answer of this server to this question; None without a usable one."""
        path = self._path(query)
        try:
            if path.stat().st_size > MOST_BYTES:
                return None
            kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        same = (kept.server, kept.asked) == (self.server, query.url) and kept.expansion.on.tzinfo is not None
        return kept.expansion if same else None

    def write(self, query: Query, expansion: Expansion) -> None:
        """Keeps an answer. Raises OSError. A reader never sees half a file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(query)
        unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            unfinished.write_bytes(msgspec.json.encode(_Kept(self.server, query.url, expansion)))
            os.replace(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)

    def _path(self, query: Query) -> Path:
        return self.folder / f"{query.kind}-{query.id}.json"


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one query: the answer, where it comes from, and what was wrong with the server's, if anything."""

    query: Query
    answer: Expansion | None
    source: Source
    fault: NotUsable | None = None


@dataclass(frozen=True, slots=True)
class Expansions:
    """What became of all queries, in their order. ``not_kept`` says why an answer could not be written to disk."""

    found: tuple[Found, ...]
    not_kept: str = ""

    @property
    def faults(self) -> tuple[Found, ...]:
        """The queries that the server did not answer as it should; those after "no answer" were not asked."""
        return tuple(found for found in self.found if found.fault is not None)

    @property
    def whole(self) -> tuple[Found, ...]:
        """The usable answers: those of kinds for which every set has one.

        Sets of a kind are read together: acute is told from not acute, depression from pain, drug from drug. With
        one of them missing the others would say something else.
        """
        lacking = {found.query.kind for found in self.found if found.answer is None}
        return tuple(found for found in self.found if found.query.kind not in lacking)


@dataclass(slots=True)
class Lookup:
    """Asks one server, once, for the expansions of all sets.

    A kept answer younger than ``fresh_for`` is used without asking. ``thorough`` asks for every set, whatever is
    kept; without it a kind is given up with the first set that has neither an answer nor a kept one.
    """

    server: TerminologyServer
    cache: ExpansionCache
    fresh_for: timedelta
    now: Callable[[], datetime]
    thorough: bool = False
    _found: list[Found] = field(default_factory=list, init=False)
    _not_kept: str = field(default="", init=False)
    _answering: bool = field(default=True, init=False)
    _given_up: set[str] = field(default_factory=set, init=False)

    def run(self, queries: Sequence[Query], seconds: float) -> Expansions:
        """What the server, or what is kept of it, says of each query. Never raises; returns soon after that time.

        The asking is done beside, because looking up the name of a host cannot be given a limit.
        """
        kept = {query: self.cache.read(query) for query in queries}
        until = time.monotonic() + seconds
        beside = threading.Thread(target=self._ask, args=(kept, until), name="expansions", daemon=True)
        beside.start()
        beside.join(seconds + GRACE)
        found = list(self._found)
        late: NotUsable | None = NoAnswer("The server did not answer in time.", "Check that it is up, and its load.")
        for query in queries[len(found) :]:
            found.append(_instead(query, kept[query], late))
            late = None
        return Expansions(tuple(found), self._not_kept)

    def _ask(self, kept: Mapping[Query, Expansion | None], until: float) -> None:
        for query, answer in kept.items():
            self._found.append(self._one(query, answer, until))

    def _one(self, query: Query, kept: Expansion | None, until: float) -> Found:
        fresh = kept is not None and timedelta(0) <= self.now() - kept.on < self.fresh_for
        if (fresh and not self.thorough) or not self._answering or query.kind in self._given_up:
            return _instead(query, kept)
        try:
            answer = self.server.expand(query, self.now(), until)
        except NotUsable as fault:
            return self._failed(query, kept, fault)
        except Exception as error:
            # Whatever it is, the start must not fail because of it; the message may repeat what was received.
            return self._failed(
                query, kept, NoAnswer(f"Asking failed ({type(error).__name__}).", "Please report this.")
            )
        try:
            self.cache.write(query, answer)
        except OSError as error:
            self._not_kept = error.strerror or type(error).__name__
        return Found(query, answer, Source.SERVER)

    def _failed(self, query: Query, kept: Expansion | None, fault: NotUsable) -> Found:
        self._answering = not isinstance(fault, NoAnswer)
        if kept is None and not self.thorough:
            self._given_up.add(query.kind)
        return _instead(query, kept, fault)


def _instead(query: Query, kept: Expansion | None, fault: NotUsable | None = None) -> Found:
    """The kept answer, or none."""
    return Found(query, kept, Source.EMBEDDED if kept is None else Source.CACHE, fault)
