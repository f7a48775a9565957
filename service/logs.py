"""Logs: one line per request, for people or for programs, never with patient data. A line is one write.

Two processes that write a line and its end separately tear each other's lines.
"""

import json
import logging
import sys
import threading
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TextIO

import msgspec
import structlog
from structlog.typing import EventDict

from service.dates import utc_now
from service.errors import place_of
from service.settings import Settings

OWN_WORDS = frozenset({("gunicorn.error", "arbiter")})
"""Loggers and modules of libraries whose messages speak of processes only, never of a request."""


REQUEST: ContextVar[str] = ContextVar("request", default="")
"""The id of the request that is being answered: every line that is written meanwhile has it."""

_encode = msgspec.json.Encoder(enc_hook=str).encode


def of_request(_logger: object, _level: str, event: EventDict) -> EventDict:
    """The event with the id of the request that is being answered, if one is."""
    request = REQUEST.get()
    return {"request": request, **event} if request else event


def json_line(_logger: object, level: str, event: EventDict) -> str:
    """The line for programs: one JSON object. What msgspec refuses (half a character) is written escaped."""
    line = {**event, "level": level, "timestamp": utc_now().isoformat().replace("+00:00", "Z")}
    try:
        return _encode(line).decode()
    except (UnicodeEncodeError, TypeError):
        return json.dumps(line, default=str)


class Lines:
    """Writes lines whole. A line is lost rather than an answer: a disk may be full, a pipe closed."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lock = threading.Lock()

    def write(self, line: str) -> None:
        """Writes one line; called by structlog by the name of its level."""
        with self._lock, suppress(OSError):
            self._out.write(f"{line}\n")
            self._out.flush()

    debug = info = warning = error = write


def configure_logs(settings: Settings, stream: TextIO | None = None, *, lasting: bool = False) -> None:
    """Sets structlog up for this process, writing to ``stream`` (standard error by default).

    ``lasting`` makes loggers once, on their first use, which a server that logs every request should want.
    """
    out = stream or sys.stderr
    lines = Lines(out)
    form = settings.log_format or ("console" if out.isatty() else "json")
    for_people: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.dev.ConsoleRenderer(colors=out.isatty()),
    ]
    structlog.configure(
        processors=[of_request, *(for_people if form == "console" else [json_line])],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.log_level.upper())),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=lasting,
    )


class Strays(logging.Handler):
    """Writes the lines of libraries in the form of our own.

    What a library says may repeat an address, a header or a value of a request. So only who said it, where, and
    the type of the exception is kept, except for words that are known to be harmless.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one line."""
        fields = {"logger": record.name, "place": f"{Path(record.pathname).name}:{record.lineno}"}
        error = record.exc_info[0] if record.exc_info else None
        if error is not None:
            fields["error"] = error.__name__
        if (record.name, record.module) in OWN_WORDS:
            fields["message"] = record.getMessage()
        level = "error" if record.levelno >= logging.ERROR else "warning"
        getattr(structlog.get_logger(), level)("library", **fields)


def catch_strays() -> None:
    """Lets warnings and errors of libraries, and what ends a thread, pass through ``Strays`` in this process."""
    logging.captureWarnings(capture=True)
    logging.basicConfig(handlers=[Strays()], level=logging.WARNING, force=True)

    def ended(what: threading.ExceptHookArgs) -> None:
        structlog.get_logger().error(
            "thread ended", error=what.exc_type.__name__, place=place_of(what.exc_value) if what.exc_value else ""
        )

    threading.excepthook = ended
