"""What a dosage instruction says, and the daily dose that follows from it: plain facts, no arithmetic."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from service.dosing.amount import Quantity
from service.dosing.timing import Timing


@dataclass(frozen=True, slots=True)
class MaxDose:
    """``maxDosePerPeriod``: at most this amount in this length of time."""

    amount: Quantity
    period: Quantity


@dataclass(frozen=True, slots=True)
class Dosage:
    """One dosage instruction in clinical words.

    ``element`` is its path in the order. ``start``, ``end`` and ``days`` bound it in time. ``unreadable`` lists
    elements that had to be left out.
    """

    low: Quantity | None = None
    high: Quantity | None = None
    timing: Timing | None = None
    as_needed: bool = False
    maxima: tuple[MaxDose, ...] = ()
    sequence: int | None = None
    start: date | None = None
    end: date | None = None
    days: Fraction | None = None
    text: str = ""
    unreadable: tuple[str, ...] = ()
    element: str = "dosageInstruction[0]"


@dataclass(frozen=True, slots=True)
class DailyDose:
    """mg a day, [low, high]; the largest single dose; the most on one dosing day; and the working.

    ``high`` is an average over days; a weekly dose is not a small daily one, so rules about harm look at
    ``dosing_day`` (Q2). ``times`` is doses a day at most. ``steps`` are the doses of a titration in order, each
    with its length in ``days``; then the dose itself is the largest step. ``from_text`` says that words were
    needed; ``together`` that instructions were added up although the order does not say how they belong.
    """

    low: Fraction
    high: Fraction
    single: Fraction
    dosing_day: Fraction
    times: Fraction
    working: str
    bedtime: bool = False
    days: Fraction | None = None
    steps: "tuple[DailyDose, ...]" = ()
    from_text: bool = False
    together: bool = False

    @property
    def first(self) -> "DailyDose":
        """The dose at the start: the first step of a titration."""
        return self.steps[0] if self.steps else self
