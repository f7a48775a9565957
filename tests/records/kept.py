"""Exchanges and feedback as they are kept, for the tests of the records."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_DNS, uuid4, uuid5

from service.records.database import Database
from service.records.kept import Exchange, ShownCard, StoredFeedback
from service.records.opening import BUSY
from service.records.store import Numbered, write_exchanges, write_outcomes

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
QUIET_FOR = timedelta(days=30)
START, PAIR = "amitriptyline-start-dose", "tolperisone-with-amitriptyline"


def named(name: object) -> str:
    """A UUID that belongs to a name."""
    return str(uuid5(NAMESPACE_DNS, str(name)))


def shown(name: object, card: str = START) -> ShownCard:
    return ShownCard(named(name), card, "warning", (named(f"suggestion of {name}"),))


def exchange(*cards: ShownCard, at: datetime = NOW, unchecked: Sequence[str] = ()) -> Exchange:
    return Exchange(
        at=at,
        client="Example EHR",
        tenant="ward-7",
        hook="order-sign",
        guidance="0.1.0+abc",
        cards=cards,
        unchecked=tuple(unchecked),
        milliseconds=4.2,
    )


def outcome(name: object, answer: str = "overridden", *, at: datetime = NOW, reason: str = "") -> StoredFeedback:
    suggestions = (named(f"suggestion of {name}"),) if answer == "accepted" else ()
    return StoredFeedback(named(name), answer, at, max(at, NOW) + timedelta(seconds=5), suggestions, reason)


def keep(database: Database, *entries: StoredFeedback) -> None:
    write_outcomes(database, entries, QUIET_FOR, BUSY)


def show(database: Database, *calls: Exchange) -> None:
    write_exchanges(database, [Numbered(str(uuid4()), call) for call in calls], QUIET_FOR, BUSY)
