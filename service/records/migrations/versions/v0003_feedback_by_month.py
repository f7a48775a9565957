"""Feedback in a partition a month on PostgreSQL, as the cards are, so that a month is removed in one step.

The order of arrival, which ``id`` held, is a number among the entries about one card.
"""

# ruff: noqa: S608  (the statements are put together from the constants of this file)

import sqlalchemy as sa
from alembic import op

from service.records.migrations.making import DIGEST, MOMENT, UUID, index, index_unknown, make, make_months, texts

revision = "0003"
down_revision = "0002"

KEPT = "card, received, fingerprint, card_id, latest, outcome, at, reason, system, suggestions, comment"


def upgrade() -> None:
    """Makes the table anew, with its months, and fills it from the old one."""
    for name in ("ix_outcome_received", "ix_outcome_unknown", "ix_outcome_card"):
        op.drop_index(name, "outcome")
    op.rename_table("outcome", "old_outcome")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE old_outcome DROP CONSTRAINT pk_outcome")
        op.execute("ALTER TABLE old_outcome DROP CONSTRAINT IF EXISTS uq_outcome_fingerprint")
    _make_outcome()
    make_months("outcome", "SELECT DISTINCT date_trunc('month', received AT TIME ZONE 'UTC') FROM old_outcome")
    place = "row_number() OVER (PARTITION BY card ORDER BY id)"
    op.execute(f"INSERT INTO outcome (number, {KEPT}) SELECT {place}, {KEPT} FROM old_outcome")
    op.drop_table("old_outcome")


def _make_outcome() -> None:
    number = sa.Column("number", sa.Integer, autoincrement=False, nullable=False)
    card_id = sa.Column("card_id", sa.Text, nullable=False, server_default="")
    latest = sa.Column("latest", sa.Boolean, nullable=False, server_default=sa.false())
    members = {"card": UUID, "received": MOMENT, "fingerprint": DIGEST, "card_id": card_id, "latest": latest}
    members |= {
        "outcome": sa.Text,
        "at": MOMENT,
        **texts("reason", "system"),
        "suggestions": sa.JSON,
        "comment": sa.Text,
    }
    key = ("card", "received", "number")
    make("outcome", key, {"number": number} | members, postgresql_partition_by="RANGE (received)")
    index("outcome", "received")
    index_unknown()
