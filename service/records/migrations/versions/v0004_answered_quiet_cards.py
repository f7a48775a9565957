"""The index of quiet cards holds those that were answered, which alone are looked for.

A card that is shown a hundred times to one clinician for one patient, never answered, cost a hundred rows at each call.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NAME, TABLE, COLUMNS = "ix_quiet_card_digest", "quiet_card", ["digest"]


def upgrade() -> None:
    """Makes the index anew."""
    op.drop_index(NAME, TABLE)
    op.create_index(NAME, TABLE, COLUMNS, postgresql_where=sa.text("answered"), sqlite_where=sa.text("answered = 1"))
