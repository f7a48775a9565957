"""Which tokens were used: a token is valid once across all processes and machines."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from service.records.batching import QueryBatcher
from service.records.database import Database
from service.records.opening import CONNECT


class SeenTokens:
    """The tokens that were used and could be used again. Tokens that come together are written together."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = QueryBatcher("used tokens", self._first_uses, late="again", first=CONNECT)

    def first_use(self, issuer: str, jti: str, expires: datetime) -> bool:
        """True for the first caller with this issuer and jti, False for every other one, on any machine.

        ``expires`` is the moment from which the token is refused anyhow, leeway included. Raises
        DatabaseUnavailable; then nobody knows whether the token was used, but it is noted when that is possible.
        """
        return self._queries.ask((digest(issuer, jti), expires))

    def _first_uses(self, uses: Sequence[tuple[str, datetime]]) -> list[bool]:
        # In the order of their digests, so that two machines with the same tokens do not wait for each other.
        rows = sorted(dict(uses).items())
        digests, expiries = [used for used, _ in rows], [expires for _, expires in rows]
        new = {used for (used,) in self._database.rows(_INSERT, digests, expiries, writes=True)}
        first = []
        for used, _ in uses:
            first.append(used in new)
            new.discard(used)
        return first


_INSERT = {
    "postgresql": (
        "INSERT INTO seen_token (digest, expires) SELECT * FROM unnest(%s::text[], %s::timestamptz[])"
        " ON CONFLICT DO NOTHING RETURNING digest"
    ),
    "sqlite": (
        "INSERT INTO seen_token (digest, expires) SELECT d.value, e.value FROM json_each(?) AS d"
        " JOIN json_each(?) AS e ON e.key = d.key WHERE true ON CONFLICT DO NOTHING RETURNING digest"
    ),
}


def digest(issuer: str, jti: str) -> str:
    """One value for a pair; the length keeps two pairs apart that read the same one after the other."""
    return hashlib.sha256(f"{len(issuer)}:{issuer}{jti}".encode("utf-8", "surrogatepass")).hexdigest()
