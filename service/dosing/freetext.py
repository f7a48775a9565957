"""Dosage in words, as a last resort and cautiously: a text is understood whole or not at all.

"1-0-1", "Take 1 tablet (150 mg total) by mouth 4 (four) times daily.", "2x tgl. 1 Tbl.", "naponta 3x1 tabletta".
A text is turned into one letter per word or phrase (``vocabulary``), and patterns of letters say what it means
(``clauses``); a word that is in no table, or a letter that is left over, and nothing of the text is read:
half-understood directions are worse than none. Where two languages understand a text differently, it is not
understood.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from service.caching import cached
from service.dosing.amount import Quantity
from service.dosing.clauses import MOST_PIECES, Clauses, clauses_of
from service.dosing.dosage import Dosage, MaxDose, Timing
from service.dosing.units import DAYS_PER_UNIT, Kind, unit_of_text
from service.dosing.vocabulary import UNKNOWN, Lettered, known_words, languages, lettered, words_of

LONGEST = 240
"""A longer text is prose, not a direction."""
_ONE = Fraction(1)
_SPANS = {"MORN": (4, 12), "NOON": (11, 15), "AFT": (12, 19), "EVE": (16, 24), "NIGHT": (19, 28), "HS": (19, 28)}
"""First and last hour of each part of the day, counted on beyond midnight: they tell "8 in the evening" from "noon"."""


def directions(text: str) -> Dosage | None:
    """The instruction that a text gives, None unless every word of it was understood.

    "two daily" alone may be two tablets or two doses, and is not.
    """
    found, bare = _read(text)
    return None if found is None or (bare and found.high is None) else found


def frequency(text: str) -> Timing | None:
    """The timing in words, None unless the text says that and nothing else. In its place "two daily" is twice."""
    found, _ = _read(text)
    return found.timing if found is not None and found.high is None and not found.as_needed else None


@cached
def understood_part(text: str) -> Lettered | None:
    """The letters of a text that is not understood whole, in the language that knows most; None when none does."""
    words = words_of(text[:LONGEST])
    known = {name: sum(word in vocabulary for word in words) for name, vocabulary in known_words().items()}
    best = max(known, key=lambda name: known[name])
    part = lettered(words, languages()[best], partly=True)
    count = sum(map(str.isalnum, words)) - (part.letters.count(UNKNOWN) if part is not None else 0)
    if part is None or not count:
        return None
    # A single word tells no language: "ne" is Sunday in Czech and "not" in French.
    return Lettered(part.letters.replace("w", UNKNOWN), part.values) if count == 1 else part


@cached
def _read(text: str) -> tuple[Dosage | None, bool]:
    """The directions in a text, and whether its number of times a day is a number and nothing else."""
    if len(text) > LONGEST:
        return None, False
    words = words_of(text)
    spelled = [word for word in words if word.isalpha()]
    knowing = (name for name, vocabulary in known_words().items() if vocabulary.issuperset(spelled))
    in_each = filter(None, (lettered(words, languages()[name]) for name in knowing))
    readings = {found for said in in_each if (clauses := clauses_of(said)) and (found := _whole(clauses)) is not None}
    return readings.pop() if len(readings) == 1 else (None, False)


def _whole(items: Clauses) -> tuple[Dosage | None, bool] | None:
    """What the clauses say together, None when that may mean two things."""
    rhythm = items.rhythms[0] if items.rhythms else None
    when = _one_moment_each(items.moments, items.order)
    if when is None or any(_a_day(other) != _a_day(items.rhythms[0]) for other in items.rhythms[1:]):
        return None
    moments, order = when
    if moments == ("EVE", "HS") and "mm" in order:  # in the evening, before bed
        moments = ("HS",)
    if items.scheme is not None:
        return _of_scheme(items, rhythm)
    if items.divided is not None:
        return _of_parts(items, rhythm)
    if len(items.amounts) > 1:
        return _of_slots(items, rhythm, moments, order)
    if _twice_said(order.replace("A", ""), moments, rhythm):
        return None
    said = _in_pieces(items.amounts[0]) if items.amounts else Dosage()
    most = items.most
    if most is not None and not most.unit:
        if said.high is None or said.high.value != 1 or said.low is not None:
            return None
        most = Quantity(most.value, said.high.unit)
    timing = _when(moments, tuple(items.days), rhythm)
    alone = timing is None and most is None and not items.needed
    if alone and (said.high is None or _of_a_package(said.high)):
        return None
    maxima = () if most is None else (MaxDose(most, Quantity(_ONE, code="d")),)
    a_day = _in_a_day(said, items)
    return replace(said, timing=timing, as_needed=items.needed, maxima=maxima, a_day=a_day), items.bare


def _of_a_package(amount: Quantity) -> bool:
    """True for "100 St." alone: nobody takes so many pieces at once."""
    unit = unit_of_text(amount.unit)
    return unit is not None and unit.kind is Kind.COUNT and amount.value >= MOST_PIECES


def _in_a_day(said: Dosage, items: Clauses) -> bool:
    """True for "2 tablets a day", which may be one twice; "50 mg daily" is taken at once."""
    unit = unit_of_text(said.high.unit) if said.high is not None else None
    often = items.counted or items.moments or items.days or said.low
    return unit is not None and unit.kind is Kind.COUNT and bool(items.rhythms) and not often


def _one_moment_each(moments: Sequence[str], order: str) -> tuple[tuple[str, ...], str] | None:
    """The moments and their order without the hours that only say one of them again: "in the morning at 8".

    ``order`` has a letter for each thing said: m for a part of the day, c for an hour. None when an hour contradicts
    the part of the day beside it, or stands there twice.
    """
    places = [place for place, letter in enumerate(order) if letter in "mc"]
    named = dict(zip(places, moments, strict=True))
    again: set[int] = set()
    for place in places:
        part = next((n for n in (place - 1, place + 1) if n in named and order[n] == "m"), None)
        if order[place] == "c" and part is not None:
            first, last = _SPANS[named[part]]
            hour = int(named[place][:2])
            if not any(first <= said <= last for said in (hour, hour + 12, hour + 24)):
                return None
            again.add(place)
    kept = tuple(moment for place, moment in named.items() if place not in again)
    clock = [moment for moment in kept if ":" in moment]
    left = "".join(letter for place, letter in enumerate(order) if place not in again)
    return (kept, left) if len(set(clock)) == len(clock) else None


def _in_pieces(said: Dosage) -> Dosage:
    """The amount with the unit that is meant where none is said."""
    if said.high is None or said.high.unit:
        return said
    low = replace(said.low, unit="tablet") if said.low is not None else None
    return replace(said, low=low, high=replace(said.high, unit="tablet"))


def _twice_said(order: str, moments: tuple[str, ...], rhythm: Timing | None) -> bool:
    """True where it may be one time or two: "daily and at bedtime", "in the evening, at bedtime"."""
    if re.search("w[^w,&]+.*w", order):
        return True
    joined = "&" in order.replace("w&w", "").replace("w,&w", "")
    return (rhythm is not None and joined and len(set(moments)) == 1) or (not joined and {"EVE", "HS"} <= set(moments))


def _when(moments: tuple[str, ...], days: tuple[str, ...], rhythm: Timing | None) -> Timing | None:
    """The rhythm at these moments, on these days of the week. Hours beside parts of the day are counted together."""
    at = tuple(moment for moment in moments if ":" in moment)
    if at and len(at) < len(moments):
        counted = Timing(Fraction(len(moments)), period=_ONE, unit="d")
        return replace(rhythm or counted, days_of_week=days) if rhythm is None or rhythm == counted else None
    if not moments and not days:
        return rhythm
    return replace(rhythm or Timing(), when=() if at else moments, times_of_day=at, days_of_week=days)


def _of_parts(items: Clauses, rhythm: Timing | None) -> tuple[Dosage, bool] | None:
    """ "600 mg a day in 3 divided doses": a third of it, three times. Nothing else may say when."""
    said, parts = items.amounts[0] if len(items.amounts) == 1 else Dosage(), items.divided
    if said.high is None or said.low or said.others or parts is None or rhythm is None or not _once_a_day(rhythm):
        return None
    if items.needed or items.moments or items.days or items.most or parts.denominator != 1:
        return None
    each = replace(said.high, value=said.high.value / parts)
    return Dosage(high=each, timing=Timing(parts, period=_ONE, unit="d")), False


def _once_a_day(rhythm: Timing | None) -> bool:
    """True for "daily", which says nothing beside a scheme, and for no rhythm at all."""
    return rhythm is None or _a_day(rhythm) == [_ONE, _ONE]


def _a_day(rhythm: Timing) -> list[Fraction]:
    """Doses a day of a rhythm, least and most."""
    counts = rhythm.frequency, rhythm.frequency_max or rhythm.frequency
    periods = rhythm.period_max or rhythm.period, rhythm.period
    day = DAYS_PER_UNIT[rhythm.unit]
    return [count / (period * day) for count, period in zip(counts, periods, strict=True) if count and period]


def _of_scheme(items: Clauses, rhythm: Timing | None) -> tuple[Dosage, bool] | None:
    """The scheme, with an amount beside it: "25 mg 1-0-1". Nothing else says when."""
    said = items.scheme
    if said is None or said.high is None or not _once_a_day(rhythm) or items.most or items.moments or items.days:
        return None
    unit = said.high.unit
    one = Dosage(high=Quantity(_ONE, unit or "tablet"))
    other = items.amounts[0] if items.amounts else one
    if len(items.amounts) > 1 or (items.amounts and unit) or other.low or other.others:
        return None
    return replace(said, high=other.high, as_needed=items.needed), False


def _of_slots(
    items: Clauses, rhythm: Timing | None, moments: tuple[str, ...], order: str
) -> tuple[Dosage, bool] | None:
    """Amounts that differ through the day: "1 tablet in the morning and 2 at night", also with what each comes to."""
    order = re.sub("[&,]", "", order).replace("c", "m")
    amounts = [said.high for said in items.amounts if said.high is not None]
    units = [amount.unit for amount in amounts if amount.unit] or ["tablet"]
    masses = [(said.high, mass) for said in items.amounts for _, mass in said.others if said.high and mass]
    each = {Quantity(mass.value / pieces.value, mass.unit) for pieces, mass in masses if pieces.value > 0}
    if any(said.low for said in items.amounts) or len({unit_of_text(unit) for unit in units}) != 1 or len(each) > 1:
        return None
    if not _once_a_day(rhythm) or items.needed or items.most or len(set(moments)) < len(moments):
        return None
    if not re.fullmatch("(?:m+A)+|(?:Am+)+", order):
        return None
    groups = zip(amounts, re.findall("m+A|Am+", order), strict=True)
    slots = [amount.value for amount, group in groups if amount.value > 0 for _ in range(group.count("m"))]
    one = Dosage(high=Quantity(_ONE, units[0]), others=tuple((mass, mass) for mass in each), slots=tuple(slots))
    return (one, False) if slots else None
