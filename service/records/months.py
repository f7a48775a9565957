"""The months of cards and feedback: on PostgreSQL each is a table of its own, which is removed in one step."""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, Table, text

LOCK = 0x6D6F6E746873
"""The advisory lock under which a month is made: the letters of "months" as a number."""


def month_of(moment: datetime) -> datetime:
    """The first moment of the month of UTC in which a moment lies."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def following(month: datetime) -> datetime:
    """The first moment of the next month."""
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def make_months(connection: Connection, table: Table, moments: Iterable[datetime]) -> None:
    """Creates the partitions for the months of these moments, unless they exist.

    A part is made first and attached then, which keeps nobody from reading or writing the others.
    """
    if connection.dialect.name != "postgresql":
        return
    for month in sorted({month_of(moment) for moment in moments}):
        name = f"{table.name}_{month:%Y_%m}"
        if not _is_there(connection, name):
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            if not _is_there(connection, name):
                span = f"FROM ('{month.isoformat()}') TO ('{following(month).isoformat()}')"
                connection.exec_driver_sql(f"CREATE TABLE {name} (LIKE {table.name} INCLUDING ALL)")
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ATTACH PARTITION {name} FOR VALUES {span}")


def _is_there(connection: Connection, name: str) -> bool:
    # Not to_regclass(), which need not know yet what others have committed since the transaction began.
    there = text("SELECT 1 FROM pg_class WHERE relname = :name AND pg_table_is_visible(oid)")
    return connection.scalar(there, {"name": name}) is not None


def drop_months(connection: Connection, table: Table, before: datetime) -> int:
    """Removes the months that were over before a moment; the number of rows that were in them."""
    if connection.dialect.name != "postgresql":
        return 0
    removed = 0
    parts = text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = CAST(:name AS regclass)")
    for name in sorted(connection.scalars(parts, {"name": table.name})):
        month = datetime.strptime(name.removeprefix(f"{table.name}_"), "%Y_%m").replace(tzinfo=UTC)
        if following(month) <= before:
            removed += connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0  # noqa: S608  (the name is PostgreSQL's)
            connection.exec_driver_sql(f"DROP TABLE {name}")
    return removed
