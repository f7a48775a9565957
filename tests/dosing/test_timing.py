"""How often a dose is taken is told exactly, in words a reader can follow, or not at all (Q1, Q2)."""

from fractions import Fraction

import pytest

from service.dosing.amount import NotComputed
from service.dosing.dosage import Timing
from service.dosing.timing import ONCE_A_DAY_EVENTS, PER_DAY_OF_CODE, Rate, in_words, rate
from service.dosing.units import DAYS_PER_UNIT, period_unit

ONE, TWO, THREE = Fraction(1), Fraction(2), Fraction(3)


def every(period: int | str, unit: str, times: int = 1) -> Timing:
    """So many times in a period."""
    return Timing(frequency=Fraction(times), period=Fraction(period), unit=unit)


def known(timing: Timing) -> Rate:
    """The rate of a timing that has one."""
    found = rate(timing)
    assert isinstance(found, Rate)
    return found


def unknown(timing: Timing | None) -> tuple[str, str, str]:
    """Why a timing has no rate: reason, element and what stood there."""
    found = rate(timing)
    assert isinstance(found, NotComputed)
    return found.reason, found.element, found.found


def test_a_month_is_a_twelfth_of_the_year_and_both_are_those_of_the_rules() -> None:
    assert DAYS_PER_UNIT["a"] == Fraction(36525, 100) == 12 * DAYS_PER_UNIT["mo"]
    assert [DAYS_PER_UNIT[unit] * count for unit, count in (("s", 86400), ("min", 1440), ("h", 24))] == [1, 1, 1]
    assert DAYS_PER_UNIT["wk"] == 7 * DAYS_PER_UNIT["d"]


@pytest.mark.parametrize(
    ("timing", "low", "high", "on_a_day"),
    [
        (every(1, "d"), "1", "1", "1"),
        (every(8, "h"), "3", "3", "3"),
        (every(7, "h"), "24/7", "24/7", "4"),
        (every(36, "h"), "2/3", "2/3", "1"),
        (every(90, "min"), "16", "16", "16"),
        (every(1, "wk", 3), "3/7", "3/7", "1"),
        (every(1, "wk", 10), "10/7", "10/7", "2"),
        (every(1, "mo", 60), "960/487", "960/487", "2"),
        (every(1, "a"), "4/1461", "4/1461", "1"),
        (Timing(frequency=ONE, frequency_max=THREE, period=ONE, unit="d"), "1", "3", "3"),
        (Timing(frequency=ONE, period=Fraction(4), period_max=Fraction(6), unit="h"), "4", "6", "6"),
        (Timing(frequency=ONE, period=ONE, period_max=TWO, unit="wk"), "1/14", "1/7", "1"),
        (every(1, "h"), "24", "24", "24"),
        (Timing(days_of_week=("mon", "wed", "fri")), "3/7", "3/7", "1"),
        (Timing(days_of_week=("mon",), times_of_day=("08", "20")), "2/7", "2/7", "2"),
        (Timing(times_of_day=("08", "12", "16", "20")), "4", "4", "4"),
        (Timing(when=("MORN", "NOON", "EVE")), "3", "3", "3"),
        (Timing(when=("HS", "HS")), "1", "1", "1"),
        (Timing(when=("MORN", "EVE"), days_of_week=("sat", "sun")), "4/7", "4/7", "2"),
        (Timing(period=TWO, unit="d", times_of_day=("08", "20")), "1", "1", "2"),
        (Timing(period=ONE, unit="wk", days_of_week=("mon", "tue"), when=("MORN", "EVE")), "4/7", "4/7", "2"),
        (Timing(period=Fraction(8), unit="h", times_of_day=("08", "14", "20")), "3", "3", "3"),
        (Timing(count=ONE), "1", "1", "1"),
        (Timing(frequency=THREE, period=ONE, unit="d", count=TWO), "2", "2", "2"),
        (Timing(frequency=ONE, period=ONE, unit="wk", count=ONE), "1/7", "1/7", "1"),
    ],
)
def test_doses_a_day_are_exact_and_a_dosing_day_holds_whole_doses(
    timing: Timing, low: str, high: str, on_a_day: str
) -> None:
    found = known(timing)
    assert (found.low, found.high, found.on_dosing_day) == (Fraction(low), Fraction(high), Fraction(on_a_day))


def test_seven_days_and_24_hours_are_a_week_and_a_day() -> None:
    on_mondays = Timing(frequency=ONE, period=Fraction(7), unit="d", days_of_week=("Mon",))
    assert known(on_mondays).high == known(every(1, "wk")).high
    assert known(Timing(frequency=TWO, period=Fraction(24), unit="h", when=("MORN", "HS"))) == known(
        Timing(frequency=TWO, period=ONE, unit="d", when=("MORN", "HS"))
    )


@pytest.mark.parametrize(
    ("timing", "words"),
    [
        (every(1, "d"), "1 a day"),
        (every(8, "h"), "3 a day"),
        (every(1, "wk", 3), "3 a week"),
        (every(1, "mo"), "1 a month"),
        (every(2, "d"), "1 every 2 days"),
        (every(7, "h"), "24 a week"),
        (every(5, "h"), "4.8 a day"),
        (Timing(frequency=ONE, frequency_max=THREE, period=ONE, unit="d"), "1 to 3 a day"),
        (Timing(count=ONE), "once only"),
        (Timing(frequency=THREE, period=ONE, unit="d", count=TWO), "2 in all"),
        (Timing(codes=("QOD",)), "1 every 2 days"),
    ],
)
def test_a_rate_is_said_as_a_person_says_it(timing: Timing, words: str) -> None:
    assert known(timing).words == words


@pytest.mark.parametrize(
    ("timing", "daily"),
    [
        (every(1, "d"), True),
        (every(8, "h"), True),
        (every(7, "h"), True),
        (every(24, "h"), True),
        (every(1, "wk", 7), True),
        (Timing(when=("HS",)), True),
        (Timing(codes=("BID",)), True),
        (Timing(days_of_week=("mon", "tue", "wed", "thu", "fri", "sat", "sun")), True),
        (Timing(frequency=THREE, period=ONE, unit="d", count=Fraction(21)), True),
        (every(2, "d"), False),
        (every(1, "wk"), False),
        (every(4, "wk"), False),
        (every(1, "mo"), False),
        (every(48, "h"), False),
        (Timing(codes=("QOD",)), False),
        (Timing(count=ONE), False),
        (Timing(frequency=THREE, period=ONE, unit="d", count=TWO), False),
        (Timing(frequency=THREE, period=ONE, unit="d", count=THREE), False),
        (Timing(days_of_week=("mon", "wed"), when=("MORN", "NOON", "EVE", "NIGHT")), False),
        (Timing(frequency=THREE, period=ONE, unit="d", days_of_week=("mon",)), False),
    ],
)
def test_what_is_not_taken_every_day_is_told(timing: Timing, daily: bool) -> None:
    assert known(timing).daily is daily


def test_a_range_of_rates_is_said_in_days() -> None:
    assert in_words(Fraction(1, 7), ONE) == "about 0.143 to 1 a day"


@pytest.mark.parametrize("code", sorted(PER_DAY_OF_CODE))
def test_a_timing_code_is_read_in_any_case_and_with_dots(code: str) -> None:
    per_day = PER_DAY_OF_CODE[code]
    for written in (code, code.lower(), ".".join(code) + "."):
        assert known(Timing(codes=(written,))).high == per_day


@pytest.mark.parametrize(
    "timing",
    [
        Timing(when=("HS",)),
        Timing(when=("NIGHT", "HS")),
        Timing(codes=("BED",)),
        Timing(codes=("bedtime", "at bedtime")),
        Timing(codes=("BED",), frequency=ONE, period=ONE, unit="d"),
        Timing(frequency=ONE, period=ONE, unit="d", when=("HS",)),
        Timing(frequency=ONE, period=TWO, unit="d", when=("HS",)),
    ],
)
def test_bedtime_is_told_however_it_is_said(timing: Timing) -> None:
    assert known(timing).bedtime


@pytest.mark.parametrize("timing", [Timing(when=("MORN", "HS")), Timing(when=("PHS",)), every(1, "d")])
def test_bedtime_is_not_told_of_other_times(timing: Timing) -> None:
    assert not known(timing).bedtime


@pytest.mark.parametrize(
    ("timing", "reason", "element", "found"),
    [
        (None, "frequency-missing", "timing", ""),
        (Timing(), "frequency-missing", "timing.repeat", ""),
        (Timing(frequency=THREE), "frequency-missing", "timing.repeat.period", ""),
        (every(0, "d"), "frequency-missing", "timing.repeat.period", ""),
        (every(-1, "d"), "frequency-missing", "timing.repeat.period", ""),
        (every(1, "fortnight"), "frequency-unknown", "timing.repeat.periodUnit", "fortnight"),
        (every(1, "d", 0), "frequency-unknown", "timing.repeat.frequency", "0"),
        (every(1, "d", -2), "frequency-unknown", "timing.repeat.frequency", "-2"),
        (Timing(count=TWO), "frequency-missing", "timing.repeat.frequency", ""),
        (every(1, "s"), "frequency-implausible", "timing", "86400 a day"),
        (every(1, "h", 8), "frequency-implausible", "timing", "192 a day"),
        (every(1, "d", 25), "frequency-implausible", "timing", "25 a day"),
        (Timing(when=("MORN", "PC", "C")), "frequency-unknown", "timing.repeat.when", "PC, C"),
        (Timing(events=2), "frequency-unknown", "timing.event", "2 dates"),
        (Timing(codes=("as directed",)), "frequency-unknown", "timing.code", "as directed"),
        (Timing(codes=("BID", "TID")), "frequency-conflict", "timing.code", "2 a day / 3 a day"),
        (Timing(codes=("BID",), when=("HS",)), "frequency-conflict", "timing", "2 a day / 1 a day"),
        (
            Timing(frequency=ONE, period=ONE, unit="d", times_of_day=("08", "20")),
            "frequency-conflict",
            "timing.repeat.timeOfDay",
            "1 / 2 a day",
        ),
        (
            Timing(frequency=ONE, period=Fraction(12), unit="h", times_of_day=("08", "14", "20")),
            "frequency-conflict",
            "timing.repeat.timeOfDay",
            "1 / 3 a day",
        ),
        (
            Timing(frequency=ONE, period=ONE, unit="wk", days_of_week=("mon", "thu")),
            "frequency-conflict",
            "timing.repeat.dayOfWeek",
            "1 / 2 a week",
        ),
        (
            Timing(frequency=TWO, period=ONE, unit="wk", days_of_week=("mon", "thu"), when=("MORN", "EVE")),
            "frequency-conflict",
            "timing.repeat.when",
            "2 / 2 a day",
        ),
        (
            Timing(frequency=ONE, period=Fraction(12), unit="h", days_of_week=("mon",)),
            "frequency-unknown",
            "timing.repeat.dayOfWeek",
            "mon",
        ),
        (
            Timing(frequency=ONE, period=Fraction(6), period_max=Fraction(4), unit="h"),
            "frequency-unknown",
            "timing.repeat.periodMax",
            "6 to 4",
        ),
        (
            Timing(frequency=THREE, frequency_max=TWO, period=ONE, unit="d"),
            "frequency-unknown",
            "timing.repeat.frequencyMax",
            "3 to 2",
        ),
    ],
)
def test_what_does_not_say_how_often_is_named_and_never_taken_for_once_a_day(
    timing: Timing | None, reason: str, element: str, found: str
) -> None:
    assert unknown(timing) == (reason, element, found)


def test_events_that_depend_on_meals_are_not_counted() -> None:
    assert ONCE_A_DAY_EVENTS.isdisjoint({"AC", "PC", "C"})


@pytest.mark.parametrize(
    ("code", "text", "unit"),
    [
        ("d", "", "d"),
        ("d", "hours", "d"),
        ("", "Hours", "h"),
        ("", "week", "wk"),
        ("", "course", "course"),
        ("", "", ""),
    ],
)
def test_a_period_is_known_by_its_code_and_without_one_by_its_word(code: str, text: str, unit: str) -> None:
    assert period_unit(code, text) == unit
