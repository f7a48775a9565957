"""Raw JSON into plain resources and values of one form: lists, texts, and numbers, which are exact."""

import re
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec

from service.jsonio import decode

Resource = dict[str, Any]
"""A FHIR resource as the client sent it. Decimals stay ``Decimal``, so that "1.50" goes back as "1.50"."""


MOST_DIGITS = 18
_TOO_LARGE = 10**MOST_DIGITS
_PLAIN = re.compile(rf"-?\d{{1,{MOST_DIGITS}}}(?:\.\d{{1,{MOST_DIGITS}}})?", re.ASCII)
"""A number that was sent in quotation marks."""


def resource(raw: msgspec.Raw | bytes) -> Resource | None:
    """The resource in these bytes, None when there is none (an object with a string ``resourceType``)."""
    return as_resource(decode(raw))


def as_resource(value: Any) -> Resource | None:
    """The value if it is a resource, else None."""
    if isinstance(value, dict) and isinstance(value.get("resourceType"), str):
        return value
    return None


def entries(bundle: Resource) -> Iterator[Resource]:
    """The resources of a bundle. Entries that are the resource itself, as some clients send, count too."""
    for entry in aslist(bundle.get("entry")):
        if isinstance(entry, dict):
            found = as_resource(entry.get("resource")) or as_resource(entry)
            if found is not None:
                yield found


def reference(res: Resource) -> str:
    """ "Type/id" of a resource, empty when it has no id, or one longer than any server gives."""
    identity = res.get("id")
    return f"{res['resourceType']}/{identity}" if isinstance(identity, str) and 0 < len(identity) <= 255 else ""


def relative(pointer: str) -> str:
    """ "Type/id" at the end of a reference, whatever server and whichever version of the resource it names."""
    return "/".join(pointer.strip().split("/_history")[0].rstrip("/").split("/")[-2:])


def aslist(value: Any) -> list[Any]:
    """The value as a list: real clients send one object where FHIR has an array."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def one(value: Any) -> Any:
    """A single value where the client sent it as a list of one; several are passed on as they are."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def only(value: Resource, keys: tuple[str, ...]) -> Resource:
    """Those of the named members that the object has."""
    return {key: one(value[key]) for key in keys if value.get(key) is not None}


def present(**members: Any) -> Resource:
    """An object with the members that are not None."""
    return {key: value for key, value in members.items() if value is not None}


def copied(value: Any) -> Any:
    """A deep copy of JSON, to be changed without touching what the client sent."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copied(item) for item in value]
    return value


def text(value: Any) -> str:
    """The value if it is a string, else empty."""
    return value if isinstance(value, str) else ""


def exact(value: Any) -> Fraction | None:
    """The value as a fraction, also one in quotation marks; None when it is not a finite number, or is too large.

    ``1e400000`` is legal JSON and would burn seconds in arithmetic; nothing ordered has 18 digits.
    """
    if isinstance(value, str) and _PLAIN.fullmatch(value.strip()) is not None:
        value = Decimal(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    if isinstance(value, int):
        return Fraction(value) if abs(value) < _TOO_LARGE else None
    if not value.is_finite():
        return None
    _, digits, exponent = value.as_tuple()
    if len(digits) > MOST_DIGITS or not isinstance(exponent, int) or abs(exponent) > MOST_DIGITS:
        return None
    return Fraction(value)
