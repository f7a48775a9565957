"""``/healthz``, ``/readyz``, ``/metrics``: for those who run the service. Nothing here depends on a request."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from flask import Blueprint, Response

from service.errors import place_of
from service.jsonio import encode
from service.metrics import CONTENT_TYPE, Metrics

SECONDS = 1.5
"""How long a check may take. Who asks /readyz gives up after some seconds and takes that for not ready."""

LATE = f"no answer within {SECONDS} s"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Check:
    """Something that the service rests on.

    ``fault`` returns what is wrong in fixed words, empty when all is well. It must not repeat an address, a password
    or anything of a request; when it does not answer in time, that is what is wrong. Without a check that is not
    ``needed`` the service can still answer: it is then degraded, and gets calls all the same.
    """

    name: str
    fault: Callable[[], str]
    needed: bool = True


def operations(checks: Sequence[Check], version: str, metrics: Metrics) -> Blueprint:
    """The blueprint of operations. ``version`` is that of the guidance."""
    blueprint = Blueprint("operations", __name__)
    bounded = [(check, _in_time(check)) for check in checks]

    @blueprint.get("/healthz")
    def alive() -> Response:
        return Response(encode({"status": "alive"}), mimetype="application/json")

    @blueprint.get("/readyz")
    def ready() -> Response:
        faults = {check.name: ask() for check, ask in bounded}
        failed = [check for check in checks if faults[check.name]]
        blocked = any(check.needed for check in failed)
        status = "not ready" if blocked else "degraded" if failed else "ready"
        results = {name: fault or "ok" for name, fault in faults.items()}
        body = {"status": status, "guidance": version, "checks": results}
        return Response(encode(body), 503 if blocked else 200, mimetype="application/json")

    @blueprint.get("/metrics")
    def counted() -> Response:
        return Response(metrics.exposition(), content_type=CONTENT_TYPE)

    return blueprint


def _in_time(check: Check) -> Callable[[], str]:
    """Runs a check in a thread of its own, one at a time, and waits at most ``SECONDS`` for it."""
    free = threading.Lock()

    def ask() -> str:
        found: list[str] = []

        def answer() -> None:
            try:
                found.append(_fault(check))
            finally:
                free.release()

        if not free.acquire(timeout=SECONDS):
            return LATE
        thread = threading.Thread(target=answer, name=f"check {check.name}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no thread available now
            free.release()
            return LATE
        thread.join(SECONDS)
        return found[0] if found else LATE

    return ask


def _fault(check: Check) -> str:
    try:
        return check.fault()
    except Exception as error:
        # Type and place only: the message of a database error may hold its address and password.
        log.error("check failed", check=check.name, error=type(error).__name__, place=place_of(error))
        return f"the check itself failed ({type(error).__name__})"
