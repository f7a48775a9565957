"""Feedback in a partition a month on PostgreSQL, as the cards are, so that a month is removed in one step.

The order of arrival, which ``id`` told, is a number among the entries about one card.
"""

# ruff: noqa: S608  (the statements are put together from the constants of this file)

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
KEPT = "card, received, fingerprint, card_id, latest, outcome, at, reason, system, suggestions, comment"


def upgrade() -> None:
    """Makes the table anew, with its months, and fills it from the old one."""
    _set_aside("ix_outcome_received", "ix_outcome_unknown", "ix_outcome_card")
    number = sa.Column("number", sa.Integer, autoincrement=False, nullable=False)
    _make(number, sa.PrimaryKeyConstraint("card", "received", "number", name="pk_outcome"), by="RANGE (received)")
    if op.get_bind().dialect.name == "postgresql":
        months = sa.text("SELECT DISTINCT date_trunc('month', received AT TIME ZONE 'UTC') FROM old_outcome")
        for month in op.get_bind().scalars(months).all():
            after = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
            op.execute(
                f"CREATE TABLE outcome_{month:%Y_%m} PARTITION OF outcome"
                f" FOR VALUES FROM ('{month:%Y-%m-%d} 00:00:00+00') TO ('{after:%Y-%m-%d} 00:00:00+00')"
            )
    place = "row_number() OVER (PARTITION BY card ORDER BY id)"
    op.execute(f"INSERT INTO outcome (number, {KEPT}) SELECT {place}, {KEPT} FROM old_outcome")
    op.drop_table("old_outcome")


def downgrade() -> None:
    """Makes the table as it was, with an ``id`` in the order of arrival."""
    _set_aside("ix_outcome_received", "ix_outcome_unknown")
    _make(
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outcome"),
        sa.UniqueConstraint("fingerprint", name="uq_outcome_fingerprint"),
    )
    op.create_index("ix_outcome_card", "outcome", ["card"])
    op.execute(f"INSERT INTO outcome ({KEPT}) SELECT {KEPT} FROM old_outcome ORDER BY received, card, number")
    op.drop_table("old_outcome")


def _set_aside(*indexes: str) -> None:
    """Renames the table and frees the names that the new one needs."""
    for index in indexes:
        op.drop_index(index, "outcome")
    op.rename_table("outcome", "old_outcome")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE old_outcome DROP CONSTRAINT pk_outcome")
        op.execute("ALTER TABLE old_outcome DROP CONSTRAINT IF EXISTS uq_outcome_fingerprint")
        op.execute("ALTER SEQUENCE IF EXISTS outcome_id_seq RENAME TO old_outcome_id_seq")


def _make(*own: Any, by: str | None = None) -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "outcome",
        *own,
        sa.Column("card", sa.String(36), nullable=False),
        sa.Column("received", moment, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("card_id", sa.Text, nullable=False, server_default=""),
        sa.Column("latest", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("suggestions", sa.JSON, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        postgresql_partition_by=by,
    )
    op.create_index("ix_outcome_received", "outcome", ["received"])
    unknown = sa.text("card_id = ''")
    op.create_index("ix_outcome_unknown", "outcome", ["received"], postgresql_where=unknown, sqlite_where=unknown)
