"""How often a dose is taken: from a FHIR Timing in clinical words to an exact number of doses a day (Q1, Q2)."""

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

from service.dosing.amount import NotComputed, number
from service.dosing.dosage import WEEK, Timing
from service.dosing.freetext import frequency
from service.dosing.units import DAYS_PER_UNIT

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

UNKNOWN = "frequency-unknown"
IMPLAUSIBLE = "frequency-implausible"

BEDTIME = frozenset({"HS", "NIGHT"})
BEDTIME_CODES = frozenset({"BED", "HS", "QHS"})
WEEKDAYS = frozenset(WEEK)


@dataclass(frozen=True, slots=True)
class Rate:
    """Doses a day on average, [low, high], and the most doses on a day on which doses are taken.

    ``daily`` is false when there are days without a dose, or nothing says that there is more than one dosing day.
    """

    low: Fraction
    high: Fraction
    on_dosing_day: Fraction
    words: str
    bedtime: bool = False
    daily: bool = True


def rate(timing: Timing | None) -> Rate | NotComputed:
    """Doses a day of a timing, or why there is no rate. Never assumes "once a day" where the order does not say so.

    Nobody takes a dose more often than every hour, so such a rate is a slip and none.
    """
    found = _stated(timing) if timing is not None else NotComputed("frequency-missing", "timing")
    if isinstance(found, Rate) and found.high * DAYS_PER_UNIT["h"] > 1:
        return NotComputed(IMPLAUSIBLE, "timing", found.words, conflict=True)
    return found


def _stated(timing: Timing) -> Rate | NotComputed:
    """What codes and data say together.

    A code is a complete statement: data beside it that does not say how often ("after meals", a count) is no
    contradiction.
    """
    coded = _of_codes(timing)
    if isinstance(coded, NotComputed) and coded.conflict:
        return coded
    if isinstance(coded, Rate) and not _says_how_often(timing):
        coded = _on_named_days(coded, timing)
        return coded if isinstance(coded, NotComputed) else _at_most(timing.count, coded)
    repeated = _of_repeat(timing)
    if isinstance(repeated, NotComputed):
        return repeated
    if repeated is None:
        if coded is None and timing.events:
            return NotComputed(UNKNOWN, "timing.event", f"{timing.events} dates")
        return coded if coded is not None else NotComputed("frequency-missing", "timing.repeat")
    if isinstance(coded, Rate):
        if (repeated.low, repeated.high) != (coded.low, coded.high):
            return _conflict("timing", f"{coded.words} / {repeated.words}")
        repeated = replace(repeated, bedtime=repeated.bedtime or coded.bedtime)
    return _at_most(timing.count, repeated)


def _conflict(element: str, found: str) -> NotComputed:
    return NotComputed("frequency-conflict", element, found, conflict=True)


def _on_named_days(coded: Rate, timing: Timing) -> Rate | NotComputed:
    """So many times a day by a code, on the days of the week that the data names, if any."""
    days = frozenset(map(str.lower, timing.days_of_week))
    if not days:
        return coded
    if not (days <= WEEKDAYS and coded.daily):
        return NotComputed(UNKNOWN, "timing.repeat.dayOfWeek", ", ".join(sorted(days)))
    return _daily(coded.low, coded.high, days, coded.bedtime)


def _says_how_often(timing: Timing) -> bool:
    numbers = timing.frequency is not None or timing.period is not None
    named = timing.times_of_day or not ONCE_A_DAY_EVENTS.isdisjoint(timing.when)
    return numbers or bool(named)


def _of_codes(timing: Timing) -> Rate | NotComputed | None:
    """What codes, their names and the words beside them say; what is not understood among them says nothing."""
    if not timing.codes:
        return None
    read = [found for code in timing.codes if (found := rate_of_code(code)) is not None]
    if not read:
        return NotComputed(UNKNOWN, "timing.code", timing.codes[0])
    first = next((found for found in read if found.bedtime), read[0])
    other = next((found for found in read if (found.low, found.high) != (first.low, first.high)), None)
    return first if other is None else _conflict("timing.code", f"{first.words} / {other.words}")


def rate_of_code(code: str) -> Rate | None:
    """Doses a day of a timing code, its name or the words beside it; None when it is not understood."""
    abbreviation = code.upper().replace(".", "")
    per_day = PER_DAY_OF_CODE.get(abbreviation)
    if per_day is not None:
        return _daily(per_day, per_day, frozenset(), abbreviation in BEDTIME_CODES)
    spelled_out = frequency(code)
    read = _of_repeat(spelled_out) if spelled_out is not None else None
    return read if isinstance(read, Rate) else None


def _of_repeat(timing: Timing) -> Rate | NotComputed | None:
    days = frozenset(map(str.lower, timing.days_of_week))
    if not days <= WEEKDAYS:
        return NotComputed(UNKNOWN, "timing.repeat.dayOfWeek", ", ".join(sorted(days)))
    bedtime = bool(timing.when) and set(timing.when) <= BEDTIME
    moments = _moments(timing)
    if timing.period is not None or timing.frequency is not None:
        return _of_frequency(timing, days, moments, bedtime)
    if moments:
        return _daily(Fraction(moments), Fraction(moments), days, bedtime)
    if timing.when:
        vague = ", ".join(code for code in timing.when if code not in ONCE_A_DAY_EVENTS)
        return NotComputed(UNKNOWN, "timing.repeat.when", vague)
    if timing.count == 1:
        return Rate(_ONE, _ONE, _ONE, "once only", bedtime, daily=False)
    if days:
        return _daily(_ONE, _ONE, days, bedtime)
    if timing.count is not None:
        return NotComputed("frequency-missing", "timing.repeat.frequency")
    return None


def _moments(timing: Timing) -> int:
    """How many moments of a day are named; none when one of them ("with meals") does not say how often."""
    named = set(timing.when)
    return len(set(timing.times_of_day)) or (len(named) if named <= ONCE_A_DAY_EVENTS else 0)


def _of_frequency(timing: Timing, days: frozenset[str], moments: int, bedtime: bool) -> Rate | NotComputed:
    if timing.period is None or timing.period <= 0:
        return NotComputed("frequency-missing", "timing.repeat.period")
    length = DAYS_PER_UNIT.get(timing.unit)
    if length is None:
        return NotComputed(UNKNOWN, "timing.repeat.periodUnit", timing.unit)
    span = longest = timing.period * length
    if timing.period_max is not None:
        if timing.period_max < timing.period:
            found = f"{number(timing.period)} to {number(timing.period_max)}"
            return NotComputed(UNKNOWN, "timing.repeat.periodMax", found)
        longest = timing.period_max * length
    if days and span not in (DAYS_PER_UNIT["d"], DAYS_PER_UNIT["wk"]):
        return NotComputed(UNKNOWN, "timing.repeat.dayOfWeek", ", ".join(sorted(days)))
    counts = _counts(timing, span, len(days), moments)
    if isinstance(counts, NotComputed):
        return counts
    least, most = counts
    if span == 1:
        return _daily(least if longest == 1 else least / longest, most, days, bedtime)
    low, high = least / longest, most / span
    on_named_days = ceil(most / len(days)) if days else 1
    at_most = max(_on_dosing_day(high), Fraction(max(moments, on_named_days)))
    return Rate(low, high, at_most, in_words(low, high), bedtime, high >= 1)


def _counts(timing: Timing, span: Fraction, days: int, moments: int) -> tuple[Fraction, Fraction] | NotComputed:
    """Doses in one period of ``span`` days, least and most, agreeing with the moments and days that are named.

    Without a frequency the named ones count (Q1), and without those FHIR says "once per period".
    """
    named = Fraction(max(moments, 1) if span >= 1 else 1) * (max(days, 1) if span > 1 else 1)
    least, most = timing.frequency, timing.frequency_max
    if least is None:
        least = named if most is None else min(named, most)
    if most is None:
        most = least
    elif most < least:
        return NotComputed(UNKNOWN, "timing.repeat.frequencyMax", f"{number(least)} to {number(most)}")
    if least < 0 or most <= 0:
        return NotComputed(UNKNOWN, "timing.repeat.frequency", number(least))
    return _named_otherwise(timing, span, days, moments, least, most) or (least, most)


def _named_otherwise(
    timing: Timing, span: Fraction, days: int, moments: int, least: Fraction, most: Fraction
) -> NotComputed | None:
    """The contradiction when days or moments are named and are not as many as the frequency."""
    if span > 1 and days > most:
        return _conflict("timing.repeat.dayOfWeek", f"{number(most)} / {days} a week")
    if span < 1:
        fits = moments <= ceil(most / span)
    elif span == 1:
        fits = not moments or least <= moments <= most
    else:
        fits = moments * max(days, 1) <= most
    if fits:
        return None
    element = "timeOfDay" if timing.times_of_day else "when"
    return _conflict(f"timing.repeat.{element}", f"{number(least)} / {moments} a day")


def _daily(least: Fraction, most: Fraction, days: frozenset[str], bedtime: bool) -> Rate:
    """So many times on each dosing day; days of the week thin the average, not the dosing day."""
    low, high = least, most
    if days:
        share = Fraction(len(days), len(WEEKDAYS))
        low, high = least * share, most * share
    some_days = bool(days) and days != WEEKDAYS
    words = (
        f"{number(most)} on {', '.join(d.capitalize() for d in WEEK if d in days)}"
        if some_days
        else in_words(low, high)
    )
    return Rate(low, high, _on_dosing_day(most), words, bedtime, not some_days and high >= 1)


def _on_dosing_day(per_day: Fraction) -> Fraction:
    """The most doses that can fall on one day: whole doses, and at least one."""
    return per_day if per_day.denominator == 1 and per_day.numerator > 0 else Fraction(max(1, ceil(per_day)))


def _at_most(count: Fraction | None, given: Rate) -> Rate:
    """No more doses on a day than are ordered in all."""
    if count is None or count <= 0 or count > given.on_dosing_day:
        return given
    if count == given.on_dosing_day:
        return replace(given, daily=False)
    return Rate(min(given.low, count), min(given.high, count), count, f"{number(count)} in all", given.bedtime, False)


def in_words(low: Fraction, high: Fraction) -> str:
    """Doses a day in words: "2 a day", "1 to 2 a day", "3 a week", "1 every 2 days"."""
    if low is not high and low != high:
        return f"{number(low)} to {number(high)} a day"
    if high.denominator == 1:
        return f"{high} a day"
    for unit, name in (("wk", "week"), ("mo", "month")):
        count = high * DAYS_PER_UNIT[unit]
        if count.denominator == 1:
            return f"{count} a {name}"
    interval = 1 / high
    return f"1 every {interval} days" if interval.denominator == 1 else f"{number(high)} a day"
