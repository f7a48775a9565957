"""The feedback that counts: for each card that went out, the latest of what was said about it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, or_, select

from service.records.outcome import identifier
from service.records.tables import outcomes


@dataclass(frozen=True, slots=True)
class ListedOutcome:
    """The latest feedback about one card that went out. ``card`` is empty when we do not know the uuid."""

    card: str
    uuid: str
    outcome: str
    at: datetime
    received: datetime
    reason: str
    system: str
    suggestions: tuple[str, ...]
    comment: str


def latest_outcomes(
    connection: Connection, card: str | None, since: datetime | None, most: int
) -> tuple[list[ListedOutcome], int]:
    """The latest feedback of each card that went out, newest first, at most so many; and how many there are.

    ``card`` is the id of a card or the uuid of one that went out; ``since``, when the feedback was received.
    """
    wanted: list[ColumnElement[bool]] = [outcomes.c.latest]
    if card is not None:
        wanted.append(or_(outcomes.c.card_id == card, outcomes.c.card == identifier(card)))
    if since is not None:
        wanted.append(outcomes.c.received >= since)
    total = connection.scalar(select(func.count()).select_from(outcomes).where(*wanted)) or 0
    newest_first = (outcomes.c.received.desc(), outcomes.c.card, outcomes.c.number.desc())
    rows = connection.execute(select(outcomes).where(*wanted).order_by(*newest_first).limit(most)).mappings()
    as_they_are = ("outcome", "at", "received", "reason", "system", "comment")
    return [
        ListedOutcome(
            card=row["card_id"],
            uuid=row["card"],
            suggestions=tuple(row["suggestions"]),
            **{name: row[name] for name in as_they_are},
        )
        for row in rows
    ], total
