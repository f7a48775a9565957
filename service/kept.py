"""Answers kept for the next call, in memory only: a bounded number, and none for long words."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar, cast

Answers = TypeVar("Answers", bound=Callable[..., Any])

MOST = 4096
LONGEST = 240
"""Letters of what is kept; longer words are somebody's prose and do not come again."""


def kept(answer: Answers, letters: Callable[..., int] = len, longest: int = LONGEST) -> Answers:
    """A function that says the same whenever it is asked, with its answers kept. ``letters`` measures a question."""
    known = lru_cache(MOST)(answer)

    @wraps(answer)
    def look(*asked: Any) -> Any:
        return (known if letters(*asked) <= longest else answer)(*asked)

    return cast("Answers", look)
