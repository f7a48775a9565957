"""JSON in and out: numbers kept exact, hostile input refused quietly."""

import re
from decimal import Decimal
from typing import Any

import msgspec


def exact_decoder(type_: Any = Any) -> msgspec.json.Decoder[Any]:
    """A decoder that keeps numbers as they were written."""
    return msgspec.json.Decoder(type_, float_hook=Decimal)


_decoder = exact_decoder()
_encoder = msgspec.json.Encoder(decimal_format="number")


def decode(raw: msgspec.Raw | bytes) -> Any:
    """The JSON value of these bytes; None when they are not JSON, nested too deeply, or hold too large a number."""
    try:
        return _decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError, ValueError, ArithmeticError):
        return None


def is_null(raw: msgspec.Raw | bytes) -> bool:
    """True when these bytes are JSON's null, which ``decode`` gives as None like what it cannot read."""
    # A list is not copied to be looked at.
    return memoryview(raw)[:1].tobytes() != b"{" and bytes(raw).strip() == b"null"


_ESCAPE = re.compile(rb"\\(?:ud[89ab]..\\ud[c-f]..|u(d[89a-f]..)|.)", re.IGNORECASE | re.DOTALL)
"""One escape in JSON, both halves of a character together; a half alone is the group."""


def without_lone_surrogates(raw: bytes) -> bytes:
    """JSON with the replacement character for half a character, which texts have that were cut within an emoji."""
    return _ESCAPE.sub(lambda escape: rb"\ufffd" if escape[1] else escape[0], raw)


def encode(value: Any) -> bytes:
    """The value as JSON, numbers written as they were read."""
    return _encoder.encode(value)
