"""Numbers become exact fractions, and one beyond any dose is refused before it costs anything."""

import time
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fhir.resources import MOST_DIGITS, exact
from service.jsonio import decode


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("25", Fraction(25)),
        ("12.5", Fraction(25, 2)),
        ("1.50", Fraction(3, 2)),
        ("0.1", Fraction(1, 10)),
        ("-2.5", Fraction(-5, 2)),
        ("0", Fraction(0)),
        ("-0.0", Fraction(0)),
        ("2.5e2", Fraction(250)),
        ("999999999999999999", Fraction(10**18 - 1)),
    ],
)
def test_a_number_is_exactly_what_was_written(written: str, value: Fraction) -> None:
    assert exact(decode(written.encode())) == value
    if "e" not in written:
        assert exact(written) == value  # in quotation marks


@pytest.mark.parametrize(
    "written", ["1e400000", "1e-400000", "1e19", "1e-19", "9" * 19, "-" + "9" * 19, "0." + "1" * 19, "1" * 4000]
)
def test_a_number_of_unreasonable_size_is_refused_at_once(written: str) -> None:
    number = decode(written.encode())
    assert number is not None
    started = time.process_time()
    assert exact(number) is None
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        "25 mg",
        "1,000",
        "1e5",
        "",
        "9" * 19,
        [25],
        {"value": 25},
        25.0,
        Decimal("NaN"),
        Decimal("Infinity"),
    ],
)
def test_what_is_no_finite_number_is_none(value: Any) -> None:
    assert exact(value) is None


@given(value=st.integers(-(10**MOST_DIGITS) + 1, 10**MOST_DIGITS - 1))
def test_every_integer_of_reasonable_size_is_itself(value: int) -> None:
    assert exact(value) == value


@given(value=st.integers())
def test_an_integer_is_itself_or_too_large(value: int) -> None:
    found = exact(value)
    assert found == value if abs(value) < 10**MOST_DIGITS else found is None


@given(value=st.decimals(allow_nan=True, allow_infinity=True))
def test_a_decimal_is_itself_or_refused_and_never_raises(value: Decimal) -> None:
    found = exact(value)
    assert found is None or found == Fraction(value)


@given(whole=st.integers(0, 10_000), places=st.integers(0, 5), part=st.integers(0, 99_999))
def test_an_ordinary_dose_is_never_refused(whole: int, places: int, part: int) -> None:
    text = f"{whole}.{part:05}"[: len(str(whole)) + 1 + places].rstrip(".")
    assert exact(Decimal(text)) == Fraction(text)
