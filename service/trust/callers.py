"""Who calls, or why the call is refused; also where tokens are ignored."""

from dataclasses import dataclass
from enum import StrEnum

from service.trust.clients import Client


class Reason(StrEnum):
    """Why a token was refused: for the log and the metrics, never for the caller."""

    MISSING = "missing"
    NOT_BEARER = "not-bearer"
    TOO_LONG = "too-long"
    MALFORMED = "malformed"
    ALGORITHM = "algorithm"
    TYPE = "type"
    CRITICAL = "critical"
    NO_KID = "no-kid"
    ISSUER = "issuer"
    JKU = "jku"
    KEYS_UNAVAILABLE = "keys-unavailable"
    KEY_UNKNOWN = "key-unknown"
    KEY_UNFIT = "key-unfit"
    SIGNATURE = "signature"
    CLAIM = "claim"
    AUDIENCE = "audience"
    EXPIRED = "expired"
    NOT_YET = "not-yet"
    LIFETIME = "lifetime"
    TENANT = "tenant"
    REPLAYED = "replayed"


class Refused(Exception):
    """A token is refused. ``facts`` may be logged: listed names, and an issuer, kid or jti of plain form."""

    def __init__(self, reason: Reason, **facts: str) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. ``tenant`` is empty where the trust file lists none for the client."""

    client: Client
    tenant: str = ""
