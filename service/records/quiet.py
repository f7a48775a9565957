"""Which cards a clinician has answered for a patient: keyed digests that expire, never an identifier."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select

from service.records import DatabaseUnavailable
from service.records.batching import QueryBatcher
from service.records.database import Database
from service.records.opening import BUSY
from service.records.store import insert_new
from service.records.tables import quiet_keys

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

    def _look_up(self, calls: Sequence[Asked]) -> list[Answers]:
        if not self._key:
            self._key = self._shared_key()
        if not calls:  # the batcher asks whether the database answers again
            self._database.rows(dict.fromkeys(_ANSWERED, "SELECT 1"))
            return []
        digests = [{card: self._digest(whose, text) for card, text in said.items()} for whose, said, _ in calls]
        wanted, latest = [digest for each in digests for digest in each.values()], max(now for *_, now in calls)
        answered = {digest for (digest,) in self._database.rows(_ANSWERED, wanted, latest)}
        return [{card: (digest, digest in answered) for card, digest in each.items()} for each in digests]

    def _digest(self, whose: tuple[str, ...], text: str) -> str:
        message = json.dumps([*whose, text]).encode()
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()

    def _shared_key(self) -> bytes:
        with self._database.writing(BUSY) as connection:
            insert_new(connection, quiet_keys, [{"id": 1, "key": secrets.token_hex(32)}])
            return bytes.fromhex(connection.scalars(select(quiet_keys.c.key)).one())


_ANSWERED = {
    "postgresql": "SELECT digest FROM quiet_card WHERE answered AND digest = ANY(%s) AND expires > %s",
    "sqlite": (
        "SELECT digest FROM quiet_card WHERE answered = 1 AND digest IN (SELECT value FROM json_each(?)) AND"
        " expires > ?"
    ),
}
"""The digests of cards that were answered and may stay quiet still. SQLite uses its index for these very words only."""
