"""Writes what is kept. Every write is idempotent, so that a caller who is not sure tries again."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, insert
from sqlalchemy.sql.dml import ReturningInsert

from service.records import DatabaseUnavailable
from service.records.database import Database
from service.records.kept import Exchange, StoredFeedback, identifier, printable
from service.records.opening import ANSWER, PATIENCE
from service.records.purge import make_months
from service.records.settling import Tally, cards_with_early_feedback, insert_of, known_feedback, lock_cards, settle
from service.records.tables import counted, outcomes, quiet_cards, shown_cards

PENDING = timedelta(days=7)
"""How long feedback about a card may take if the card is to stay quiet for it."""


@dataclass(frozen=True, slots=True)
class CallCount:
    """Calls without cards of one hour that took about the same time."""

    hour: datetime
    client: str
    hook: str
    within: int
    calls: int


@dataclass(frozen=True, slots=True)
class Numbered:
    """What is written whole or not at all, under an identifier: an answered call, or counts of calls without cards."""

    id: str
    exchange: Exchange | None = None
    calls: tuple[CallCount, ...] = ()

    @property
    def at(self) -> datetime:
        """When the call was answered, or one of the hours that is counted."""
        return self.exchange.at if self.exchange is not None else self.calls[0].hour

    @property
    def number(self) -> int:
        """How many calls these are."""
        return 1 if self.exchange is not None else sum(count.calls for count in self.calls)


def insert_new(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> set[str]:
    """Inserts the rows whose key is not there yet; the first column's values of those that were inserted."""
    if not rows:
        return set()
    return set(connection.scalars(_inserting(table, connection.dialect.name), rows))


@cache
def _inserting(table: Table, dialect: str) -> ReturningInsert[tuple[str]]:
    return insert_of(table, dialect).on_conflict_do_nothing().returning(next(iter(table.columns)))


def write_exchanges(
    database: Database, batch: Sequence[Numbered], quiet_for: timedelta = timedelta(), patience: float = PATIENCE
) -> None:
    """Keeps answered calls: together or, when it raises, perhaps only their feedback not counted yet.

    Raises DatabaseUnavailable, and what the database says when it refuses one of them.
    """
    with database.writing(patience) as connection:
        cards = add_exchanges(connection, batch, quiet_for)
    if cards:
        with database.reading() as connection:
            early = cards_with_early_feedback(connection, cards)
        if early:
            with database.writing(patience) as connection:
                lock_cards(connection, early)
                settle(connection, early, quiet_for)


def write_outcomes(
    database: Database,
    entries: Sequence[StoredFeedback],
    quiet_for: timedelta = timedelta(),
    patience: float = PATIENCE,
) -> None:
    """Keeps feedback, all or none. Raises DatabaseUnavailable."""
    with database.writing(patience, answer=ANSWER) as connection:
        unknown = add_outcomes(connection, entries, quiet_for)
    if unknown:
        # Their call may have been written meanwhile, by somebody who could not see this feedback yet.
        with suppress(DatabaseUnavailable), database.writing(patience, answer=ANSWER) as connection:
            lock_cards(connection, unknown)
            settle(connection, unknown, quiet_for)


def add_exchanges(connection: Connection, batch: Sequence[Numbered], quiet_for: timedelta = timedelta()) -> list[str]:
    """Writes answered calls, the cards that went out with them, and their counts; the uuids of those cards."""
    batch = list({numbered.id: numbered for numbered in batch}.values())
    cards = {each.id: _card_rows(each.exchange) for each in batch if each.exchange is not None}
    all_cards = [row for rows in cards.values() for row in rows]
    make_months(connection, shown_cards, (row["at"] for row in all_cards))
    new_cards = insert_new(connection, shown_cards, all_cards)
    new = insert_new(connection, counted, [{"id": each.id, "at": each.at} for each in batch if not cards.get(each.id)])
    tally = Tally()
    for numbered in batch:
        exchange = numbered.exchange
        if exchange is None:
            for each in numbered.calls if numbered.id in new else ():
                tally.calls(each.hour, each.client, each.hook, each.within, each.calls)
        elif numbered.id in new or any(row["uuid"] in new_cards for row in cards[numbered.id]):
            tally.exchange(exchange)
    tally.add_to(connection)
    if quiet_for:
        keep_for = min(quiet_for, PENDING)
        quiet = [row for each in batch if each.exchange for row in _quiet_rows(each.exchange, cards[each.id], keep_for)]
        insert_new(connection, quiet_cards, quiet)
    return [row["uuid"] for row in all_cards]


def _card_rows(exchange: Exchange) -> list[dict[str, Any]]:
    call = {"at": exchange.at, "client": printable(exchange.client), "tenant": printable(exchange.tenant)}
    call |= {"hook": exchange.hook, "guidance": exchange.guidance, "answer": "", "reason": ""}
    return [
        {"uuid": identifier(card.uuid), "card": card.card, "indicator": card.indicator}
        | {"suggestions": [identifier(suggestion) for suggestion in card.suggestions]}
        | call
        for card in exchange.cards
    ]


def _quiet_rows(exchange: Exchange, cards: list[dict[str, Any]], keep_for: timedelta) -> Iterator[dict[str, Any]]:
    for card, row in zip(exchange.cards, cards, strict=True):
        for digest in card.digests:
            yield {"uuid": row["uuid"], "digest": digest, "answered": False, "expires": exchange.at + keep_for}


def add_outcomes(
    connection: Connection, entries: Sequence[StoredFeedback], quiet_for: timedelta = timedelta()
) -> Collection[str]:
    """Writes feedback and counts it; an entry that is there already stays as it is. The uuids of unknown cards."""
    make_months(connection, outcomes, (entry.received for entry in entries))
    uuids = {entry.card for entry in entries}
    lock_cards(connection, uuids)
    known, number = known_feedback(connection, entries)
    rows = []
    for entry in entries:
        if entry.fingerprint not in known:
            known.add(entry.fingerprint)
            number[entry.card] += 1
            own = {"fingerprint": entry.fingerprint, "number": number[entry.card]}
            rows.append(asdict(entry) | own)
    if rows:
        connection.execute(insert(outcomes), rows)
    return settle(connection, uuids, quiet_for)
