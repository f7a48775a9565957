"""The tables. ``docs/records.md`` says what they mean; the migrations make them, and a test compares the two."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
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
        """The moment in UTC, whatever zone the connection speaks."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


UUID_LENGTH, DIGEST_LENGTH = 36, 64

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_name)s", "pk": "pk_%(table_name)s"}
    | {"fk": "fk_%(table_name)s_%(column_0_name)s", "uq": "uq_%(table_name)s_%(column_0_name)s"}
)

exchanges = Table(
    "exchange",
    metadata,
    Column("id", String(UUID_LENGTH), primary_key=True),
    Column("at", Moment, nullable=False, index=True),
    Column("client", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("hook", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("guidance", Text, nullable=False),
    Column("milliseconds", Float, nullable=False),
    Column("unchecked", JSON, nullable=False),
)
"""One row for each answered call."""

shown_cards = Table(
    "shown_card",
    metadata,
    Column("uuid", String(UUID_LENGTH), primary_key=True),
    Column("exchange", String(UUID_LENGTH), ForeignKey("exchange.id"), nullable=False, index=True),
    Column("card", Text, nullable=False, index=True),
    Column("indicator", Text, nullable=False),
    Column("suggestions", JSON, nullable=False),
)
"""One row for each card that went out. Feedback names it by its uuid."""

outcomes = Table(
    "outcome",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("fingerprint", String(DIGEST_LENGTH), nullable=False, unique=True),
    Column("card", String(UUID_LENGTH), nullable=False, index=True),
    Column("outcome", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("received", Moment, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("suggestions", JSON, nullable=False),
    Column("comment", Text, nullable=False),
)
"""One row for each different entry of feedback. The card may be unknown: it is no foreign key on purpose."""

seen_tokens = Table(
    "seen_token",
    metadata,
    Column("digest", String(DIGEST_LENGTH), primary_key=True),
    Column("expires", Moment, nullable=False, index=True),
)
"""One row for each token that was used and is not expired; neither issuer nor jti can be read from it."""
