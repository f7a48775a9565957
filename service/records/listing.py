"""The feedback that counts: for each card that went out, the latest of what was said about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Subquery, case, func, or_, select

from service.records.outcome import identifier
from service.records.tables import outcomes, shown_cards


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


def latest() -> Subquery:
    """All feedback; in each card's latest entry ``rank`` is 1.

    The time of the outcome decides, then the order of arrival. A time after the arrival counts as the arrival: a
    client whose clock is years ahead must not have the last word for years.
    """
    decided = case((outcomes.c.at > outcomes.c.received, outcomes.c.received), else_=outcomes.c.at)
    rank = func.row_number().over(partition_by=outcomes.c.card, order_by=(decided.desc(), outcomes.c.id.desc()))
    return select(outcomes, rank.label("rank")).subquery("latest")


def latest_outcomes(
    connection: Connection, card: str | None, since: datetime | None, most: int
) -> tuple[list[ListedOutcome], int]:
    """The latest feedback of each card that went out, newest first, at most so many; and how many there are.

    ``card`` is the id of a card or the uuid of one that went out; ``since``, when the feedback was received.
    """
    said = latest()
    of_card: Sequence[ColumnElement[bool]] = ()
    if card is not None:
        of_card = [or_(shown_cards.c.card == card, said.c.card == identifier(card))]
    of_time = [] if since is None else [said.c.received >= since]
    known = said.outerjoin(shown_cards, shown_cards.c.uuid == said.c.card)
    found = select(said, shown_cards.c.card.label("card_id")).select_from(known)
    found = found.where(said.c.rank == 1, *of_card, *of_time)
    total = connection.scalar(select(func.count()).select_from(found.subquery())) or 0
    rows = connection.execute(found.order_by(said.c.received.desc(), said.c.id.desc()).limit(most)).mappings()
    listed = [
        ListedOutcome(
            card=row["card_id"] or "",
            uuid=row["card"],
            outcome=row["outcome"],
            at=row["at"],
            received=row["received"],
            reason=row["reason"],
            system=row["system"],
            suggestions=tuple(row["suggestions"]),
            comment=row["comment"],
        )
        for row in rows
    ]
    return listed, total
