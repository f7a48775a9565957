"""Dosage instructions, the daily dose they give, and how several of them combine (rule Q4)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import combinations, groupby, pairwise

from service.dosing.amount import Quantity, number

ZERO = Fraction(0)
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Timing:
    """When doses are taken. Counts and periods are as ordered; ``unit`` is a FHIR period unit code.

    ``codes`` are timing codes, their names and the words beside them. ``events`` counts fixed dates.
    """

    frequency: Fraction | None = None
    frequency_max: Fraction | None = None
    period: Fraction | None = None
    period_max: Fraction | None = None
    unit: str = ""
    times_of_day: tuple[str, ...] = ()
    when: tuple[str, ...] = ()
    days_of_week: tuple[str, ...] = ()
    count: Fraction | None = None
    codes: tuple[str, ...] = ()
    events: int = 0


@dataclass(frozen=True, slots=True)
class MaxDose:
    """``maxDosePerPeriod``: at most this amount in this length of time."""

    amount: Quantity
    period: Quantity


@dataclass(frozen=True, slots=True)
class Dosage:
    """One dosage instruction in clinical words.

    A dose is from ``low`` to ``high``, or just ``high``; ``others`` are further doses of the same instruction, each its
    lowest and highest. ``slots`` are the counts through the day of a scheme in words such as 1-0-1, without the zeros,
    each of one ``high``. ``element`` is its path in the order. ``start``, ``end`` and ``days`` bound it in time.
    ``text_from`` is the member that holds the words, ``beside`` are the words of the others.
    ``most_at_once`` is the maximum that the instruction sets for one administration.
    ``a_day`` says of words that ``high`` is what a day comes to: "2 tablets a day" may be one twice.
    ``unreadable`` lists elements that had to be left out, ``found`` is what stood in the first, empty where that
    cannot be shown.
    """

    low: Quantity | None = None
    high: Quantity | None = None
    timing: Timing | None = None
    as_needed: bool = False
    maxima: tuple[MaxDose, ...] = ()
    sequence: int | None = None
    start: date | None = None
    end: date | None = None
    days: Fraction | None = None
    text: str = ""
    text_from: str = "text"
    beside: tuple[str, ...] = ()
    others: tuple[tuple[Quantity | None, Quantity | None], ...] = ()
    slots: tuple[Fraction, ...] = ()
    most_at_once: Quantity | None = None
    a_day: bool = False
    unreadable: tuple[str, ...] = ()
    found: str = ""
    element: str = "dosageInstruction[0]"

    @property
    def words_element(self) -> str:
        """The path of the words in the order."""
        return f"{self.element}.{self.text_from}"

    @property
    def moments(self) -> frozenset[str]:
        """The times of the day that the data names."""
        return frozenset((*self.timing.when, *self.timing.times_of_day)) if self.timing is not None else frozenset()


@dataclass(frozen=True, slots=True)
class DailyDose:
    """mg a day, [low, high]; the largest single dose; the most on one dosing day; and the working.

    ``high`` is an average over days; a weekly dose is not a small daily one, so rules about harm look at
    ``dosing_day`` (Q2). ``times`` is doses a day at most. ``daily`` is false for what is not taken every day: at
    intervals beyond a day, on some days of the week, once only; then there is no daily dose to speak of.
    ``steps`` are the doses of a titration in order, each with its length in ``days``; then the dose itself is the
    largest step. ``from_text`` says that words were needed; ``together`` that instructions were added up although the
    order may mean that they follow each other; ``unheard`` are words beside it that may say another dose.
    """

    low: Fraction
    high: Fraction
    single: Fraction
    dosing_day: Fraction
    times: Fraction
    working: str
    bedtime: bool = False
    daily: bool = True
    days: Fraction | None = None
    steps: "tuple[DailyDose, ...]" = ()
    from_text: bool = False
    together: bool = False
    unheard: str = ""

    @property
    def first(self) -> "DailyDose":
        """The dose at the start: the first step of a titration."""
        return self.steps[0] if self.steps else self


def combined(dosages: Sequence[Dosage], doses: Sequence[DailyDose]) -> DailyDose:
    """The dose of the whole order; the instructions and their doses in the same order, at least one.

    Instructions are steps only where each ends before the next begins; else they are taken together and added up.
    Where the order may mean either, the larger daily dose stands, and the working says both.
    """
    if len(doses) == 1:
        return doses[0]
    given = list(zip(dosages, doses, strict=True))
    steps = _by_dates(given)
    in_turn = steps or _by_sequence(given)
    if steps or (in_turn and _ends_are_known(given) and not _at_other_moments(given)):
        return _titration(in_turn)
    return _together(given, in_turn, unsaid=_may_be_steps(given))


_Given = Sequence[tuple[Dosage, DailyDose]]


def _by_dates(given: _Given) -> list[DailyDose]:
    """The steps by bounds that do not overlap, in order; none when they do, or are open where others go on.

    A step may end on the day on which the next begins: most systems write it so. Instructions with the same bounds
    are one step. Bounds may be open at the beginning of the first and at the end
    of the last.
    """

    def bounds(entry: tuple[Dosage, DailyDose]) -> tuple[date, date]:
        return entry[0].start or date.min, entry[0].end or date.max

    groups = [(of, list(group)) for of, group in groupby(sorted(given, key=bounds), bounds)]
    in_turn = all(a[0] < b[0] and a[1] <= b[0] for (a, _), (b, _) in pairwise(groups)) and all(
        start <= end for (start, end), _ in groups
    )
    return [_one(group) for _, group in groups] if in_turn and len(groups) > 1 else []


def _by_sequence(given: _Given) -> list[DailyDose]:
    """What the steps are if ``sequence`` numbers steps; none unless every instruction has one and they differ."""
    numbers = sorted({dosage.sequence for dosage, _ in given if dosage.sequence is not None})
    if len(numbers) < 2 or any(dosage.sequence is None for dosage, _ in given):
        return []
    return [_one([(dosage, dose) for dosage, dose in given if dosage.sequence == n]) for n in numbers]


def _ends_are_known(given: _Given) -> bool:
    """True when every instruction before the last sequence ends, by a length or a date, and no dates overlap."""
    numbered = sorted(((dosage.sequence or 0, dosage) for dosage, _ in given), key=lambda entry: entry[0])
    ends = all(dosage.days or dosage.end for n, dosage in numbered if n != numbered[-1][0])
    return ends and not any(
        m < n and a.end is not None and ((b.start or a.end) < a.end or (b.end is not None and b.end <= a.end))
        for (m, a), (n, b) in combinations(numbered, 2)
    )


def _at_other_moments(given: _Given) -> bool:
    """True when all instructions name times of the day, and no two the same: morning and evening of one day."""
    named = [dosage.moments for dosage, _ in given]
    return all(named) and sum(map(len, named)) == len(frozenset().union(*named))


def _may_be_steps(given: _Given) -> bool:
    """True when the order leaves open whether its instructions follow each other."""
    on_days = [_days_of_week(dosage) for dosage, _ in given]
    if all(on_days) and sum(map(len, on_days)) == len(frozenset().union(*on_days)):
        return False
    if _at_other_moments(given):
        same = len({(d.start, d.end, d.days) for d, _ in given if d.days is not None and d.start is None}) <= 1
        return not same
    return len({dosage.sequence for dosage, _ in given}) > 1 or given[0][0].sequence is None


def _one(given: _Given) -> DailyDose:
    return given[0][1] if len(given) == 1 else _together(given, [], unsaid=False)


def _days_of_week(dosage: Dosage) -> frozenset[str]:
    """The days of the week that the data names; empty for every day, and where one is none of the seven."""
    named = frozenset(dosage.timing.days_of_week if dosage.timing is not None else ())
    return named if named <= frozenset(WEEK) else frozenset()


def _together(given: _Given, or_steps: Sequence[DailyDose], *, unsaid: bool) -> DailyDose:
    """Concurrent instructions, added up (Q4) on the days that they share. Doses at one moment make one single dose."""
    doses = [dose for _, dose in given]
    on_days = [_days_of_week(dosage) or frozenset(WEEK) for dosage, _ in given]
    each_day = [[dose for dose, days in zip(doses, on_days, strict=True) if day in days] for day in WEEK]
    high = sum((dose.high for dose in doses), ZERO)
    low = sum((dose.low for dose in doses), ZERO)
    day = max(sum((dose.dosing_day for dose in taken), ZERO) for taken in each_day)
    at_bedtime = max(sum((dose.single for dose in taken if dose.bedtime), ZERO) for taken in each_day)
    daily = all(dose.daily for dose in doses)
    sums = f"{_span(low, high)} mg/day" if daily else f"at most {number(day)} mg on one day"
    otherwise = f"; if they follow each other: {_in_turn(or_steps or doses)}" if unsaid else ""
    return DailyDose(
        low=low,
        high=high,
        single=max(at_bedtime, *(dose.single for dose in doses)),
        dosing_day=day,
        times=sum((dose.times for dose in doses), ZERO),
        working=f"{'; '.join(dose.working for dose in doses)}; together {sums}{otherwise}",
        bedtime=all(dose.bedtime for dose in doses),
        daily=daily,
        days=max((dose.days for dose in doses if dose.days is not None), default=None),
        from_text=any(dose.from_text for dose in doses),
        together=unsaid,
    )


def _titration(steps: Sequence[DailyDose]) -> DailyDose:
    """Steps one after the other: never added up, the dose is the largest step (Q4)."""
    return DailyDose(
        low=min(step.low for step in steps),
        high=max(step.high for step in steps),
        single=max(step.single for step in steps),
        dosing_day=max(step.dosing_day for step in steps),
        times=max(step.times for step in steps),
        working=_in_turn(steps),
        bedtime=all(step.bedtime for step in steps),
        daily=all(step.daily for step in steps),
        steps=tuple(steps),
        from_text=any(step.from_text for step in steps),
        together=any(step.together for step in steps),
    )


def _in_turn(steps: Iterable[DailyDose]) -> str:
    words = []
    for step in steps:
        dose = f"{number(step.high)} mg/day" if step.daily else f"{number(step.dosing_day)} mg on a dosing day"
        words.append(f"{dose} for {number(step.days)} days" if step.days else dose)
    return ", then ".join(words)


def _span(low: Fraction, high: Fraction) -> str:
    return number(high) if low == high else f"{number(low)} to {number(high)}"
