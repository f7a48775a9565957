"""Checks the token of a call: a JWT as CDS Hooks has it ("Trusting CDS Clients") and RFC 8725 advises.

A token is taken when a listed client signed it with one of its keys, for this very address, for now, for the first
time. The order of the checks is from cheap to costly: nothing is fetched for an unknown issuer or an address that is
not listed, and only a token that is valid otherwise counts as used.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from joserfc import jws
from joserfc.errors import ClaimError, ExpiredTokenError, JoseError, MissingClaimError
from joserfc.jwt import JWTClaimsRegistry

from service.trust.callers import Caller, Reason, Refused
from service.trust.clients import Client, Clients
from service.trust.keys import PublicKey, algorithms_of
from service.trust.remote import KeysUnavailable
from service.trust.used_tokens import SeenTokens

LONGEST_TOKEN = 8_000
"""Characters; a server does not pass on a longer header anyway."""

LONGEST_LIFETIME = timedelta(hours=1)
"""From ``iat`` to ``exp``. The best practices of CDS Hooks name an hour as the most for well-behaved clients."""

LONGEST_JTI = 256

_LONGEST_PART = 6_000


_PLAIN = re.compile(r"[A-Za-z0-9._~:/=+-]{1,200}")
"""What an issuer, a kid or a jti may look like to be logged: not like a name or a sentence."""

_CLAIM_REASONS = {"aud": Reason.AUDIENCE, "iat": Reason.NOT_YET, "nbf": Reason.NOT_YET}


KeyLookup = Callable[[Client, str, str | None], PublicKey | None]
"""From a client, a ``kid`` and a ``jku`` to the key; raises KeysUnavailable. ``Keyring.key`` is one."""


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """All that is needed to check tokens. ``seen`` is None where tokens may be used again."""

    clients: Clients
    key: KeyLookup
    seen: SeenTokens | None
    now: Callable[[], datetime]
    leeway: int
    algorithms: tuple[str, ...]

    def caller(self, authorization: Sequence[str], audiences: Sequence[str]) -> Caller:
        """Who sent a call with these ``Authorization`` headers to an address that has these URLs.

        Raises Refused.
        """
        token = _bearer(authorization)
        registry = _registry(self.algorithms)
        signed, claims = _opened(token, registry)
        kid, jku = self._header(signed.headers())
        client = self.clients.of_issuer(_text(claims.get("iss")))
        if client is None:
            raise Refused(Reason.ISSUER, issuer=_plain(claims.get("iss")))
        known = {"client": client.name}
        if jku is not None and jku not in client.jku:
            raise Refused(Reason.JKU, **known)
        try:
            key = self.key(client, kid, jku)
        except KeysUnavailable:
            raise Refused(Reason.KEYS_UNAVAILABLE, **known) from None
        if key is None:
            raise Refused(Reason.KEY_UNKNOWN, kid=_plain(kid), **known)
        if signed.headers()["alg"] not in algorithms_of(key):
            raise Refused(Reason.KEY_UNFIT, kid=kid, **known)
        if not _signature_holds(signed, key, registry):
            raise Refused(Reason.SIGNATURE, kid=kid, **known)
        return self._signed(client, claims, audiences)

    def _header(self, header: Any) -> tuple[str, str | None]:
        """The ``kid`` and the ``jku`` of a header that asks for nothing unusual."""
        if header["alg"] not in self.algorithms:
            raise Refused(Reason.ALGORITHM)
        if "crit" in header:
            raise Refused(Reason.CRITICAL)  # an extension that must be understood, and none is (RFC 7515, 4.1.11)
        if _text(header.get("typ")).upper() != "JWT":
            raise Refused(Reason.TYPE)
        kid = _text(header.get("kid"))
        if not kid:
            raise Refused(Reason.NO_KID)
        return kid, header.get("jku")

    def _signed(self, client: Client, claims: dict[str, Any], audiences: Sequence[str]) -> Caller:
        """Who calls, from claims that the client has signed. Raises Refused."""
        known = {"client": client.name}
        try:
            _registry_of_claims(audiences, int(self.now().timestamp()), self.leeway).validate(claims)
        except ExpiredTokenError:
            raise Refused(Reason.EXPIRED, **known) from None
        except MissingClaimError as missing:
            raise Refused(Reason.CLAIM, claim=missing.claim, **known) from None
        except ClaimError as wrong:
            reason = _CLAIM_REASONS.get(wrong.claim, Reason.CLAIM)
            raise Refused(reason, claim=wrong.claim, **known) from None
        if claims["exp"] - claims["iat"] > LONGEST_LIFETIME.total_seconds():
            raise Refused(Reason.LIFETIME, **known)
        jti: str = claims["jti"]
        known["jti"] = _plain(jti)
        if len(jti) > LONGEST_JTI or not jti.isprintable():
            raise Refused(Reason.CLAIM, claim="jti", **known)
        tenant = _text(claims.get("tenant")) if client.tenants else ""
        if client.tenants and tenant not in client.tenants:
            raise Refused(Reason.TENANT, **known)
        # Remembered for as long as it could be used again.
        expires = datetime.fromtimestamp(claims["exp"], UTC) + timedelta(seconds=self.leeway)
        if self.seen is not None and not self.seen.first_use(client.issuer, jti, expires):
            raise Refused(Reason.REPLAYED, **known)
        return Caller(client, tenant)


def _bearer(authorization: Sequence[str]) -> str:
    """The token of exactly one header ``Authorization: Bearer …`` (RFC 6750; the scheme in any case)."""
    if not authorization:
        raise Refused(Reason.MISSING)
    scheme, _, token = authorization[0].partition(" ")
    # A server joins headers that were sent twice with a comma, which no token holds.
    if len(authorization) > 1 or "," in token or scheme.lower() != "bearer":
        raise Refused(Reason.NOT_BEARER)
    if len(token) > LONGEST_TOKEN:
        raise Refused(Reason.TOO_LONG)
    return token.strip(" ")


def _registry(algorithms: Sequence[str]) -> jws.JWSRegistry:
    """What may be in a header: more than the library knows, since others may appear (C-133), but not too much."""
    registry = jws.JWSRegistry(algorithms=algorithms, strict_check_header=False)
    registry.max_header_length = registry.max_payload_length = registry.max_signature_length = _LONGEST_PART
    return registry


def _registry_of_claims(audiences: Sequence[str], now: int, leeway: int) -> JWTClaimsRegistry:
    return JWTClaimsRegistry(
        now=now,
        leeway=leeway,
        iss={"essential": True},
        aud={"essential": True, "values": list(audiences)},
        exp={"essential": True},
        iat={"essential": True},
        jti={"essential": True},
    )


def _opened(token: str, registry: jws.JWSRegistry) -> tuple[jws.CompactSignature, dict[str, Any]]:
    """The parts of a token, nothing of them checked yet."""
    try:
        signed = jws.extract_compact(token.encode("ascii"), registry=registry)
        claims = msgspec.json.decode(signed.payload, type=dict[str, Any])
    except (JoseError, ValueError, RecursionError, msgspec.MsgspecError):
        raise Refused(Reason.MALFORMED) from None
    header: object = signed.headers()
    if not isinstance(header, dict) or not isinstance(header.get("jku", ""), str):
        raise Refused(Reason.MALFORMED)
    return signed, claims


def _signature_holds(signed: jws.CompactSignature, key: PublicKey, registry: jws.JWSRegistry) -> bool:
    try:
        return jws.validate_compact(signed, key, registry=registry)
    except (JoseError, ValueError):
        return False


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _plain(value: object) -> str:
    text = _text(value)
    return text if _PLAIN.fullmatch(text) else "(not shown)"
