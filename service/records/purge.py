"""Removes what is older than it has to be kept, in small steps, so that nobody waits long for the database."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, exists, select

from service.records.database import Database
from service.records.tables import exchanges, outcomes, seen_tokens, shown_cards

STEP = 500


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows were removed."""

    exchanges: int
    feedback: int
    tokens: int


def purge(database: Database, before: datetime, now: datetime) -> Purged:
    """Removes feedback received and calls answered before a moment, and tokens that have expired.

    A call about whose cards there is newer feedback stays as long as that does. Raises DatabaseUnavailable; what
    was removed until then stays removed.
    """
    with database.writing() as connection:
        tokens = connection.execute(delete(seen_tokens).where(seen_tokens.c.expires < now)).rowcount
    return Purged(feedback=_feedback(database, before), exchanges=_exchanges(database, before), tokens=tokens)


def _feedback(database: Database, before: datetime) -> int:
    removed = 0
    while True:
        with database.writing() as connection:
            old = connection.scalars(select(outcomes.c.id).where(outcomes.c.received < before).limit(STEP)).all()
            connection.execute(delete(outcomes).where(outcomes.c.id.in_(old)))
        removed += len(old)
        if len(old) < STEP:
            return removed


def _exchanges(database: Database, before: datetime) -> int:
    about = shown_cards.join(outcomes, outcomes.c.card == shown_cards.c.uuid)
    spoken_of = exists().select_from(about).where(shown_cards.c.exchange == exchanges.c.id)
    chosen = select(exchanges.c.id).where(exchanges.c.at < before, ~spoken_of).limit(STEP)
    removed = 0
    while True:
        with database.writing() as connection:
            old = connection.scalars(chosen).all()
            connection.execute(delete(shown_cards).where(shown_cards.c.exchange.in_(old)))
            connection.execute(delete(exchanges).where(exchanges.c.id.in_(old)))
        removed += len(old)
        if len(old) < STEP:
            return removed
