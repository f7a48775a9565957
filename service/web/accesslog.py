"""A request id, one log line and one count for every request, whatever becomes of it."""

import re
import time
from collections.abc import Callable, Mapping

import structlog
from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

from service.metrics import Metrics
from service.records.exchange import Exchange

ID_HEADER = "X-Request-ID"

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")
"""A caller's request id that may be taken over: too long for a name or a record number, and no JWT (no dots)."""

QUIET = frozenset({"operations"})
"""Endpoints that machines ask every few seconds; their lines have the level debug unless something is wrong."""

log = structlog.get_logger()


def register_access_log(app: Flask, metrics: Metrics, hooks: Mapping[str, str], new_id: Callable[[], str]) -> None:
    """Registers with the application; has to be the first to do so, for it to see what the others answer.

    ``hooks`` are the hooks by the id of their service.
    """

    @app.before_request
    def begin() -> None:
        clear_contextvars()
        g.started = time.perf_counter()
        metrics.began()
        asked = request.headers.get(ID_HEADER, "")
        g.request_id = asked if _TOKEN.fullmatch(asked) else new_id()
        bind_contextvars(request=g.request_id)

    @app.after_request
    def end(response: Response) -> Response:
        seconds = time.perf_counter() - g.started
        endpoint = request.blueprint or "none"
        service = (request.view_args or {}).get("service_id", "")
        hook = hooks.get(service, "other") if service else ""
        response.headers[ID_HEADER] = g.request_id
        metrics.answered(endpoint, hook, response.status_code, seconds)
        said = {"endpoint": endpoint, **({"service": service if service in hooks else "unknown"} if service else {})}
        exchange = g.get("exchange")
        said |= _exchanged(exchange) if exchange is not None else {}
        _level(response.status_code, endpoint)(
            "request", status=response.status_code, milliseconds=round(seconds * 1000, 1), **said
        )
        return response

    @app.teardown_request
    def forget(error: BaseException | None) -> None:  # noqa: ARG001  (Flask hands it over)
        # Threads are used again; the next request must not carry the name of this one.
        clear_contextvars()
        if "started" in g:
            metrics.ended()


def note_exchange(exchange: Exchange) -> None:
    """Keeps an answered call for the line of its request; an observer of exchanges."""
    g.exchange = exchange


def _exchanged(exchange: Exchange) -> dict[str, object]:
    return {
        "client": exchange.client,
        "cards": [card.card for card in exchange.cards],
        "unchecked": list(exchange.unchecked),
    }


def _level(status: int, endpoint: str) -> Callable[..., None]:
    line: Callable[..., None]
    if status >= 500:
        line = log.error
    elif status >= 400:
        line = log.warning
    elif endpoint in QUIET:
        line = log.debug
    else:
        line = log.info
    return line
