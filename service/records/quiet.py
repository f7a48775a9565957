"""Which cards a clinician has answered for a patient: keyed digests that expire, never an identifier."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from service.records import DatabaseUnavailable
from service.records.batching import QueryBatcher
from service.records.database import Database
from service.records.opening import BUSY
from service.records.purge import remove_old
from service.records.store import insert_new
from service.records.tables import quiet_cards, quiet_keys

Asked = tuple[tuple[str, ...], Mapping[str, str], datetime]
"""Whose cards (client, tenant, user, patient), what they say by their ids, and now."""

Answers = Mapping[str, tuple[str, bool]]


class QuietCards:
    """The digests of the cards that may stay quiet. The key is made once and lies in the database, for all servers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._key = b""
        self._queries: QueryBatcher[Asked, Answers] = QueryBatcher("quiet cards", self._look_up, late="dropped")

    def look_up(self, whose: tuple[str, ...], said: Mapping[str, str], now: datetime) -> Answers:
        """For each card its digest and whether it was answered. Nothing when the database does not answer in time."""
        try:
            return self._queries.ask((whose, said, now))
        except DatabaseUnavailable:
            return {}

    def remove_expired(self, now: datetime) -> int:
        """Forgets the digests that have expired; their number. Raises DatabaseUnavailable."""
        return remove_old(self._database, quiet_cards, quiet_cards.c.uuid, quiet_cards.c.expires < now)

    def _look_up(self, calls: Sequence[Asked]) -> list[Answers]:
        if not self._key:
            self._key = self._shared_key()
        digests = [{card: self._digest(whose, text) for card, text in said.items()} for whose, said, _ in calls]
        wanted = {digest for each in digests for digest in each.values()}
        with self._database.reading() as connection:
            until = _answered(connection, sorted(wanted))
        return [
            {card: (digest, digest in until and until[digest] > now) for card, digest in each.items()}
            for each, (_, _, now) in zip(digests, calls, strict=True)
        ]

    def _digest(self, whose: tuple[str, ...], text: str) -> str:
        message = json.dumps([*whose, text]).encode()
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()

    def _shared_key(self) -> bytes:
        with self._database.writing(BUSY) as connection:
            insert_new(connection, quiet_keys, [{"id": 1, "key": secrets.token_hex(32)}])
            return bytes.fromhex(connection.scalars(select(quiet_keys.c.key)).one())


def _answered(connection: Connection, digests: Sequence[str]) -> dict[str, Any]:
    """The digests of answered cards, each with the latest moment until which it may stay quiet."""
    return {row.digest: row.expires for row in connection.execute(_ANSWERED, {"digests": digests})}


_ANSWERED = (
    select(quiet_cards.c.digest, quiet_cards.c.expires)
    .where(quiet_cards.c.digest.in_(bindparam("digests", expanding=True)), quiet_cards.c.answered)
    .order_by(quiet_cards.c.expires)
)
