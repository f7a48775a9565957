"""What several steps make tables with. Like the steps, it only grows: it says how a database came to be."""

from typing import Any

import sqlalchemy as sa
from alembic import op

UUID, DIGEST, MOMENT = sa.String(36), sa.String(64), sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def texts(*names: str) -> dict[str, Any]:
    """Columns of text by name."""
    return dict.fromkeys(names, sa.Text)


def make(name: str, key: tuple[str, ...], columns: dict[str, Any], *more: Any, **options: Any) -> None:
    """Makes a table of columns that are never null; one that is no type but a Column is taken as it is."""
    made = [kind if isinstance(kind, sa.Column) else sa.Column(column, kind, nullable=False)
            for column, kind in columns.items()]  # fmt: skip
    op.create_table(name, *made, sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"), *more, **options)


def index(table: str, *columns: str) -> None:
    """Makes an index for each of the columns."""
    for column in columns:
        op.create_index(f"ix_{table}_{column}", table, [column])


def index_unknown() -> None:
    """Makes the index of feedback about cards that are unknown."""
    unknown = sa.text("card_id = ''")
    op.create_index("ix_outcome_unknown", "outcome", ["received"], postgresql_where=unknown, sqlite_where=unknown)


def make_months(table: str, months: str) -> None:
    """Makes a partition for each month of a query, on PostgreSQL."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for month in op.get_bind().scalars(sa.text(months)).all():
        after = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
        op.execute(
            f"CREATE TABLE {table}_{month:%Y_%m} PARTITION OF {table}"
            f" FOR VALUES FROM ('{month:%Y-%m-%d} 00:00:00+00') TO ('{after:%Y-%m-%d} 00:00:00+00')"
        )
