"""Expands all value sets, each from the server or from its cache; never raises and never blocks for long."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from service.terminology.answer import NotUsable
from service.terminology.cache import ExpansionCache, Kept
from service.terminology.client import Deadline, NoAnswer, TerminologyServer
from service.terminology.query import Query

GRACE = 1.0
"""Seconds beyond the time given that a call which has begun is waited for."""


class Source(Enum):
    """Where the codes of a set come from, beside those that are embedded."""

    EMBEDDED = "embedded"
    SERVER = "server"
    CACHE = "cache"


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one query: the answer, where it comes from, and what was wrong with the server's, if anything."""

    query: Query
    answer: Kept | None
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


@dataclass(frozen=True, slots=True)
class Lookup:
    """Asks one server for the expansions of all sets.

    A kept answer younger than ``fresh_for`` is used without asking. ``thorough`` asks for every set, whatever is
    kept; without it a kind is given up with the first set that has neither an answer nor a kept one.
    """

    server: TerminologyServer
    cache: ExpansionCache
    fresh_for: timedelta
    now: Callable[[], datetime]
    thorough: bool = False

    def run(self, queries: Sequence[Query], seconds: float) -> Expansions:
        """What the server, or what is kept of it, says of each query. Never raises; returns soon after that time.

        The asking is done beside, because looking up the name of a host cannot be given a limit.
        """
        kept = {query: self.cache.read(query) for query in queries}
        asking = _Asking(self, kept, Deadline(time.monotonic() + seconds))
        beside = threading.Thread(target=asking.run, name="expansions", daemon=True)
        beside.start()
        beside.join(seconds + GRACE)
        found = list(asking.found)
        done = len(found)
        late = NoAnswer("The server did not answer in time.", "Check that it is up, and its load.")
        found += [
            _instead(query, kept[query], late if n == done else None) for n, query in enumerate(queries) if n >= done
        ]
        return Expansions(tuple(found), asking.not_kept)


@dataclass(slots=True)
class _Asking:
    """The asking of one run; ``found`` grows in the order of the queries."""

    lookup: Lookup
    kept: Mapping[Query, Kept | None]
    deadline: Deadline
    found: list[Found] = field(default_factory=list)
    not_kept: str = ""
    answering: bool = True
    given_up: set[str] = field(default_factory=set)

    def run(self) -> None:
        for query, kept in self.kept.items():
            self.found.append(self._one(query, kept))

    def _one(self, query: Query, kept: Kept | None) -> Found:
        lookup = self.lookup
        fresh = kept is not None and timedelta(0) <= lookup.now() - kept.on < lookup.fresh_for
        if (fresh and not lookup.thorough) or not self.answering or query.kind in self.given_up:
            return _instead(query, kept)
        try:
            on = lookup.now()
            answer = Kept(lookup.server.expand(query, self.deadline), on)
        except NotUsable as fault:
            return self._failed(query, kept, fault)
        except Exception as error:
            # Whatever it is, the start must not fail because of it; the message may repeat what was received.
            return self._failed(
                query, kept, NoAnswer(f"Asking failed ({type(error).__name__}).", "Please report this.")
            )
        try:
            lookup.cache.write(query, answer.expansion, on)
        except OSError as error:
            self.not_kept = error.strerror or type(error).__name__
        return Found(query, answer, Source.SERVER)

    def _failed(self, query: Query, kept: Kept | None, fault: NotUsable) -> Found:
        self.answering = not isinstance(fault, NoAnswer)
        if kept is None and not self.lookup.thorough:
            self.given_up.add(query.kind)
        return _instead(query, kept, fault)


def _instead(query: Query, kept: Kept | None, fault: NotUsable | None = None) -> Found:
    """The kept answer, or none."""
    return Found(query, kept, Source.EMBEDDED if kept is None else Source.CACHE, fault)
