"""The first tables: exchanges with their cards, feedback, used tokens.

A step is never changed once it was released: it says how a database came to be, whatever the tables are now.
"""

import sqlalchemy as sa

from service.records.migrations.making import DIGEST, MOMENT, NUMBER, UUID, index, make, texts

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the tables."""
    answered = {"id": UUID, "at": MOMENT, **texts("client", "tenant", "hook", "service", "guidance")}
    make("exchange", ("id",), answered | {"milliseconds": sa.Float, "unchecked": sa.JSON})
    index("exchange", "at")
    shown = {"uuid": UUID, "exchange": UUID, **texts("card", "indicator"), "suggestions": sa.JSON}
    exchange = sa.ForeignKeyConstraint(["exchange"], ["exchange.id"], name="fk_shown_card_exchange")
    make("shown_card", ("uuid",), shown, exchange)
    index("shown_card", "exchange", "card")
    serial = sa.Column("id", NUMBER, autoincrement=True, nullable=False)
    members = {"fingerprint": DIGEST, "card": UUID, "outcome": sa.Text, "at": MOMENT, "received": MOMENT}
    members |= texts("reason", "system") | {"suggestions": sa.JSON, "comment": sa.Text}
    make(
        "outcome", ("id",), {"id": serial} | members, sa.UniqueConstraint("fingerprint", name="uq_outcome_fingerprint")
    )
    index("outcome", "card", "received")
    make("seen_token", ("digest",), {"digest": DIGEST, "expires": MOMENT})
    index("seen_token", "expires")
