"""Feedback and the report as a table for people, as CSV and as JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from service.cli.output import standard_output
from service.records.listing import ListedOutcome
from service.records.rate import Rate, trend
from service.records.report import Report
from service.records.sheet import CARD_COLUMNS, card_rows, sheet


@dataclass(frozen=True, slots=True)
class Rows:
    """The same content for all forms: for people in short, for programs in full."""

    title: str
    headings: tuple[str, ...]
    short: list[tuple[str, ...]]
    full: list[dict[str, Any]]
    keys: tuple[str, ...]


def printed(rows: Rows, form: str) -> None:
    """Prints to standard output. A table without rows is left out; the others say by themselves that it is empty."""
    if form == "json":
        print(json.dumps(rows.full, indent=2, ensure_ascii=False))
    elif form == "csv":
        print(sheet(rows.full, rows.keys), end="")
    elif rows.short:
        table = Table(*rows.headings, title=rows.title)
        for row in rows.short:
            table.add_row(*(Text(cell) for cell in row))
        standard_output().print(table)


def outcome_table(listed: Sequence[ListedOutcome]) -> Rows:
    """The latest feedback, newest first."""
    keys = ("at", "received", "card", "uuid", "outcome", "reason", "system", "suggestions", "comment")
    return Rows(
        title="Feedback",
        headings=("decided (UTC)", "card", "outcome", "reason", "comment", "uuid of the card"),
        short=[
            (_moment(each.at), each.card or "(unknown)", each.outcome, each.reason, each.comment, each.uuid)
            for each in listed
        ],
        full=[
            {
                "at": each.at.isoformat(),
                "received": each.received.isoformat(),
                "card": each.card or None,
                "uuid": each.uuid,
                "outcome": each.outcome,
                "reason": each.reason or None,
                "system": each.system or None,
                "suggestions": list(each.suggestions),
                "comment": each.comment or None,
            }
            for each in listed
        ],
        keys=keys,
    )


def report_table(report: Report) -> Rows:
    """The report, a line for each card."""
    return Rows(
        title="What became of the cards",
        headings=("card", "shown", "accepted", "overridden", "override rate (95 %)", "trend", "reasons"),
        short=[
            (
                each.card,
                str(each.counted.shown),
                str(each.counted.accepted),
                str(each.counted.overridden),
                _percent(each.counted.override_rate),
                _change(each.before, each.recent),
                ", ".join(f"{number} {reason}" for reason, number in each.reasons),
            )
            for each in report.cards
        ],
        full=card_rows(report),
        keys=CARD_COLUMNS,
    )


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _percent(rate: Rate) -> str:
    if rate.share is None or rate.interval is None:
        return "no feedback"
    low, high = rate.interval
    return f"{rate.share:.0%} ({low:.0%} to {high:.0%})"


def _change(before: Rate, recent: Rate) -> str:
    if before.share is None or recent.share is None:
        return ""
    return f"{before.share:.0%} → {recent.share:.0%}, {trend(before, recent)}"
