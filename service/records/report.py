"""A report on each card: how often it was shown, accepted and overridden, why, and its trend; as rows and as CSV."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt
from statistics import NormalDist
from typing import Any

_Z = NormalDist().inv_cdf(0.975)
"""Of an interval of 95 %."""


@dataclass(frozen=True, slots=True)
class Rate:
    """``part`` of ``whole`` cases."""

    part: int
    whole: int

    @property
    def share(self) -> float | None:
        """The share, 0 to 1; None without cases."""
        return self.part / self.whole if self.whole else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the share after Wilson (1927), which holds for few cases too; None without cases."""
        if not self.whole:
            return None
        n, p, z = self.whole, self.part / self.whole, _Z
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return (middle - half if self.part else 0.0), (middle + half if self.part < n else 1.0)


def trend(before: Rate, recent: Rate) -> str:
    """ "rising" or "falling" where the intervals do not overlap, else "no clear change"; empty without cases."""
    earlier, later = before.interval, recent.interval
    if earlier is None or later is None:
        return ""
    if later[0] > earlier[1]:
        return "rising"
    return "falling" if later[1] < earlier[0] else "no clear change"


PERIOD = timedelta(days=30)
"""The trend compares the cards shown in the last of these with those of the one before."""

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a report is about: days of UTC, both included, a client by its name, a hook. Left out: all.

    All clients are all but the playground.
    """

    since: date | None = None
    until: date | None = None
    client: str = ""
    hook: str = ""


ALL = Chosen()


@dataclass(frozen=True, slots=True)
class Counted:
    """What became of cards: each that went out counts once, by the latest feedback about it.

    ``quiet`` counts those that were not shown because the same clinician had answered them.
    """

    shown: int = 0
    accepted: int = 0
    overridden: int = 0
    quiet: int = 0

    @property
    def unanswered(self) -> int:
        """Shown without feedback: ignored, or followed without a word. Clients do not report which."""
        return self.shown - self.accepted - self.overridden

    @property
    def accept_rate(self) -> Rate:
        """Accepted among those shown."""
        return Rate(self.accepted, self.shown)

    @property
    def override_rate(self) -> Rate:
        """Overridden among those with feedback; a card without feedback says nothing of the clinician."""
        return Rate(self.overridden, self.accepted + self.overridden)

    @property
    def unanswered_rate(self) -> Rate:
        """Without feedback among those shown."""
        return Rate(self.unanswered, self.shown)

    def __add__(self, other: "Counted") -> "Counted":
        return Counted(
            self.shown + other.shown,
            self.accepted + other.accepted,
            self.overridden + other.overridden,
            self.quiet + other.quiet,
        )


@dataclass(frozen=True, slots=True)
class CardReport:
    """One card. ``days`` holds the days of the period on which it was shown or kept quiet, oldest first.

    ``reasons`` tell why it was overridden, the most frequent first. ``before`` and ``recent`` are the override rates
    of the last two periods of thirty days, whatever the period of the report.
    """

    card: str
    counted: Counted
    reasons: tuple[tuple[str, int], ...]
    before: Rate
    recent: Rate
    days: tuple[tuple[date, Counted], ...]


@dataclass(frozen=True, slots=True)
class ClientReport:
    """One client: its answered calls, and what became of the cards shown to it."""

    client: str
    calls: int
    counted: Counted


@dataclass(frozen=True, slots=True)
class Times:
    """How long calls took: for each bound in milliseconds the calls that kept to it and to none below.

    None stands for those that took longer than all bounds.
    """

    calls: tuple[tuple[int | None, int], ...] = ()

    def within(self, share: float) -> int | None:
        """The bound in milliseconds to which this share of the calls kept, 0 to 1; None when none is that high."""
        wanted, seen = share * sum(number for _, number in self.calls), 0
        for bound, number in self.calls:
            seen += number
            if seen >= wanted:
                return bound
        return None


@dataclass(frozen=True, slots=True)
class Report:
    """All cards that were shown or kept quiet, most overridden first.

    ``unchecked`` counts the answers in which something was not checked, by reason, the most frequent first.
    ``clients`` are those that called, the one with most calls first, and ``hooks`` the calls of each. ``unknown``
    counts the latest feedback about cards that we do not know, which belong to no client or hook.
    """

    calls: int
    cards: tuple[CardReport, ...]
    unchecked: tuple[tuple[str, int], ...]
    clients: tuple[ClientReport, ...]
    hooks: tuple[tuple[str, int], ...]
    times: Times
    unknown: Mapping[str, int]

    @property
    def counted(self) -> Counted:
        """All cards together."""
        return sum((card.counted for card in self.cards), Counted())


def card_rows(report: Report) -> list[dict[str, Any]]:
    """The report, a row for each card, with ``CARD_COLUMNS``."""
    return [_row(card) for card in report.cards]


def _row(card: CardReport) -> dict[str, Any]:
    counted = card.counted
    interval = counted.override_rate.interval or (None, None)
    return {
        "card": card.card,
        "shown": counted.shown,
        "accepted": counted.accepted,
        "overridden": counted.overridden,
        "override_rate": _rounded(counted.override_rate.share),
        "low": _rounded(interval[0]),
        "high": _rounded(interval[1]),
        "rate_before": _rounded(card.before.share),
        "rate_recent": _rounded(card.recent.share),
        "trend": trend(card.before, card.recent) or None,
        "unanswered": counted.unanswered,
        "quiet": counted.quiet,
        "reasons": dict(card.reasons),
    }


def sheet(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Rows as CSV with a heading."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return text.getvalue()


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _cell(value: Any) -> Any:
    """A value for one cell: lists and objects on one line, and no text that a spreadsheet takes for a formula."""
    if isinstance(value, dict):
        return "; ".join(f"{key}: {number}" for key, number in value.items())
    if isinstance(value, list):
        return " ".join(value)
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@" and value else value


CARD_COLUMNS = tuple(_row(CardReport("", Counted(), (), Rate(0, 0), Rate(0, 0), ())))
