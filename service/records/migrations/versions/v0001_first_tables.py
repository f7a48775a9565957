"""The first tables: exchanges with their cards, feedback, used tokens.

A step is never changed once it was released: it says how a database came to be, whatever the tables are now.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "exchange",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("hook", sa.Text, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("guidance", sa.Text, nullable=False),
        sa.Column("milliseconds", sa.Float, nullable=False),
        sa.Column("unchecked", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_exchange"),
    )
    op.create_index("ix_exchange_at", "exchange", ["at"])
    op.create_table(
        "shown_card",
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("exchange", sa.String(36), nullable=False),
        sa.Column("card", sa.Text, nullable=False),
        sa.Column("indicator", sa.Text, nullable=False),
        sa.Column("suggestions", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("uuid", name="pk_shown_card"),
        sa.ForeignKeyConstraint(["exchange"], ["exchange.id"], name="fk_shown_card_exchange"),
    )
    op.create_index("ix_shown_card_exchange", "shown_card", ["exchange"])
    op.create_index("ix_shown_card_card", "shown_card", ["card"])
    op.create_table(
        "outcome",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("card", sa.String(36), nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("received", MOMENT, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("suggestions", sa.JSON, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outcome"),
        sa.UniqueConstraint("fingerprint", name="uq_outcome_fingerprint"),
    )
    op.create_index("ix_outcome_card", "outcome", ["card"])
    op.create_index("ix_outcome_received", "outcome", ["received"])
    op.create_table(
        "seen_token",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("expires", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_seen_token"),
    )
    op.create_index("ix_seen_token_expires", "seen_token", ["expires"])


def downgrade() -> None:
    """Removes the tables and all that is in them."""
    for table in ("seen_token", "outcome", "shown_card", "exchange"):
        op.drop_table(table)
