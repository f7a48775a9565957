"""Where the time of a call goes: its parts by name, reported in ``Server-Timing``."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter

_parts: ContextVar[dict[str, float] | None] = ContextVar("parts", default=None)


def begin() -> dict[str, float]:
    """The parts of the call that begins in this context, in seconds; they are added to as it goes on."""
    parts: dict[str, float] = {}
    _parts.set(parts)
    return parts


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Adds the time of the block to a part of the present call; outside a call it does nothing."""
    started = perf_counter()
    try:
        yield
    finally:
        parts = _parts.get()
        if parts is not None:
            parts[name] = parts.get(name, 0.0) + perf_counter() - started
