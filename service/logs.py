"""Logs: one line a request, for people or for programs, never with patient data."""

import logging
import sys
from typing import TextIO

import structlog

from service.settings import Settings


def configure_logs(settings: Settings, stream: TextIO | None = None) -> None:
    """Sets structlog up for this process, writing to ``stream`` (standard error by default)."""
    out = stream or sys.stderr
    form = settings.log_format or ("console" if out.isatty() else "json")
    renderer: structlog.typing.Processor
    if form == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=out.isatty())
    else:
        renderer = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.log_level.upper())),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
