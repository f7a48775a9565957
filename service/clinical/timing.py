"""How often a dose is taken: from a FHIR Timing in clinical words to an exact number of doses a day (Q1, Q2)."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

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

PER_DAY_OF_CODE = {
    "QD": Fraction(1), "BID": Fraction(2), "TID": Fraction(3), "QID": Fraction(4),
    "AM": Fraction(1), "PM": Fraction(1), "BED": Fraction(1), "HS": Fraction(1), "QHS": Fraction(1),
    "QOD": Fraction(1, 2),
    "Q1H": Fraction(24), "Q2H": Fraction(12), "Q3H": Fraction(8), "Q4H": Fraction(6),
    "Q6H": Fraction(4), "Q8H": Fraction(3), "Q12H": Fraction(2), "Q24H": Fraction(1),
    "WK": Fraction(1, 7), "MO": 1 / DAYS_PER_UNIT["mo"],
}  # fmt: skip
"""Doses a day of the HL7 v3 GTSAbbreviation codes and of the forms derived from them."""

ONCE_A_DAY_EVENTS = frozenset(
    [
        "HS",
        "WAKE",
        "MORN",
        "MORN.early",
        "MORN.late",
        "NOON",
        "AFT",
        "AFT.early",
        "AFT.late",
        "EVE",
        "EVE.early",
        "EVE.late",
        "NIGHT",
        "ACM",
        "ACD",
        "ACV",
        "PCM",
        "PCD",
        "PCV",
        "CM",
        "CD",
        "CV",
    ]
)
"""FHIR EventTiming codes that occur once a day. AC, PC, C and PHS do not say how often and are not here."""

BEDTIME = frozenset({"HS", "NIGHT"})
BEDTIME_CODES = frozenset({"BED", "HS", "QHS"})
WEEKDAYS = frozenset({"mon", "tue", "wed", "thu", "fri", "sat", "sun"})
DAYS_A_WEEK = len(WEEKDAYS)


@dataclass(frozen=True, slots=True)
class Timing:
    """When doses are taken. Counts and periods are as ordered; ``unit`` is a FHIR period unit code."""

    frequency: Fraction | None = None
    frequency_max: Fraction | None = None
    period: Fraction | None = None
    period_max: Fraction | None = None
    unit: str = ""
    times_of_day: int = 0
    when: tuple[str, ...] = ()
    days_of_week: tuple[str, ...] = ()
    code: str = ""


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
    """Why no rate could be told: the element, what stood there and what would be needed."""

    reason: str
    element: str
    found: str = ""


def rate(timing: Timing | None) -> Rate | RateUnknown:
    """Doses a day of a timing. Never assumes "once a day" where the order does not say so."""
    if timing is None:
        return RateUnknown("frequency-missing", "timing")
    coded = _of_code(timing)
    repeated = _of_repeat(timing)
    if isinstance(coded, RateUnknown):
        return repeated if isinstance(repeated, Rate) else coded
    if coded is None:
        return repeated or RateUnknown("frequency-missing", "timing.repeat")
    if isinstance(repeated, Rate) and (repeated.low, repeated.high) != (coded.low, coded.high):
        return RateUnknown("frequency-conflict", "timing", f"{coded.words} / {repeated.words}")
    return repeated if isinstance(repeated, Rate) else coded


def _of_code(timing: Timing) -> Rate | RateUnknown | None:
    if not timing.code:
        return None
    per_day = PER_DAY_OF_CODE.get(timing.code.upper())
    if per_day is None:
        return RateUnknown("frequency-unknown", "timing.code", timing.code)
    bedtime = timing.code.upper() in BEDTIME_CODES
    return Rate(per_day, per_day, _on_dosing_day(per_day), _words(per_day, per_day), bedtime)


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
    if timing.days_of_week:
        return RateUnknown("frequency-missing", "timing.repeat.frequency")
    return None


def _of_frequency(timing: Timing, bedtime: bool) -> Rate | RateUnknown:
    # FHIR Timing: "if no frequency is stated, the assumption is that the event occurs once per period".
    frequency = Fraction(1) if timing.frequency is None else timing.frequency
    if timing.period is None or timing.period <= 0:
        return RateUnknown("frequency-missing", "timing.repeat.period")
    length = DAYS_PER_UNIT.get(timing.unit)
    if length is None:
        return RateUnknown("frequency-unknown", "timing.repeat.periodUnit", timing.unit)
    frequency_max = max(frequency, timing.frequency_max or frequency)
    period_max = max(timing.period, timing.period_max or timing.period)
    if frequency_max <= 0:
        return RateUnknown("frequency-unknown", "timing.repeat.frequency", str(frequency))
    low = frequency / (period_max * length)
    high = frequency_max / (timing.period * length)
    if timing.days_of_week:
        if (timing.period, timing.unit) not in {(Fraction(1), "d"), (Fraction(1), "wk")}:
            return RateUnknown("frequency-unknown", "timing.repeat.dayOfWeek")
        if timing.unit == "d":
            return _daily(frequency_max, timing, bedtime, low=frequency)
        days = Fraction(len(set(timing.days_of_week)))
        return Rate(low, high, _on_dosing_day(frequency_max / days), _words(low, high), bedtime)
    return Rate(low, high, _on_dosing_day(high), _words(low, high), bedtime)


def _on_dosing_day(per_day: Fraction) -> Fraction:
    """The most doses that can fall on one day: whole doses, and at least one."""
    return Fraction(max(1, ceil(per_day)))


def _daily(times: Fraction, timing: Timing, bedtime: bool, low: Fraction | None = None) -> Rate | RateUnknown:
    """A number of times on each dosing day; days of the week thin the average, not the dosing day."""
    low = times if low is None else low
    share = Fraction(1)
    if timing.days_of_week:
        days = {day.lower() for day in timing.days_of_week}
        if not days <= WEEKDAYS:
            return RateUnknown("frequency-unknown", "timing.repeat.dayOfWeek", ", ".join(sorted(days)))
        share = Fraction(len(days), DAYS_A_WEEK)
    return Rate(low * share, times * share, times, _words(low * share, times * share), bedtime)


def _words(low: Fraction, high: Fraction) -> str:
    if low != high:
        return f"{number(low)} to {number(high)} a day"
    for unit, name in (("d", "day"), ("wk", "week"), ("mo", "month")):
        count = high * DAYS_PER_UNIT[unit]
        if count.denominator == 1:
            return f"{count} a {name}"
    interval = 1 / high
    return f"1 every {interval} days" if interval.denominator == 1 else f"{number(high)} a day"


def number(value: Fraction) -> str:
    """A number as a person writes it: exact when short, else three decimals with "about"."""
    if value.denominator == 1:
        return str(value.numerator)
    text = f"{float(value):.3f}".rstrip("0").rstrip(".")
    return text if Fraction(text) == value else f"about {text}"
