"""A rate comes with the interval in which the true one lies, and a trend is only called one when they part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.records.report import Rate, trend


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),  # Newcombe (1998), table I, method 3, gives the first figures of several of these
        (1, 29, 0.0061, 0.1718),
        (15, 148, 0.0624, 0.1605),
        (81, 263, 0.2553, 0.3662),
        (10, 10, 0.7225, 1.0),
    ],
)
def test_the_interval_is_the_one_of_wilson(part: int, whole: int, low: float, high: float) -> None:
    assert Rate(part, whole).interval == pytest.approx((low, high), abs=0.0001)


def test_without_cases_there_is_neither_share_nor_interval() -> None:
    assert (Rate(0, 0).share, Rate(0, 0).interval) == (None, None)


@given(whole=st.integers(1, 10_000), data=st.data())
def test_the_share_lies_in_its_interval_and_more_cases_make_it_narrower(whole: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, whole))
    few, many = Rate(part, whole), Rate(part * 4, whole * 4)
    assert few.interval is not None
    assert many.interval is not None
    assert few.share is not None
    assert 0 <= few.interval[0] <= few.share <= few.interval[1] <= 1
    assert many.interval[1] - many.interval[0] < few.interval[1] - few.interval[0]


@pytest.mark.parametrize(
    ("before", "recent", "expected"),
    [
        (Rate(10, 100), Rate(40, 100), "rising"),
        (Rate(40, 100), Rate(10, 100), "falling"),
        (Rate(1, 4), Rate(2, 4), "no clear change"),
        (Rate(0, 0), Rate(2, 4), ""),
        (Rate(2, 4), Rate(0, 0), ""),
    ],
)
def test_a_trend_needs_intervals_that_do_not_overlap(before: Rate, recent: Rate, expected: str) -> None:
    assert trend(before, recent) == expected
