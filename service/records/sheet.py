"""Reports as rows for programs, and as CSV that is safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from service.records.rate import trend
from service.records.report import CardReport, Report

CARD_COLUMNS = (
    "card", "shown", "accepted", "overridden", "override_rate", "low", "high", "rate_before", "rate_recent", "trend",
    "unanswered", "quiet", "reasons",
)  # fmt: skip


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
