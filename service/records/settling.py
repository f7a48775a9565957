"""Which feedback about a card counts, and the counts that follow from it.

A card and its feedback may arrive in either order, from two machines at once. Whoever has written one of them settles
the card after that, so that the later of the two sees both. Settling again changes nothing.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, func, select, text, update

from service.records.counts import Tally, day_of
from service.records.tables import card_counts, outcomes, quiet_cards, reason_counts, shown_cards

STEP = 500
"""Cards that are looked up at once."""

LOCK_SPACE = 0x63617264
"""The space of PostgreSQL's advisory locks for cards: the letters of "card" as a number."""


def lock_cards(connection: Connection, uuids: Collection[str]) -> None:
    """Keeps others from settling the same cards until the transaction ends.

    On PostgreSQL there is one lock for all uuids with the same beginning, so that a call takes no more than 256.
    On SQLite whoever writes is alone.
    """
    if connection.dialect.name == "postgresql":
        places = sorted({int(uuid[:2], 16) for uuid in uuids})
        statement = text("SELECT pg_advisory_xact_lock(:space, place) FROM unnest(CAST(:places AS int[])) AS place")
        connection.execute(statement, {"space": LOCK_SPACE, "places": places})


def told_before(connection: Connection, uuids: Sequence[str]) -> list[str]:
    """Those of the cards about which there is feedback that came before them."""
    found: list[str] = []
    for some in _steps(uuids):
        unsettled = select(outcomes.c.card).where(outcomes.c.card.in_(some), outcomes.c.card_id == "")
        found += connection.scalars(unsettled.distinct())
    return found


def settle(connection: Connection, uuids: Collection[str], quiet_for: timedelta = timedelta()) -> set[str]:
    """Makes the latest feedback about each card the one that counts; the uuids of cards that are unknown.

    The time of the outcome decides, then the order of arrival. A time after the arrival counts as the arrival: a
    client whose clock is years ahead must not have the last word for years. The cards must be locked.
    """
    tally, unknown = Tally(), set(uuids)
    for some in _steps(sorted(uuids)):
        said = _latest(connection, some)
        _mark(connection, some, [row.id for row in said.values()])
        for card in connection.execute(select(shown_cards).where(shown_cards.c.uuid.in_(some))).all():
            unknown.discard(card.uuid)
            if card.uuid in said:
                _settle(connection, card, said[card.uuid], tally)
        _quieten(connection, list(said.values()), quiet_for)
    tally.add_to(connection)
    return unknown


def _steps(uuids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (uuids[start : start + STEP] for start in range(0, len(uuids), STEP))


def _latest(connection: Connection, uuids: Sequence[str]) -> dict[str, Row[Any]]:
    decided = case((outcomes.c.at > outcomes.c.received, outcomes.c.received), else_=outcomes.c.at)
    place = func.row_number().over(partition_by=outcomes.c.card, order_by=(decided.desc(), outcomes.c.id.desc()))
    placed = select(outcomes, place.label("place")).where(outcomes.c.card.in_(uuids)).subquery()
    rows = connection.execute(select(placed).where(placed.c.place == 1))
    return {row.card: row for row in rows}


def _mark(connection: Connection, uuids: Sequence[str], latest: Sequence[int]) -> None:
    about = outcomes.c.card.in_(uuids)
    connection.execute(
        update(outcomes).where(about, outcomes.c.latest, outcomes.c.id.not_in(latest)), {"latest": False}
    )
    connection.execute(update(outcomes).where(outcomes.c.id.in_(latest), ~outcomes.c.latest), {"latest": True})


def _settle(connection: Connection, card: Row[Any], said: Row[Any], tally: Tally) -> None:
    """Counts a card's latest feedback in place of what was counted of it before."""
    of_card = (outcomes.c.card == card.uuid) & (outcomes.c.card_id == "")
    connection.execute(update(outcomes).where(of_card).values(card_id=card.card))
    reason = said.reason if said.outcome == "overridden" else ""
    if (card.answer, card.reason) == (said.outcome, reason):
        return
    shown = (shown_cards.c.uuid == card.uuid) & (shown_cards.c.at == card.at)
    connection.execute(update(shown_cards).where(shown).values(answer=said.outcome, reason=reason))
    day = day_of(card.at)
    for answer, why, number in ((card.answer, card.reason, -1), (said.outcome, reason, 1)):
        if answer:
            tally.count(card_counts, (day, card.card, card.client, card.hook, card.indicator), answer, number)
        if answer == "overridden":
            tally.count(reason_counts, (day, card.card, card.client, card.hook, why), "overridden", number)


def _quieten(connection: Connection, said: Sequence[Row[Any]], quiet_for: timedelta) -> None:
    """From now on the answered cards may stay quiet."""
    if said and quiet_for:
        waiting = (quiet_cards.c.uuid == bindparam("answered_card")) & ~quiet_cards.c.answered
        statement = update(quiet_cards).where(waiting).values(answered=True, expires=bindparam("until"))
        rows = [{"answered_card": row.card, "until": row.received + quiet_for} for row in said]
        connection.execute(statement, rows)
