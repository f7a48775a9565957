"""How often a dose is taken: from a FHIR Timing in clinical words to an exact number of doses a day (Q1, Q2)."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from service.clinical.numbers import number

DAYS_PER_UNIT = {
    "s": Fraction(1, 86400),
    "min": Fraction(1, 1440),
    "h": Fraction(1, 24),
    "d": Fraction(1),
    "wk": Fraction(7),
    "mo": Fraction("30.4375"),
    "a": Fraction("365.25"),
}
"""Length of each FHIR period unit in days (rule Q1; a month is a twelfth of 365.25 days)."""

_ONE = Fraction(1)

PER_DAY_OF_CODE = {
    "QD": _ONE, "BID": Fraction(2), "TID": Fraction(3), "QID": Fraction(4),
    "AM": _ONE, "PM": _ONE, "BED": _ONE, "HS": _ONE, "QHS": _ONE, "QAM": _ONE, "QPM": _ONE,
    "QOD": Fraction(1, 2),
    "Q1H": Fraction(24), "Q2H": Fraction(12), "Q3H": Fraction(8), "Q4H": Fraction(6),
    "Q6H": Fraction(4), "Q8H": Fraction(3), "Q12H": Fraction(2), "Q24H": _ONE,
    "WK": 1 / DAYS_PER_UNIT["wk"], "MO": 1 / DAYS_PER_UNIT["mo"],
}  # fmt: skip
"""Doses a day of the HL7 v3 GTSAbbreviation codes and of the forms derived from them."""

ONCE_A_DAY_EVENTS = frozenset(
    {"HS", "WAKE", "PHS", "NIGHT", "NOON", "ACM", "ACD", "ACV", "PCM", "PCD", "PCV", "CM", "CD", "CV"}
    | {f"{part}{when}" for part in ("MORN", "AFT", "EVE") for when in ("", ".early", ".late")}
)
"""FHIR EventTiming codes that occur once a day. AC, PC and C ("with meals") do not say how often."""

BEDTIME = frozenset({"HS", "NIGHT"})
BEDTIME_CODES = frozenset({"BED", "HS", "QHS"})
WEEKDAYS = frozenset({"mon", "tue", "wed", "thu", "fri", "sat", "sun"})


@dataclass(frozen=True, slots=True)
class Timing:
    """When doses are taken. Counts and periods are as ordered; ``unit`` is a FHIR period unit code.

    ``code`` is a timing code or, without one, the words in its place. ``events`` counts fixed dates.
    """

    frequency: Fraction | None = None
    frequency_max: Fraction | None = None
    period: Fraction | None = None
    period_max: Fraction | None = None
    unit: str = ""
    times_of_day: int = 0
    when: tuple[str, ...] = ()
    days_of_week: tuple[str, ...] = ()
    count: Fraction | None = None
    code: str = ""
    events: int = 0


@dataclass(frozen=True, slots=True)
class Rate:
    """Doses a day on average, [low, high], and the most doses on a day on which doses are taken."""

    low: Fraction
    high: Fraction
    on_dosing_day: Fraction
    words: str
    bedtime: bool = False


@dataclass(frozen=True, slots=True)
class RateUnknown:
    """Why no rate could be told: the element and what stood there."""

    reason: str
    element: str
    found: str = ""


def rate(timing: Timing | None, words: Callable[[str], Timing | None]) -> Rate | RateUnknown:
    """Doses a day of a timing. Never assumes "once a day" where the order does not say so.

    ``words`` reads a timing code that is spelled out, such as "every 8 hours".
    """
    if timing is None:
        return RateUnknown("frequency-missing", "timing")
    coded = _of_code(timing, words)
    repeated = _of_repeat(timing)
    if isinstance(repeated, RateUnknown):
        return repeated
    if repeated is None:
        if coded is not None:
            return coded
        if timing.events:
            return RateUnknown("frequency-unknown", "timing.event", f"{timing.events} dates")
        return RateUnknown("frequency-missing", "timing.repeat")
    if isinstance(coded, Rate) and (repeated.low, repeated.high) != (coded.low, coded.high):
        return RateUnknown("frequency-conflict", "timing", f"{coded.words} / {repeated.words}")
    return _at_most(timing.count, repeated)


def _of_code(timing: Timing, words: Callable[[str], Timing | None]) -> Rate | RateUnknown | None:
    if not timing.code:
        return None
    code = timing.code.upper().replace(".", "")
    per_day = PER_DAY_OF_CODE.get(code)
    if per_day is None:
        spelled_out = words(timing.code)
        read = _of_repeat(spelled_out) if spelled_out is not None else None
        return read if isinstance(read, Rate) else RateUnknown("frequency-unknown", "timing.code", timing.code)
    return Rate(per_day, per_day, _on_dosing_day(per_day), in_words(per_day, per_day), code in BEDTIME_CODES)


def _of_repeat(timing: Timing) -> Rate | RateUnknown | None:
    bedtime = bool(timing.when) and set(timing.when) <= BEDTIME
    if timing.period is not None or timing.frequency is not None:
        return _of_frequency(timing, bedtime)
    if timing.times_of_day:
        return _daily(Fraction(timing.times_of_day), timing, bedtime)
    if timing.when:
        vague = [code for code in timing.when if code not in ONCE_A_DAY_EVENTS]
        if vague:
            return RateUnknown("frequency-unknown", "timing.repeat.when", ", ".join(vague))
        return _daily(Fraction(len(set(timing.when))), timing, bedtime)
    if timing.count == 1:
        return Rate(_ONE, _ONE, _ONE, "once only")
    if timing.days_of_week or timing.count is not None:
        return RateUnknown("frequency-missing", "timing.repeat.frequency")
    return None


def _of_frequency(timing: Timing, bedtime: bool) -> Rate | RateUnknown:
    # FHIR Timing: "if no frequency is stated, the assumption is that the event occurs once per period".
    frequency = _ONE if timing.frequency is None else timing.frequency
    if timing.period is None or timing.period <= 0:
        return RateUnknown("frequency-missing", "timing.repeat.period")
    length = DAYS_PER_UNIT.get(timing.unit)
    if length is None:
        return RateUnknown("frequency-unknown", "timing.repeat.periodUnit", timing.unit)
    frequency_max = frequency if timing.frequency_max is None else max(frequency, timing.frequency_max)
    period_max = timing.period if timing.period_max is None else max(timing.period, timing.period_max)
    if frequency < 0 or frequency_max <= 0:
        return RateUnknown("frequency-unknown", "timing.repeat.frequency", str(frequency))
    if timing.period == 1 and timing.unit == "d":
        conflict = _moments_conflict(timing, frequency, frequency_max)
        if conflict is not None:
            return conflict
        return _daily(frequency_max, timing, bedtime, low=frequency / period_max)
    low = frequency / (period_max * length)
    high = frequency_max / (timing.period * length)
    most = _on_dosing_day(high)
    if timing.days_of_week:
        if (timing.period, timing.unit) != (_ONE, "wk"):
            return RateUnknown("frequency-unknown", "timing.repeat.dayOfWeek")
        most = _on_dosing_day(frequency_max / len(set(timing.days_of_week)))
    return Rate(low, high, most, in_words(low, high), bedtime)


def _moments_conflict(timing: Timing, frequency: Fraction, frequency_max: Fraction) -> RateUnknown | None:
    """Named moments of the day that are not as many as the times a day."""
    named = [code for code in timing.when if code in ONCE_A_DAY_EVENTS]
    moments = timing.times_of_day or (len(set(named)) if len(named) == len(timing.when) else 0)
    if moments and not frequency <= moments <= frequency_max:
        element = "timeOfDay" if timing.times_of_day else "when"
        return RateUnknown("frequency-conflict", f"timing.repeat.{element}", f"{number(frequency)} / {moments} a day")
    return None


def _daily(times: Fraction, timing: Timing, bedtime: bool, low: Fraction | None = None) -> Rate | RateUnknown:
    """A number of times on each dosing day; days of the week thin the average, not the dosing day."""
    low = times if low is None else low
    share = _ONE
    if timing.days_of_week:
        days = {day.lower() for day in timing.days_of_week}
        if not days <= WEEKDAYS:
            return RateUnknown("frequency-unknown", "timing.repeat.dayOfWeek", ", ".join(sorted(days)))
        share = Fraction(len(days), len(WEEKDAYS))
    return Rate(low * share, times * share, _on_dosing_day(times), in_words(low * share, times * share), bedtime)


def _on_dosing_day(per_day: Fraction) -> Fraction:
    """The most doses that can fall on one day: whole doses, and at least one."""
    return Fraction(max(1, ceil(per_day)))


def _at_most(count: Fraction | None, given: Rate) -> Rate:
    """No more doses on a day than are ordered in all."""
    if count is None or count <= 0 or count >= given.on_dosing_day:
        return given
    return Rate(min(given.low, count), min(given.high, count), count, f"{number(count)} in all", given.bedtime)


def in_words(low: Fraction, high: Fraction) -> str:
    """Doses a day in words: "2 a day", "1 to 2 a day", "3 a week", "1 every 2 days"."""
    if low != high:
        return f"{number(low)} to {number(high)} a day"
    for unit, name in (("d", "day"), ("wk", "week"), ("mo", "month")):
        count = high * DAYS_PER_UNIT[unit]
        if count.denominator == 1:
            return f"{count} a {name}"
    interval = 1 / high
    return f"1 every {interval} days" if interval.denominator == 1 else f"{number(high)} a day"
