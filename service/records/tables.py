"""The tables. ``docs/records.md`` says what they mean; the migrations make them, and a test compares the two."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    false,
    true,
)


class Moment(TypeDecorator[datetime]):
    """A moment in UTC; SQLite has no zones and keeps it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Raises ValueError for a time without zone, which would mean another moment on another machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """The moment in UTC, whatever the connection's time zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


UUID, DIGEST = String(36), String(64)

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_name)s", "pk": "pk_%(table_name)s"}
    | {"uq": "uq_%(table_name)s_%(column_0_name)s"}
)
NUMBER = BigInteger().with_variant(Integer, "sqlite")


def _texts(*names: str) -> Iterator[Column[Any]]:
    return (Column(name, Text, nullable=False) for name in names)


def _counts(name: str, keys: dict[str, Any], *numbers: str) -> Table:
    columns = [Column(key, kind, primary_key=True) for key, kind in keys.items()]
    return Table(name, metadata, *columns, *(Column(number, NUMBER, nullable=False) for number in numbers))


shown_cards = Table(
    "shown_card",
    metadata,
    Column("uuid", UUID, primary_key=True),
    Column("at", Moment, primary_key=True, index=True),
    *_texts("card", "indicator", "client", "tenant", "hook", "guidance"),
    Column("suggestions", JSON, nullable=False),
    *_texts("answer", "reason"),
    postgresql_partition_by="RANGE (at)",
)
"""One row for each card that went out. Feedback names it by its uuid.

``answer`` and ``reason`` are what the counts hold of it: empty, or the latest feedback. On PostgreSQL each month is a
partition.
"""

outcomes = Table(
    "outcome",
    metadata,
    Column("card", UUID, primary_key=True),
    Column("received", Moment, primary_key=True, index=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("fingerprint", DIGEST, nullable=False),
    Column("card_id", Text, nullable=False, server_default=""),
    Column("latest", Boolean, nullable=False, server_default=false()),
    *_texts("outcome", "reason", "system", "comment"),
    Column("at", Moment, nullable=False),
    Column("suggestions", JSON, nullable=False),
    postgresql_partition_by="RANGE (received)",
)
"""One row for each different entry of feedback. ``card`` is a uuid, which may be unknown.

``number`` counts the entries about one uuid in the order of arrival, and ``latest`` marks the one that counts.
``card_id`` is the id of the card's file, empty as long as the uuid is unknown. On PostgreSQL each month is a partition.
"""

_UNKNOWN = outcomes.c.card_id == ""
Index("ix_outcome_unknown", outcomes.c.received, postgresql_where=_UNKNOWN, sqlite_where=_UNKNOWN)

call_counts = _counts("call_hour", {"hour": Moment, "client": Text, "hook": Text, "within": Integer}, "calls")
"""Answered calls of an hour, by the time that they took: at most ``within`` milliseconds."""

_DAY = {"day": Date, "card": Text, "client": Text, "hook": Text}

card_counts = _counts("card_day", {**_DAY, "indicator": Text}, "shown", "accepted", "overridden", "quiet")
"""What became of the cards shown on a day (UTC), each by its latest feedback, whenever that came."""

reason_counts = _counts("reason_day", {**_DAY, "reason": Text}, "overridden")
"""Why cards shown on a day were overridden."""

unchecked_counts = _counts("unchecked_day", {"day": Date, "client": Text, "hook": Text, "reason": Text}, "answers")
"""Answers of a day in which something was not checked, by reason."""

counted = Table(
    "counted", metadata, Column("id", UUID, primary_key=True), Column("at", Moment, nullable=False, index=True)
)
"""Which counts of calls without cards are in the tables, so that none is added twice."""

quiet_cards = Table(
    "quiet_card",
    metadata,
    Column("uuid", UUID, primary_key=True),
    Column("digest", DIGEST, primary_key=True),
    Column("answered", Boolean, nullable=False, server_default=false()),
    Column("expires", Moment, nullable=False, index=True),
)
"""For each card that may stay quiet once it is answered: keyed digests of clinician, patient and what it says."""

Index(
    "ix_quiet_card_digest",
    quiet_cards.c.digest,
    postgresql_where=quiet_cards.c.answered,
    sqlite_where=quiet_cards.c.answered == true(),
)

quiet_keys = Table(
    "quiet_key",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key", DIGEST, nullable=False),
)
"""The key of the digests, made once by whoever needs it first."""

seen_tokens = Table(
    "seen_token",
    metadata,
    Column("digest", DIGEST, primary_key=True),
    Column("expires", Moment, nullable=False, index=True),
)
"""One row for each token that was used and is not expired; neither issuer nor jti can be read from it."""
