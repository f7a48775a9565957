"""Faults in the folder of cards: which file, which line, what is wrong. Any fault stops the service from starting."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault; ``line`` is 1-based, 0 when the whole file is meant."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.reason}"


class FaultyLibrary(Exception):
    """The cards, sources, terminology or templates cannot be used as they are."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(map(str, self.faults)))
