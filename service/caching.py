"""A cache of pure functions in memory: bounded in number, and never for long texts."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])

MOST = 4096
LONGEST = 240
"""The most letters of a cached argument; longer texts are prose and do not recur."""


def cached(function: Function, letters: Callable[..., int] = len, longest: int = LONGEST, most: int = MOST) -> Function:
    """A pure function with its results cached, if ``letters`` of its arguments is at most ``longest``."""
    known = lru_cache(most)(function)

    @wraps(function)
    def look_up(*args: Any) -> Any:
        return (known if letters(*args) <= longest else function)(*args)

    return cast("Function", look_up)
