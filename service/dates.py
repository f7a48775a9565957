"""Dates as FHIR has them: to the day, the month or the year, with or without a time (rule X9); times of the day."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from service.caching import cached

EARLIEST_YEAR = 1900
"""Before it the date of an event stands for "not known", as 0001-01-01 does: nobody alive was treated then."""

DAYS = (date(EARLIEST_YEAR, 1, 1), date(2999, 12, 31))
"""The first and the last day for which anything is answered."""

_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T\S+)?)?)?")

_WITH_TIME = re.compile(r"([^T\s]+)[T\s]+(\d\S*(?:\s?[+-]\S+)?)", re.ASCII)
_MIDNIGHT = re.compile(r"00:?00(?::?00(?:[.,]0+)?)?(?!\d)")
_BIRTH_FORMS = (
    re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})", re.ASCII),
    re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})", re.ASCII),
    re.compile(r"(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})", re.ASCII),
)
"""Forms in which the order of day and month is not in doubt; of a date with points the day comes first."""


@dataclass(frozen=True, slots=True)
class Span:
    """A date known to the day or only to the month or year: somewhere from ``earliest`` to ``latest``."""

    earliest: date
    latest: date


def utc_now() -> datetime:
    """The present moment in UTC: the clock that an entry point passes on."""
    return datetime.now(UTC)


def local_day() -> date:
    """Today where the clinician is, whose day counts for doses: the clock that a command passes on."""
    return date.today()  # noqa: DTZ011


def later(day: date, days: int) -> date:
    """The day that many days after another, or before it if negative; the first or last possible day if it lies beyond.

    Records hold days such as 0001-01-01 and 9999-12-31 for "not known" and "no end".
    """
    return date.fromordinal(min(max(day.toordinal() + days, date.min.toordinal()), date.max.toordinal()))


@cached
def span(text: str) -> Span | None:
    """The days a FHIR date or dateTime can mean; None when it is not one."""
    match = _PARTIAL.fullmatch(text)
    if match is None:
        return None
    year = int(match[1])
    try:
        if match[2] is None:
            return Span(date(year, 1, 1), date(year, 12, 31))
        month = int(match[2])
        if match[3] is None:
            return Span(date(year, month, 1), date(year, month, monthrange(year, month)[1]))
        day = date(year, month, int(match[3]))
    except ValueError:
        return None
    return Span(day, day)


def birth_date(given: object) -> Span | None:
    """The days that a birth date can mean, in each form that leaves no doubt; None for any other.

    A day with a time other than midnight may be a neighbouring day where the patient lives.
    """
    text = str(given).strip() if isinstance(given, str | int) and not isinstance(given, bool) else ""
    day, time = text, ""
    if (match := _WITH_TIME.fullmatch(text)) is not None:
        day, time = match.groups()
    parts = next((m for form in _BIRTH_FORMS if (m := form.fullmatch(day)) is not None), None)
    if parts is not None:
        day = f"{parts['year']}-{int(parts['month']):02}-{int(parts['day']):02}"
    found = span(day)
    if found is None or not time or _MIDNIGHT.match(time) is not None:
        return found
    return Span(later(found.earliest, -1), later(found.latest, 1))


def event(text: str) -> Span | None:
    """The days on which something in a record can have happened; None for a date that stands for "not known"."""
    found = span(text)
    return found if found is not None and found.earliest.year >= EARLIEST_YEAR else None


_CLOCK = re.compile(
    r"(?:\d{4}-\d\d-\d\d[T ]|T)?(\d{1,2})(?:[:.h]?(\d{2})(?:[:.](\d{2})(?:[.,]\d+)?)?)?\s*([ap]\.?m\.?|h|uhr)?"
    r"(?:Z|[+-]\d{2}:?\d{2})?",
    re.I,
)


def clock(time: Any) -> Any:
    """A time of the day as FHIR writes it (08:00:00), from the other usual forms: 8:00, 0800, 8.00, 8:00 am, 8 Uhr.

    What is no time is returned as it is, for the reader to refuse and name. A bare hour is none.
    """
    match = _CLOCK.fullmatch(time.strip()) if isinstance(time, str) else None
    if match is None or (match[2] is None and match[4] is None):
        return time
    hour, minute, second, half = int(match[1]), int(match[2] or 0), int(match[3] or 0), (match[4] or "").lower()
    half = half if half.startswith(("a", "p")) else ""
    if half and not 1 <= hour <= 12:
        return time
    if half:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    if (hour, minute, second) == (24, 0, 0):
        hour = 0
    return f"{hour:02}:{minute:02}:{second:02}" if hour < 24 and minute < 60 and second < 60 else time
