"""Around every request: its id, the headers that every answer carries, one count and one line in the log."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog

from service import server_timing
from service.logs import REQUEST
from service.metrics import Metrics
from service.records.kept import Exchange

ID_HEADER = "X-Request-ID"

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": f"{ID_HEADER}, Server-Timing",
    "Timing-Allow-Origin": "*",
}
"""What an answer says that does not say otherwise itself: nothing is guessed, embedded, referred to or kept by a
cache. A browser may read it from anywhere: who may call is decided by tokens, never by cookies or the origin."""

_ALWAYS = tuple((pair[0].lower(), pair) for pair in ALWAYS.items())

PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": f"Authorization, Content-Type, {ID_HEADER}",
    "Access-Control-Max-Age": "600",
}
"""The headers of the answer to a CORS preflight (L-28)."""

QUIET = frozenset({"operations"})
"""Endpoints that machines ask every few seconds; their lines have the level debug unless something is wrong."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")
"""A caller's request id that may be taken over: too long for a name or a record number, and no JWT (no dots)."""

_KEY = "tolami.call"

log = structlog.get_logger()


@dataclass(slots=True)
class Call:
    """What becomes known of a request while it is answered: the blueprint and service asked for, and what went out."""

    endpoint: str = "none"
    service: str = ""
    exchange: Exchange | None = None
    status: int = 500
    parts: dict[str, float] = field(default_factory=dict)


def call_of(environ: WSGIEnvironment) -> Call:
    """The call that a request belongs to."""
    return cast(Call, environ.get(_KEY) or Call())


@dataclass(frozen=True, slots=True, kw_only=True)
class Middleware:
    """The WSGI application around the application. ``hooks`` are the hooks by the id of their service.

    ``prefix`` is the path below which clients find this service, if a proxy in front takes it off.
    ``private_network`` lets public pages call this machine, which browsers ask for apart (Private Network Access).
    """

    app: WSGIApplication
    metrics: Metrics
    hooks: Mapping[str, str]
    new_id: Callable[[], str]
    prefix: str
    private_network: bool

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers a request."""
        started = perf_counter()
        environ["SCRIPT_NAME"] = self.prefix
        asked = environ.get("HTTP_X_REQUEST_ID", "")
        request_id = asked if asked and _TOKEN.fullmatch(asked) else self.new_id()
        answering = REQUEST.set(request_id)
        call = environ[_KEY] = Call(parts=server_timing.begin())
        preflight = environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ

        def respond(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            call.status = int(status[:3])
            given = {name.lower() for name, _ in headers}
            headers += [pair for name, pair in _ALWAYS if name not in given]
            headers.append((ID_HEADER, request_id))
            if call.status < 400:  # how long a refusal took may tell why
                headers.append(("Server-Timing", _server_timing(call.parts, perf_counter() - started)))
            if preflight:
                headers += PREFLIGHT.items()
                if self.private_network and environ.get("HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK") == "true":
                    headers.append(("Access-Control-Allow-Private-Network", "true"))
            return start_response(status, headers, exc_info)

        self.metrics.began()
        try:
            return self.app(environ, respond)
        finally:
            self.metrics.ended()
            self._note(call, perf_counter() - started)
            REQUEST.reset(answering)  # threads are used again

    def _note(self, call: Call, seconds: float) -> None:
        hook = self.hooks.get(call.service, "other") if call.service else ""
        self.metrics.answered(call.endpoint, hook, call.status, seconds)
        facts: dict[str, object] = {
            "endpoint": call.endpoint,
            **({"service": call.service if call.service in self.hooks else "unknown"} if call.service else {}),
            "status": call.status,
            "milliseconds": round(seconds * 1000, 1),
        }
        if call.exchange is not None:
            facts["client"] = call.exchange.client
            facts["cards"] = [card.card for card in call.exchange.cards]
            facts["unchecked"] = list(call.exchange.unchecked)
        write = log.error if call.status >= 500 else log.warning if call.status >= 400 else log.info
        if call.status < 400 and call.endpoint in QUIET:
            write = log.debug
        write("request", **facts)


def _server_timing(parts: Mapping[str, float], whole: float) -> str:
    """The value of ``Server-Timing``: parts in milliseconds, and the whole."""
    return ", ".join(f"{name};dur={seconds * 1000:.1f}" for name, seconds in (*parts.items(), ("total", whole)))
