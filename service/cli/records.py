"""``tolami feedback``, ``tolami report`` and ``tolami records``: what is kept, read back and removed."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import click
from sqlalchemy import Row

from service.cli.output import Faulty, as_rows, example, print_rows, print_table
from service.logs import configure_logs
from service.records import DatabaseUnavailable
from service.records.database import Database
from service.records.purge import purge as removed
from service.records.reading import latest_outcomes
from service.records.reading import report as made
from service.records.report import CARD_COLUMNS, CardReport, Chosen, Rate, card_rows, trend
from service.settings import SettingsError, load_settings

STATEMENT = 600.0
"""Seconds that a query of a command may take: it reads all there is, and nobody waits for a card meanwhile."""

DAYS = re.compile(r"(\d{1,5})d")

OUTCOME = ("at", "received", "card", "uuid", "outcome", "reason", "system", "suggestions", "comment")
"""The members of an entry of feedback, for programs."""


class Past(click.ParamType[datetime]):
    """A moment in the past: a day (in UTC) or a number of days before now."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment. Fails for anything else, and for the future."""
        now = datetime.now(UTC)
        days = DAYS.fullmatch(value)
        try:
            moment = (
                now - timedelta(days=int(days[1])) if days else datetime.combine(date.fromisoformat(value), time(), UTC)
            )
        except (ValueError, OverflowError):
            self.fail("write a number of days as 90d, or a day as 2026-11-23.", param, ctx)
        if moment > now:
            self.fail("this lies in the future (days are those of UTC).", param, ctx)
        return moment


@contextmanager
def _opened() -> Iterator[Database]:
    """The database of the settings. Ends the command with a message when it cannot be used."""
    try:
        settings = load_settings()
        configure_logs(settings.model_copy(update={"log_level": "error"}))
        database = Database(settings.database_url, STATEMENT)
        if not database.exists():
            raise Faulty(f"{database.name}: there is no such file. `tolami serve` creates it where it runs.")
        yield database
    except SettingsError as error:
        raise Faulty(str(error)) from None
    except DatabaseUnavailable as error:
        raise Faulty(f"{error}. docs/records.md says what to look at.") from None


@click.command(
    help="""Show what clinicians made of the cards they were shown.

    CARD is the id of a card, as `tolami cards` lists it, or the uuid of one that was shown; by default all. Only the
    latest feedback on each card is shown. Times are in UTC.
    """,
    epilog=example("tolami feedback not-checked --since 30d\ntolami feedback --format csv > feedback.csv"),
)
@click.argument("card", required=False)
@click.option("--since", type=Past(), help="Only what was received since: 30d, or 2026-11-23.")
@click.option(
    "--most", default=50, show_default=True, type=click.IntRange(1), help="Most entries to show, newest first."
)
@as_rows
def feedback(card: str | None, since: datetime | None, most: int, form: str) -> None:
    with _opened() as database, database.reading() as connection:
        listed, total = latest_outcomes(connection, card, since, most)
    rows = [_row(each) for each in listed]
    if form != "table":
        print_rows(form, rows, OUTCOME)
    else:
        if listed:
            headings = ("decided (UTC)", "card", "outcome", "reason", "comment", "uuid of the card")
            print_table("Feedback", headings, map(_in_short, listed))
        about = f" about {card}" if card else ""
        if not total:
            click.echo(f"No feedback{about} is kept in {database.name}{' since then' if since else ''}.")
        elif total > len(listed):
            click.echo(f"{total - len(listed)} older ones are not shown; --most {total} shows all.")


@click.command(
    help="""Show how often each card was shown, accepted and overridden, and why.

    The override rate is the share of overridden cards among those with feedback, with its 95 % interval; with few
    of them the interval is wide. Ignored cards are not reported by clients. The trend compares the cards shown in
    the last 30 days with those of the 30 days before.
    """,
    epilog=example("tolami report --since 90d\ntolami report --format csv > report.csv"),
)
@click.option("--since", type=Past(), help="Only cards shown since that day: 90d, or 2026-11-23.")
@as_rows
def report(since: datetime | None, form: str) -> None:
    chosen = Chosen(since=since.date() if since else None)
    with _opened() as database, database.reading() as connection:
        found = made(connection, datetime.now(UTC).date(), chosen)
    if form != "table":
        print_rows(form, card_rows(found), CARD_COLUMNS)
    else:
        if found.cards:
            headings = ("card", "shown", "accepted", "overridden", "override rate (95 %)", "trend", "reasons")
            print_table("What became of the cards", headings, map(_card_in_short, found.cards))
        click.echo(_summary(found.calls, len(found.cards), database.name, since))
        if found.unknown:
            counts = ", ".join(f"{number} {outcome}" for outcome, number in found.unknown.items())
            click.echo(f"Feedback about cards that are not on record: {counts}. It is not in the table.")


def _row(each: Row[Any]) -> dict[str, Any]:
    values = {key: getattr(each, key) or None for key in OUTCOME}
    moments = {"at": each.at.isoformat(), "received": each.received.isoformat()}
    return values | moments | {"suggestions": each.suggestions}


def _in_short(each: Row[Any]) -> tuple[str, ...]:
    return f"{each.at:%Y-%m-%d %H:%M}", each.card or "(unknown)", each.outcome, each.reason, each.comment, each.uuid


def _card_in_short(each: CardReport) -> tuple[Any, ...]:
    counted, reasons = each.counted, ", ".join(f"{number} {reason}" for reason, number in each.reasons)
    rate, change = _percent(counted.override_rate), _change(each.before, each.recent)
    return each.card, counted.shown, counted.accepted, counted.overridden, rate, change, reasons


def _percent(rate: Rate) -> str:
    if rate.share is None or rate.interval is None:
        return "no feedback"
    low, high = rate.interval
    return f"{rate.share:.0%} ({low:.0%} to {high:.0%})"


def _change(before: Rate, recent: Rate) -> str:
    if before.share is None or recent.share is None:
        return ""
    return f"{before.share:.0%} → {recent.share:.0%}, {trend(before, recent)}"


def _summary(calls: int, cards: int, database: str, since: datetime | None) -> str:
    period = f" since {since:%Y-%m-%d} (UTC)" if since else ""
    if not calls:
        return f"No answered call is kept in {database}{period}."
    return f"{calls} answered call{'s' * (calls != 1)}{period}, {cards} different card{'s' * (cards != 1)} shown."


@click.group(
    help="Maintain the database of answered calls and feedback.",
    epilog=example("tolami records purge --older-than 365d"),
)
def records() -> None: ...


@records.command(
    help="""Remove shown cards, feedback and counts from before a day.

    Counts are removed by whole days; expired tokens are removed, too. The service may be running.
    """,
    epilog=example("tolami records purge --older-than 365d\ntolami records purge --older-than 2026-01-01"),
)
@click.option("--older-than", "before", type=Past(), required=True, help="An age (365d) or a day (2026-01-01).")
def purge(before: datetime) -> None:
    with _opened() as database:
        gone = removed(database, before, datetime.now(UTC))
    click.echo(
        f"Removed from {database.name}, older than {before:%Y-%m-%d %H:%M} UTC: {gone.cards} cards,"
        f" {gone.feedback} entries of feedback; {gone.tokens} expired tokens."
    )
