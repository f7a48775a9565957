"""Key sets (JWK Set, RFC 7517): which keys may check the signature of a token, and why the others may not.

A key is used only when it is public, asymmetric and strong enough. All other keys are skipped and
named, so that ``tolami clients check`` can say why a token of that key is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import base64_to_int

PublicKey = ECKey | RSAKey

CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
"""The curves that are used, each with the one algorithm that belongs to it (RFC 7518, 3.4)."""

RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")

ALGORITHMS = (*CURVES.values(), *RSA_ALGORITHMS)
"""All signature algorithms that can be allowed. There is no ``none`` and no HMAC among them, on purpose."""

RSA_BITS = range(2048, 8192 + 1)
"""Sizes of RSA keys that are used: NIST SP 800-131A asks for 2048; a key of any size costs time to check."""

MOST_KEYS = 100
LONGEST_KID = 256

_PARTS = {"EC": ("crv", "x", "y"), "RSA": ("n", "e")}
_SHARED = ("kid", "use", "alg", "key_ops")
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

_PUBLISHED = {
    "-UtOymI2Z0XB5SZogEZu3s5oMyQ4YaewHtR9huroTQs": "the example of the CDS Hooks specification",
    "s9fOe-KDYD1myZ8YCzleUqJQgrYZL49kVijBxhnZvZc": "the key of the CDS Hooks Sandbox",
}
"""Keys whose private part anybody can read, by thumbprint (RFC 7638): a token that they signed proves nothing.

The first is printed in the section "Trusting CDS Clients" of every release; the second is in the repository
cds-hooks/sandbox, folder ``keys``.
"""

_EXAMPLE_KID = "example-kid"


class NotAKeySet(Exception):
    """No key can be read; the message says why, without repeating what was read."""


class _Unusable(Exception):
    """One key of a set may not be used."""


@dataclass(frozen=True, slots=True)
class KeySet:
    """The usable keys of a set by ``kid``, and a sentence about each that is passed over."""

    keys: Mapping[str, PublicKey]
    passed_over: tuple[str, ...] = ()


class _JwkSet(msgspec.Struct):
    keys: list[dict[str, Any]]


def read_key_set(content: bytes) -> KeySet:
    """The keys of a JWK Set. Raises NotAKeySet when it is none, or holds more than ``MOST_KEYS``."""
    try:
        entries = msgspec.json.decode(content, type=_JwkSet).keys
    except (msgspec.MsgspecError, RecursionError):
        raise NotAKeySet('is not a JWK Set: expected a JSON object with a list "keys"') from None
    if len(entries) > MOST_KEYS:
        raise NotAKeySet(f"holds {len(entries)} keys; at most {MOST_KEYS} are read")
    found: list[PublicKey] = []
    passed_over = []
    for number, entry in enumerate(entries, 1):
        try:
            found.append(_public_key(entry))
        except _Unusable as reason:
            passed_over.append(f"key {number}{_called(entry)}: {reason}")
    kids = [str(key.kid) for key in found]
    twice = {kid for kid in kids if kids.count(kid) > 1}
    passed_over += [f"kid {kid}: several keys have it, so it names none of them" for kid in sorted(twice)]
    return KeySet({str(key.kid): key for key in found if key.kid not in twice}, tuple(passed_over))


def algorithms_of(key: PublicKey) -> tuple[str, ...]:
    """The signature algorithms that a key may be used with: its ``alg``, else those of its type."""
    if key.alg:
        return (key.alg,)
    return (CURVES[key.curve_name],) if isinstance(key, ECKey) else RSA_ALGORITHMS


def described(key: PublicKey) -> str:
    """Type and size in words, such as "EC P-384" or "RSA 2048 bits"."""
    return f"EC {key.curve_name}" if isinstance(key, ECKey) else f"RSA {key.public_key.key_size} bits"


def _public_key(entry: dict[str, Any]) -> PublicKey:
    """One key of a set. Raises _Unusable with the reason."""
    kind = entry.get("kty")
    if not isinstance(kind, str) or kind not in _PARTS:
        raise _Unusable("only keys of the types EC and RSA are used")
    _check_purpose(entry)
    if _PRIVATE & entry.keys():
        raise _Unusable("it comes with its private part, so whoever reads the set can sign with it. Make a new key")
    public = {name: entry[name] for name in ("kty", *_SHARED, *_PARTS[kind]) if name in entry}
    try:
        key = _elliptic(public) if kind == "EC" else _rsa(public)
    except (JoseError, ValueError):
        raise _Unusable(f"its members are not those of an {kind} key") from None
    published = _PUBLISHED.get(key.thumbprint())
    if published:
        raise _Unusable(f"it is {published}, whose private part is public")
    if entry["kid"] == _EXAMPLE_KID:
        raise _Unusable("its kid is that of the example in the CDS Hooks specification. Choose one of your own")
    return key


def _check_purpose(entry: dict[str, Any]) -> None:
    kid = entry.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= LONGEST_KID or not kid.isprintable():
        raise _Unusable("it has no kid by which a token could name it")
    if entry.get("use", "sig") != "sig":
        raise _Unusable('it is not for signatures (its "use" is not sig)')
    operations = entry.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise _Unusable('it is not for checking signatures ("key_ops" lacks verify)')
    if entry.get("alg") is not None and entry["alg"] not in ALGORITHMS:
        raise _Unusable(f"its algorithm is not one of {', '.join(ALGORITHMS)}")


def _elliptic(public: dict[str, Any]) -> ECKey:
    curve = public.get("crv")
    if not isinstance(curve, str) or curve not in CURVES:
        raise _Unusable(f"its curve is not one of {', '.join(CURVES)}")
    if public.get("alg", CURVES[curve]) != CURVES[curve]:
        raise _Unusable(f"its algorithm does not fit its curve {curve}")
    return ECKey.import_key(public)


def _rsa(public: dict[str, Any]) -> RSAKey:
    # Looked at before the key is made: the library makes keys of any size and only warns of small ones.
    modulus = str(public.get("n", ""))
    bits = base64_to_int(modulus).bit_length() if 0 < len(modulus) <= RSA_BITS.stop else 0
    if bits not in RSA_BITS:
        raise _Unusable(f"an RSA key must have {RSA_BITS.start} to {RSA_BITS.stop - 1} bits")
    if public.get("alg", RSA_ALGORITHMS[0]) not in RSA_ALGORITHMS:
        raise _Unusable("its algorithm does not fit an RSA key")
    return RSAKey.import_key(public)


def _called(entry: dict[str, Any]) -> str:
    kid = entry.get("kid")
    return f" ({kid})" if isinstance(kid, str) and kid.isprintable() and len(kid) <= LONGEST_KID else ""
