"""What is counted: every metric, its labels and the functions that count.

Labels come from closed sets only (hooks, cards, reason codes, status codes); anything else is counted as
``other``. So the number of series is bounded, and nothing that a request held can become a label.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from service.records.kept import Exchange, StoredFeedback

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the time histograms, in seconds."""

OTHER = "other"

CLOSED: Mapping[str, frozenset[str]] = {
    "indicator": frozenset({"info", "warning", "critical"}),
    "feedback": frozenset({"accepted", "overridden"}),
    "record": frozenset({"written", "spilled", "lost"}),
    "dropped": frozenset({"slow", "flood", "waited", "malformed", "too-large"}),
}
"""Label values that do not depend on the guidance."""


class Metrics:
    """The metrics of one service.

    ``folder`` is where the processes of a server keep their counts side by side; without it the counts are
    this process's own. ``known`` names the closed sets that depend on the guidance or on other rooms, by label:
    ``hook``, ``card``, ``reason`` (not checked), ``key`` (FHIR), ``fetched`` and ``refusal``.
    """

    def __init__(self, known: Mapping[str, frozenset[str]], folder: Path | None = None) -> None:
        self._known = {**CLOSED, **known}
        self._folder = folder
        self.registry = CollectorRegistry()
        self._answered: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._requests = self._counter("requests", "Requests by endpoint, hook and status.", "endpoint hook status")
        self._seconds = self._histogram("request_seconds", "Time to answer a request, in seconds.", "endpoint hook")
        self._running = Gauge(
            "tolami_requests_running",
            "Requests in progress.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self._cards = self._counter("cards", "Cards sent, by card and indicator.", "card indicator")
        self._unchecked = self._counter("not_checked", "Answers in which something was not checked.", "reason")
        self._fetches = self._counter("fhir_fetches", "Fetches from clients' FHIR servers.", "key outcome")
        self._fetching = self._histogram("fhir_fetch_seconds", "Time of a fetch, in seconds.", "key")
        self._refused = self._counter("refused_tokens", "Calls refused for their token.", "reason")
        self._feedback = self._counter("feedback", "Feedback on cards.", "outcome")
        self._records = self._counter("records", "Exchanges kept, put aside or lost.", "outcome")
        self._dropped = self._counter("connections_dropped", "Connections ended without the application.", "reason")
        self._guidance = Gauge(
            "tolami_guidance_info",
            "1 for the version of the guidance that is served.",
            ["version"],
            registry=self.registry,
            multiprocess_mode="livemax",
        )

    def _counter(self, name: str, meaning: str, labels: str) -> Counter:
        return Counter(f"tolami_{name}", meaning, labels.split(), registry=self.registry)

    def _histogram(self, name: str, meaning: str, labels: str) -> Histogram:
        return Histogram(f"tolami_{name}", meaning, labels.split(), registry=self.registry, buckets=SECONDS)

    def _in(self, known: str, value: str) -> str:
        return value if value in self._known.get(known, ()) else OTHER

    def began(self) -> None:
        """A request is being worked on from now on."""
        self._running.inc()

    def ended(self) -> None:
        """A request is no longer worked on."""
        self._running.dec()

    def answered(self, endpoint: str, hook: str, status: int, seconds: float) -> None:
        """A request was answered. ``endpoint`` is a blueprint's name; ``hook`` is empty outside the services."""
        kind = (endpoint, self._in("hook", hook) if hook else "", status)
        if kind not in self._answered:  # looking a series up by its labels costs more than counting
            self._answered[kind] = (self._requests.labels(*kind), self._seconds.labels(*kind[:2]))
        number, times = self._answered[kind]
        number.inc()
        times.observe(seconds)

    def exchanged(self, exchange: Exchange) -> None:
        """A hook call was answered with these cards; an observer of exchanges."""
        for card in exchange.cards:
            self._cards.labels(self._in("card", card.card), self._in("indicator", card.indicator)).inc()
        for reason in exchange.unchecked:
            self._unchecked.labels(self._in("reason", reason)).inc()

    def fetched(self, key: str, outcome: str, seconds: float) -> None:
        """A prefetch key was fetched from a client's FHIR server, with this outcome, in that many seconds."""
        key = self._in("key", key)
        self._fetches.labels(key, self._in("fetched", outcome)).inc()
        self._fetching.labels(key).observe(seconds)

    def refused(self, reason: str) -> None:
        """A call was refused for its token."""
        self._refused.labels(self._in("refusal", reason)).inc()

    def feedback_kept(self, entries: Sequence[StoredFeedback]) -> None:
        """Clinicians' feedback on cards was kept; an observer of feedback."""
        for entry in entries:
            self._feedback.labels(self._in("feedback", entry.outcome)).inc()

    def recorded(self, outcome: str, number: int = 1) -> None:
        """Exchanges were ``written``, ``spilled`` (put aside until the database answers) or ``lost``."""
        self._records.labels(self._in("record", outcome)).inc(number)

    def dropped(self, reason: str) -> None:
        """A connection was ended by the server itself, see ``service.receiving``."""
        self._dropped.labels(self._in("dropped", reason)).inc()

    def serving(self, version: str) -> None:
        """From now on this version of the guidance is served."""
        self._guidance.labels(version).set(1)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format, added up over the processes of the server."""
        if self._folder is None:
            return generate_latest(self.registry)
        everybody = CollectorRegistry()
        MultiProcessCollector(everybody, str(self._folder))  # type: ignore[no-untyped-call]
        return generate_latest(everybody)


@contextmanager
def shared_counts() -> Iterator[Path]:
    """A folder in which the processes of a server keep their counts, gone when the server has ended.

    Metrics made meanwhile, in this process and in those forked from it, count there.
    """
    folder = Path(tempfile.mkdtemp(prefix="tolami-"))
    owner = os.getpid()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    # prometheus chose how to count when it was imported; it has to choose again now that the folder is there.
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]
    try:
        yield folder
    finally:
        # Every forked worker comes through here as well when it ends.
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)


def process_ended(pid: int, folder: Path) -> None:
    """A worker is gone: what it was working on is no longer running; what it counted stays counted."""
    mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
