"""The months of the cards that went out: on PostgreSQL each is a table of its own, which is removed in one step."""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, text

PREFIX = "shown_card_"
LOCK = 0x6D6F6E746873
"""The advisory lock under which a month is made: the letters of "months" as a number."""


def month_of(moment: datetime) -> datetime:
    """The first moment of the month of UTC in which a moment lies."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def following(month: datetime) -> datetime:
    """The first moment of the next month."""
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def make_months(connection: Connection, moments: Iterable[datetime]) -> None:
    """Makes the tables for the months of these moments that are not there yet."""
    if connection.dialect.name != "postgresql":
        return
    for month in sorted({month_of(moment) for moment in moments}):
        name = f"{PREFIX}{month:%Y_%m}"
        if connection.scalar(text("SELECT to_regclass(:name)"), {"name": name}) is None:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            span = f"FROM ('{month.isoformat()}') TO ('{following(month).isoformat()}')"
            connection.exec_driver_sql(f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF shown_card FOR VALUES {span}")


def drop_months(connection: Connection, before: datetime) -> int:
    """Removes the months that were over before a moment; the number of cards that were in them."""
    if connection.dialect.name != "postgresql":
        return 0
    removed = 0
    names = connection.scalars(
        text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'shown_card'::regclass")
    ).all()
    for name in sorted(names):
        month = datetime.strptime(name.removeprefix(PREFIX), "%Y_%m").replace(tzinfo=UTC)
        if following(month) <= before:
            removed += connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0  # noqa: S608  (the name is PostgreSQL's)
            connection.exec_driver_sql(f"DROP TABLE {name}")
    return removed
