"""Fetches what prefetch lacks from the client's FHIR server: in parallel, within one deadline and size limits.

One ``FhirAccess`` serves a process; ``opened`` gives the source of one call. Nothing is fetched before the call asks
for it, and nothing after its answer. The token lives as long as the call.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

import requests
import structlog

from service.cdshooks.messages import FhirAuthorization, HookRequest
from service.fhir.bulkhead import Bulkhead
from service.fhir.client import FhirServer, first_page, following_pages, usable_id
from service.fhir.fetch_errors import Failure, Unfetched, lacks_authorization
from service.fhir.prefetch import Answer, State
from service.fhir.resources import Resource, text
from service.http import new_session
from service.server_timing import timed
from service.trust.clients import Client

log = structlog.get_logger()

WAITING = 6
"""Calls of one process that wait for FHIR servers at most, unless the server says otherwise."""

FETCHES = 36
"""The most concurrent fetches of one process: enough for several calls that lack every key."""

MOST_MEDICATIONS = 20
"""Medications that are fetched for one call at most."""

GRACE = 0.25
"""Seconds after the deadline in which a fetch may still say itself that it was too late."""

Observer = Callable[[str, str, float], None]
"""Called after every fetch with the key, the outcome and the seconds; must not raise or block."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Process:
    """What belongs to one process and must not cross a fork."""

    pid: int
    session: requests.Session
    pool: Executor


class FhirAccess:
    """Access to the clients' FHIR servers, for all calls of a process.

    ``templates`` are the queries of discovery by key. ``deadline`` is seconds for everything that one call fetches.
    ``loopback`` allows plain http to this machine. ``ca_file`` has the authorities to trust instead of the public ones.
    ``waiting`` is how many calls may wait at once.
    """

    def __init__(
        self,
        templates: Mapping[str, str],
        deadline: float,
        *,
        loopback: bool,
        ca_file: Path | None = None,
        observers: Sequence[Observer] = (),
        waiting: int = WAITING,
    ) -> None:
        self.templates = templates
        self.deadline = deadline
        self.observers = observers
        self.bulkhead = Bulkhead(waiting)
        self._loopback = loopback
        self._ca_file = ca_file
        self._lock = threading.Lock()
        self._held: _Process | None = None

    def opened(self, request: HookRequest, patient_id: str, client: Client) -> "FhirCall | None":
        """The FHIR server of a call; None unless both ``fhirServer`` and ``fhirAuthorization`` came (C-059).

        The open servers of a client are read without authorization.
        """
        if lacks_authorization(request, client) or not request.fhirServer:
            return None
        return FhirCall(self, request.fhirServer, request.fhirAuthorization, patient_id, client)

    def server(self, base: str, token: str, client: Client) -> FhirServer:
        """A server with a token, or none for an open one, to be read for a client."""
        return FhirServer(base, token, client, self._loopback, self._process().session)

    def submit(self, job: Callable[[], Result]) -> Future[Result]:
        """Starts a job beside others, or queues it when too many are under way."""
        return self._process().pool.submit(job)

    def _process(self) -> _Process:
        """Made on first use: gunicorn forks after loading, and neither threads nor sockets survive that."""
        with self._lock:
            if self._held is None or self._held.pid != os.getpid():
                pool = ThreadPoolExecutor(FETCHES, thread_name_prefix="fhir")
                self._held = _Process(os.getpid(), new_session(self._ca_file, FETCHES), pool)
            return self._held

    def close(self) -> None:
        """Closes connections and ends threads; the next call opens them again."""
        with self._lock:
            if self._held is not None and self._held.pid == os.getpid():
                self._held.pool.shutdown(cancel_futures=True)
                self._held.session.close()
            self._held = None


class FhirCall:
    """The FHIR server during one call, as a source of what prefetch lacks."""

    def __init__(
        self, access: FhirAccess, base: str, authorization: FhirAuthorization | None, patient_id: str, client: Client
    ) -> None:
        self._access = access
        self._base = base
        self._authorization = authorization
        self._patient_id = patient_id
        self._client = client
        self._until: float | None = None
        self._medications = 0

    @cached_property
    def _server(self) -> FhirServer:
        token = self._authorization.access_token if self._authorization is not None else ""
        return self._access.server(self._base, token, self._client)

    @cached_property
    def _refusal(self) -> Failure | None:
        """Why nothing at all may be fetched for this call."""
        only = text(self._authorization.patient).removeprefix("Patient/") if self._authorization is not None else ""
        if not self._server.allowed:
            return Failure.NOT_ALLOWED
        if not usable_id(self._patient_id):
            return Failure.ODD_ID
        # A search with such a token may find nothing, which would be taken for "no data".
        return Failure.OTHER_PATIENT if only not in ("", self._patient_id) else None

    def complete(self, wanted: Mapping[str, Answer]) -> Mapping[str, Answer]:
        """All of what was absent, and what follows a first page; what failed carries the reason."""

        def failed(key: str, failure: Failure) -> Answer:
            given = wanted[key]
            if given.missing:
                return Answer(State.UNAVAILABLE, reason=failure)
            return replace(given, state=State.PARTIAL, next="", reason=failure)

        keys = list(wanted)
        jobs = [(key, partial(self._list, key, wanted[key])) for key in keys]
        found = self._side_by_side(jobs)
        answers = [failed(k, a) if isinstance(a, Failure) else a for k, a in zip(keys, found, strict=True)]
        return dict(zip(keys, answers, strict=True))

    def medications(self, targets: Sequence[str]) -> tuple[Mapping[str, Resource], Sequence[str]]:
        """The Medications that the references name on this server; those to anywhere else are left alone (L-31)."""
        addresses = {target: url for target in targets if (url := self._server.medication(target))}
        room = max(MOST_MEDICATIONS - self._medications, 0)
        asked = list(addresses)[:room]
        self._medications += len(asked)
        found = self._side_by_side([("Medication", partial(self._medication, addresses[target])) for target in asked])
        resources = {t: r for t, r in zip(asked, found, strict=True) if not isinstance(r, Failure)}
        reasons = [failure for failure in found if isinstance(failure, Failure)]
        return resources, [*reasons, *([Failure.LIMIT] if len(addresses) > len(asked) else [])]

    def _list(self, key: str, given: Answer) -> Answer:
        until = self._deadline
        if given.missing:
            address = self._server.query(self._access.templates[key], self._patient_id)
            return following_pages(key, first_page(key, address, self._server, until), address, self._server, until)
        return following_pages(key, given, f"{self._server.base.rstrip('/')}/", self._server, until)

    def _medication(self, address: str) -> Resource:
        found = self._server.read(address, self._deadline)
        if found["resourceType"] != "Medication" or found.get("id") != unquote(address.rpartition("/")[2]):
            raise Unfetched(Failure.UNREADABLE)
        return found

    @property
    def _deadline(self) -> float:
        """The moment (``time.monotonic``) at which all fetching of this call ends; it runs from the first fetch on."""
        if self._until is None:
            self._until = time.monotonic() + self._access.deadline
        return self._until

    def _side_by_side(self, jobs: Sequence[tuple[str, Callable[[], Result]]]) -> list[Result | Failure]:
        """The results of the jobs in order, a failure for each without one; returns by the deadline."""
        if not jobs:
            return []
        started, bulkhead, client = time.monotonic(), self._access.bulkhead, self._client.name
        refusal, until = self._refusal, self._deadline
        if refusal is not None:
            return self._report([(key, refusal, 0.0) for key, _ in jobs], started)
        with bulkhead.place(client) as free:
            if not free or bulkhead.resting(client, self._server.host):
                none = Failure.RESTING if free else Failure.BUSY
                return self._report([(key, none, 0.0) for key, _ in jobs], started)
            futures = [self._access.submit(partial(_timed, job)) for _, job in jobs]
            with timed("fetch"):
                wait(futures, max(until - started, 0) + GRACE)
        results = [_result(future, started) for future in futures]
        bulkhead.note(client, self._server.host, [result for result, _ in results])
        return self._report([(key, *result) for (key, _), result in zip(jobs, results, strict=True)], started)

    def _report(self, fetched: Sequence[tuple[str, Result | Failure, float]], started: float) -> list[Result | Failure]:
        """The results, reported to the log and the observers: keys, outcomes and times, no address, token or id."""
        outcomes = [(key, _outcome(result), seconds) for key, result, seconds in fetched]
        log.info(
            "fetched",
            keys=[{"key": k, "outcome": o, "milliseconds": round(s * 1000, 1)} for k, o, s in outcomes],
            milliseconds=round((time.monotonic() - started) * 1000, 1),
        )
        for observe in self._access.observers:
            for key, outcome, seconds in outcomes:
                observe(key, outcome, seconds)
        return [result for _, result, _ in fetched]


def _timed(job: Callable[[], Result]) -> tuple[Result | Failure, float]:
    started = time.monotonic()
    try:
        result: Result | Failure = job()
    except Unfetched as unfetched:
        result = unfetched.failure
    return result, time.monotonic() - started


def _result(future: Future[tuple[Result | Failure, float]], started: float) -> tuple[Result | Failure, float]:
    if future.cancel():
        return Failure.BUSY, time.monotonic() - started
    if future.done():
        return future.result()
    return Failure.TIMEOUT, time.monotonic() - started


def _outcome(result: object) -> str:
    if isinstance(result, Answer):
        return result.reason or result.state.value
    return result.value if isinstance(result, Failure) else State.GIVEN.value
