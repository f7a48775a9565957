"""Writes what is kept. Everything can be written twice and is there once, so that whoever is not sure tries again."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from service.records.exchange import Exchange
from service.records.outcome import StoredFeedback, identifier, printable
from service.records.tables import exchanges, outcomes, shown_cards


@dataclass(frozen=True, slots=True)
class Numbered:
    """An exchange with the identifier under which it is kept."""

    id: str
    exchange: Exchange


def insert_new(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> int:
    """Inserts the rows whose key is not there yet; their number."""
    if not rows:
        return 0
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert
    statement = insert(table).on_conflict_do_nothing()
    return connection.execute(statement, rows, execution_options={"preserve_rowcount": True}).rowcount


def add_exchanges(connection: Connection, batch: Iterable[Numbered]) -> None:
    """Writes answered calls and the cards that went out with them."""
    calls, cards = [], []
    for numbered in batch:
        exchange = numbered.exchange
        calls.append(
            {
                "id": numbered.id,
                "at": exchange.at,
                "client": printable(exchange.client),
                "tenant": printable(exchange.tenant),
                "hook": exchange.hook,
                "service": exchange.service,
                "guidance": exchange.guidance,
                "milliseconds": exchange.milliseconds,
                "unchecked": list(exchange.unchecked),
            }
        )
        cards += [
            {
                "uuid": identifier(card.uuid),
                "exchange": numbered.id,
                "card": card.card,
                "indicator": card.indicator,
                "suggestions": [identifier(suggestion) for suggestion in card.suggestions],
            }
            for card in exchange.cards
        ]
    insert_new(connection, exchanges, calls)
    insert_new(connection, shown_cards, cards)


def add_outcomes(connection: Connection, entries: Iterable[StoredFeedback]) -> None:
    """Writes feedback; an entry that is there already stays as it is."""
    rows = [
        {
            "fingerprint": entry.fingerprint,
            "card": entry.card,
            "outcome": entry.outcome,
            "at": entry.at,
            "received": entry.received,
            "reason": entry.reason,
            "system": entry.system,
            "suggestions": list(entry.suggestions),
            "comment": entry.comment,
        }
        for entry in entries
    ]
    insert_new(connection, outcomes, rows)
