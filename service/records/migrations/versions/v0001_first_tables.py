"""The first tables: exchanges with their cards, feedback, used tokens.

A step is never changed once it was released: it says how a database came to be, whatever the tables are now.
"""

import sqlalchemy as sa
from alembic import op

from service.records.migrations.making import DIGEST, MOMENT, NUMBER, UUID, index, make, texts

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables."""
    make_exchange()
    make_cards()
    serial = sa.Column("id", NUMBER, autoincrement=True, nullable=False)
    said = {"fingerprint": DIGEST, "card": UUID, "outcome": sa.Text, "at": MOMENT, "received": MOMENT}
    said |= texts("reason", "system") | {"suggestions": sa.JSON, "comment": sa.Text}
    make("outcome", ("id",), {"id": serial} | said, sa.UniqueConstraint("fingerprint", name="uq_outcome_fingerprint"))
    index("outcome", "card", "received")
    make("seen_token", ("digest",), {"digest": DIGEST, "expires": MOMENT})
    index("seen_token", "expires")


def make_exchange() -> None:
    """Makes the table of answered calls."""
    columns = {"id": UUID, "at": MOMENT, **texts("client", "tenant", "hook", "service", "guidance")}
    make("exchange", ("id",), columns | {"milliseconds": sa.Float, "unchecked": sa.JSON})
    index("exchange", "at")


def make_cards(name: str = "shown_card") -> None:
    """Makes the table of cards of answered calls; with another name, without its indexes."""
    columns = {"uuid": UUID, "exchange": UUID, **texts("card", "indicator"), "suggestions": sa.JSON}
    exchange = sa.ForeignKeyConstraint(["exchange"], ["exchange.id"], name="fk_shown_card_exchange")
    make(name, ("uuid",), columns, exchange)
    if name == "shown_card":
        index(name, "exchange", "card")


def downgrade() -> None:
    """Removes the tables and all that is in them."""
    for table in ("seen_token", "outcome", "shown_card", "exchange"):
        op.drop_table(table)
