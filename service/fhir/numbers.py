"""Numbers of FHIR, exact. A number larger than any dose or time is refused before it costs anything."""

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

MOST_DIGITS = 18
_TOO_LARGE = 10**MOST_DIGITS
_PLAIN = re.compile(rf"-?\d{{1,{MOST_DIGITS}}}(?:\.\d{{1,{MOST_DIGITS}}})?", re.ASCII)
"""A number that was sent in quotation marks."""


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
