"""FHIR dates are spans of days, as wide as what they leave out."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.dates import Span, event, later, span


def whole_day(year: int, month: int, day: int) -> Span:
    return Span(date(year, month, day), date(year, month, day))


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("1961", date(1961, 1, 1), date(1961, 12, 31)),
        ("1961-01", date(1961, 1, 1), date(1961, 1, 31)),
        ("1961-04", date(1961, 4, 1), date(1961, 4, 30)),
        ("1961-12", date(1961, 12, 1), date(1961, 12, 31)),
        ("1961-02", date(1961, 2, 1), date(1961, 2, 28)),
        ("1960-02", date(1960, 2, 1), date(1960, 2, 29)),
        ("1900-02", date(1900, 2, 1), date(1900, 2, 28)),
        ("2000-02", date(2000, 2, 1), date(2000, 2, 29)),
        ("0001", date(1, 1, 1), date(1, 12, 31)),
        ("9999-12", date(9999, 12, 1), date(9999, 12, 31)),
    ],
)
def test_a_year_or_a_month_means_all_its_days(text: str, earliest: date, latest: date) -> None:
    assert span(text) == Span(earliest, latest)


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-29",
        "2024-02-29T23:59:59Z",
        "2024-02-29T00:00:00+02:00",
        "2024-02-29T12:30:00.123-05:00",
        "2024-02-29T12:30",
    ],
)
def test_a_date_with_or_without_a_time_is_that_day_where_it_was_written(text: str) -> None:
    assert span(text) == whole_day(2024, 2, 29)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "Invalid date",
        "61",
        "19610",
        "1961-1",
        "1961-13",
        "1961-00",
        "1961-02-29",
        "1961-04-31",
        "1961-04-00",
        "1961-4-1",
        "1961/04/01",
        "01.04.1961",
        "19610401",
        "1961-04-01T",
        "1961-04-01 10:00",
        "1961-04T10:00",
        " 1961",
        "1961\n",
        "0000",
        "-1961",
        "1961-04-01\n",
    ],
)
def test_what_is_no_date_has_no_span(text: str) -> None:
    assert span(text) is None


@given(day=st.dates())
def test_every_day_means_itself_and_lies_within_its_month_and_year(day: date) -> None:
    text = day.isoformat()
    assert span(text) == Span(day, day)
    for partial in (text[:7], text[:4]):
        wide = span(partial)
        assert wide is not None
        assert wide.earliest <= day <= wide.latest


@given(text=st.one_of(st.text(max_size=12), st.from_regex(r"\d{4}-\d{2}-\d{2}(T.{0,5})?", fullmatch=True)))
def test_no_text_ever_raises_and_no_span_ends_before_it_starts(text: str) -> None:
    found = span(text)
    assert found is None or found.earliest <= found.latest


@given(st.dates(), st.integers(-(10**12), 10**12))
def test_a_day_beyond_all_days_is_the_last_there_is(day: date, days: int) -> None:
    found = later(day, days)
    assert (found - day).days == days or found in (date.min, date.max)


@pytest.mark.parametrize(
    ("text", "known"), [("0001-01-01", False), ("1899-12-31", False), ("1900", True), ("x", False)]
)
def test_the_date_of_an_event_may_stand_for_not_known(text: str, known: bool) -> None:
    assert (event(text) is not None) is known
