"""Counts by hour and day, one table for all cards that went out (a partition a month on PostgreSQL), quiet cards.

The counts are made of what is there, so that a report says the same after the step as before it.
"""

# ruff: noqa: S608  (the statements are put together from the constants of this file)

from typing import Any

import sqlalchemy as sa
from alembic import op

from service.records.migrations.making import (
    DIGEST,
    MOMENT,
    NUMBER,
    UUID,
    index,
    index_unknown,
    make,
    make_months,
    texts,
)

revision = "0002"
down_revision = "0001"

BOUNDS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)
MORE = 2**31 - 1


def upgrade() -> None:
    """Makes the new tables, fills them from the old ones, and removes those."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    _make_tables()
    _keep_old_cards(postgresql=postgresql)
    _make_shown_card()
    op.add_column("outcome", sa.Column("card_id", sa.Text, nullable=False, server_default=""))
    op.add_column("outcome", sa.Column("latest", sa.Boolean, nullable=False, server_default=sa.false()))
    index_unknown()
    months = "SELECT DISTINCT date_trunc('month', at AT TIME ZONE 'UTC') FROM exchange"
    make_months("shown_card", months)
    for statement in (*_MOVE, *_counts(postgresql=postgresql)):
        op.execute(statement)
    op.drop_table("old_card")
    op.drop_table("exchange")


def _make_tables() -> None:
    _make_counts("call_hour", {"hour": MOMENT, **texts("client", "hook"), "within": sa.Integer}, "calls")
    day = {"day": sa.Date, **texts("card", "client", "hook")}
    _make_counts("card_day", day | texts("indicator"), "shown", "accepted", "overridden", "quiet")
    _make_counts("reason_day", day | texts("reason"), "overridden")
    _make_counts("unchecked_day", {"day": sa.Date, **texts("client", "hook", "reason")}, "answers")
    make("counted", ("id",), {"id": UUID, "at": MOMENT})
    index("counted", "at")
    answered = sa.Column("answered", sa.Boolean, nullable=False, server_default=sa.false())
    quiet = {"uuid": UUID, "digest": DIGEST, "answered": answered, "expires": MOMENT}
    make("quiet_card", ("uuid", "digest"), quiet)
    index("quiet_card", "digest", "expires")
    number = sa.Column("id", sa.Integer, autoincrement=False, nullable=False)
    make("quiet_key", ("id",), {"id": number, "key": DIGEST})


def _keep_old_cards(*, postgresql: bool) -> None:
    """Sets the old table of cards aside, without the names that the new one needs."""
    op.drop_index("ix_shown_card_exchange", "shown_card")
    op.drop_index("ix_shown_card_card", "shown_card")
    op.rename_table("shown_card", "old_card")
    if postgresql:
        op.execute("ALTER TABLE old_card DROP CONSTRAINT pk_shown_card")


def _make_counts(name: str, keys: dict[str, Any], *counts: str) -> None:
    make(name, tuple(keys), keys | dict.fromkeys(counts, NUMBER))


def _make_shown_card() -> None:
    labels = texts("card", "indicator", "client", "tenant", "hook", "guidance")
    columns = {"uuid": UUID, "at": MOMENT, **labels, "suggestions": sa.JSON, **texts("answer", "reason")}
    make("shown_card", ("uuid", "at"), columns, postgresql_partition_by="RANGE (at)")
    index("shown_card", "at")


_MOVE = (
    "UPDATE outcome SET latest = true WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY card"
    " ORDER BY CASE WHEN at > received THEN received ELSE at END DESC, id DESC) AS place FROM outcome) AS placed"
    " WHERE place = 1)",
    "INSERT INTO shown_card (uuid, at, card, indicator, client, tenant, hook, guidance, suggestions, answer, reason)"
    " SELECT c.uuid, e.at, c.card, c.indicator, e.client, e.tenant, e.hook, e.guidance, c.suggestions,"
    " coalesce(o.outcome, ''), CASE WHEN o.outcome = 'overridden' THEN o.reason ELSE '' END"
    " FROM old_card AS c JOIN exchange AS e ON e.id = c.exchange"
    " LEFT JOIN outcome AS o ON o.card = c.uuid AND o.latest",
    "UPDATE outcome SET card_id = s.card FROM shown_card AS s WHERE s.uuid = outcome.card",
)


def _counts(*, postgresql: bool) -> tuple[str, ...]:
    if postgresql:
        day, hour = "CAST(at AT TIME ZONE 'UTC' AS date)", "date_trunc('hour', at, 'UTC')"
        reasons, reason = "exchange CROSS JOIN LATERAL json_array_elements_text(unchecked) AS each(value)", "each.value"
    else:
        day, hour = "date(at)", "strftime('%Y-%m-%d %H:00:00.000000', at)"
        reasons, reason = "exchange CROSS JOIN json_each(exchange.unchecked) AS each", "each.value"
    within = " ".join(f"WHEN milliseconds <= {bound} THEN {bound}" for bound in BOUNDS)
    return (
        "INSERT INTO card_day (day, card, client, hook, indicator, shown, accepted, overridden, quiet)"
        f" SELECT {day}, card, client, hook, indicator, count(*),"
        " sum(CASE WHEN answer = 'accepted' THEN 1 ELSE 0 END),"
        " sum(CASE WHEN answer = 'overridden' THEN 1 ELSE 0 END), 0"
        " FROM shown_card GROUP BY 1, 2, 3, 4, 5",
        "INSERT INTO reason_day (day, card, client, hook, reason, overridden)"
        f" SELECT {day}, card, client, hook, reason, count(*) FROM shown_card WHERE answer = 'overridden'"
        " GROUP BY 1, 2, 3, 4, 5",
        "INSERT INTO unchecked_day (day, client, hook, reason, answers)"
        f" SELECT {day}, client, hook, {reason}, count(*) FROM {reasons} GROUP BY 1, 2, 3, 4",
        "INSERT INTO call_hour (hour, client, hook, within, calls)"
        f" SELECT {hour}, client, hook, CASE {within} ELSE {MORE} END, count(*) FROM exchange GROUP BY 1, 2, 3, 4",
    )
