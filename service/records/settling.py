"""Which feedback about a card counts, and the counts that follow from it.

A card and its feedback may arrive in either order, from two machines at once. Whoever has written one of them settles
the card after that, so that the later of the two sees both. Settling again changes nothing.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, bindparam, case, func, or_, select, text, update

from service.records.counts import Tally, day_of
from service.records.outcome import StoredFeedback, identifier
from service.records.tables import card_counts, outcomes, quiet_cards, reason_counts, shown_cards

STEP = 500
"""Cards that are looked up at once."""

Item = TypeVar("Item")

LOCK_SPACE = 0x63617264
"""The space of PostgreSQL's advisory locks for cards: the letters of "card" as a number."""


def lock_cards(connection: Connection, uuids: Collection[str]) -> None:
    """Keeps others from settling the same cards until the transaction ends.

    On PostgreSQL there is one lock for all uuids with the same end, so that a call takes no more than 256.
    On SQLite whoever writes is alone.
    """
    if connection.dialect.name == "postgresql":
        places = sorted({int(uuid[-2:], 16) for uuid in uuids})
        statement = text("SELECT pg_advisory_xact_lock(:space, place) FROM unnest(CAST(:places AS int[])) AS place")
        connection.execute(statement, {"space": LOCK_SPACE, "places": places})


def cards_with_early_feedback(connection: Connection, uuids: Sequence[str]) -> list[str]:
    """Those of the cards whose feedback arrived before them."""
    found: list[str] = []
    for some in _steps(uuids):
        unsettled = select(outcomes.c.card).where(outcomes.c.card.in_(some), outcomes.c.card_id == "")
        found += connection.scalars(unsettled.distinct())
    return found


def known_feedback(connection: Connection, entries: Sequence[StoredFeedback]) -> tuple[set[str], Counter[str]]:
    """The fingerprints of entries that are kept already, and the last number given out for each card."""
    known, numbers = set[str](), Counter[str]()
    for some in _steps(entries):
        about = outcomes.c.card.in_({entry.card for entry in some})
        same = outcomes.c.fingerprint.in_({entry.fingerprint for entry in some})
        known |= set(connection.scalars(select(outcomes.c.fingerprint).where(about, same)))
        number = func.max(outcomes.c.number).label("number")
        last = select(outcomes.c.card, number).where(about).group_by(outcomes.c.card)
        numbers |= {row.card: row.number for row in connection.execute(last)}
    return known, numbers


def settle(connection: Connection, uuids: Collection[str], quiet_for: timedelta = timedelta()) -> set[str]:
    """Makes the latest feedback about each card the one that counts; the uuids of cards that are unknown.

    The time of the outcome decides, then the order of arrival. A time after the arrival counts as the arrival: a
    client whose clock is years ahead must not have the last word for years. The cards must be locked.
    """
    tally, unknown = Tally(), set(uuids)
    for some in _steps(sorted(uuids)):
        said = _latest(connection, some)
        cards = connection.execute(select(shown_cards).where(shown_cards.c.uuid.in_(some))).all()
        unknown.difference_update(card.uuid for card in cards)
        _mark(connection, said.values(), {card.uuid: card.card for card in cards})
        for card in cards:
            if card.uuid in said:
                _settle(connection, card, said[card.uuid], tally)
        _quieten(connection, list(said.values()), quiet_for)
    tally.add_to(connection)
    return unknown


def _steps(each: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (each[start : start + STEP] for start in range(0, len(each), STEP))


def _latest(connection: Connection, uuids: Sequence[str]) -> dict[str, Row[Any]]:
    decided = case((outcomes.c.at > outcomes.c.received, outcomes.c.received), else_=outcomes.c.at)
    place = func.row_number().over(partition_by=outcomes.c.card, order_by=(decided.desc(), outcomes.c.number.desc()))
    placed = select(outcomes, place.label("place")).where(outcomes.c.card.in_(uuids)).subquery()
    rows = connection.execute(select(placed).where(placed.c.place == 1))
    return {row.card: row for row in rows}


def _mark(connection: Connection, said: Collection[Row[Any]], cards: Mapping[str, str]) -> None:
    """Marks the entries that count, and names the cards' files in all entries about them."""
    if not said:
        return
    last, card_id = outcomes.c.number == bindparam("last"), bindparam("named", type_=outcomes.c.card_id.type)
    wrong = or_(outcomes.c.latest != last, outcomes.c.card_id != card_id)
    statement = update(outcomes).where(outcomes.c.card == bindparam("about"), wrong)
    rows = [{"about": row.card, "last": row.number, "named": cards.get(row.card, row.card_id)} for row in said]
    connection.execute(statement.values(latest=last, card_id=card_id), rows)


def _settle(connection: Connection, card: Row[Any], said: Row[Any], tally: Tally) -> None:
    """Counts a card's latest feedback in place of what was counted of it before."""
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


def latest_outcomes(
    connection: Connection, card: str | None, since: datetime | None, most: int
) -> tuple[Sequence[Row[Any]], int]:
    """A page of the latest feedback of each sent card, newest first, and the total number.

    ``card`` is the id of a card or the uuid of one that went out; ``since``, when the feedback was received. Of a row,
    ``uuid`` names the card that went out, ``card`` its file: empty when the uuid is unknown.
    """
    wanted: list[ColumnElement[bool]] = [outcomes.c.latest]
    if card is not None:
        wanted.append(or_(outcomes.c.card_id == card, outcomes.c.card == identifier(card)))
    if since is not None:
        wanted.append(outcomes.c.received >= since)
    total = connection.scalar(select(func.count()).select_from(outcomes).where(*wanted)) or 0
    as_they_are = (
        outcomes.c[name] for name in ("outcome", "at", "received", "reason", "system", "suggestions", "comment")
    )
    listed = select(outcomes.c.card_id.label("card"), outcomes.c.card.label("uuid"), *as_they_are).where(*wanted)
    newest_first = (outcomes.c.received.desc(), outcomes.c.card, outcomes.c.number.desc())
    return connection.execute(listed.order_by(*newest_first).limit(most)).all(), total
