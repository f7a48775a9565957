"""The daily dose of an order in mg, exact, with its working; or why it cannot be told (rules Q1 to Q6, Q8).

Nothing is guessed: an unknown unit, strength or frequency gives ``NotComputed`` with the element and what stood
there. Structured data decides; words only fill what it leaves out, and where the two disagree there is no dose.
No exception leaves this module for any ``Dosage``.

Doses are intervals. An as-needed order is its worst case. Instructions with different ``sequence`` are steps and
never added up; the others are taken together and are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from itertools import pairwise

from service.clinical.amounts import Amount, NotComputed, Product, Quantity, amount
from service.clinical.freetext import Directions, directions, frequency
from service.clinical.numbers import number
from service.clinical.timing import Rate, RateUnknown, Timing, rate

ZERO = Fraction(0)
CONFLICTS = frozenset({"frequency-conflict", "daily-maximum-not-stated", "text-conflict"})
"""Reasons that are contradictions or open ends rather than gaps; they are shown as a warning (R28)."""


@dataclass(frozen=True, slots=True)
class MaxDose:
    """``maxDosePerPeriod``: at most this amount in this length of time."""

    amount: Quantity
    period: Quantity


@dataclass(frozen=True, slots=True)
class Dosage:
    """One dosage instruction in clinical words.

    ``element`` is its path in the order. ``start``, ``end`` and ``days`` bound it in time. ``unreadable`` lists
    elements that had to be left out.
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
    unreadable: tuple[str, ...] = ()
    element: str = "dosageInstruction[0]"


@dataclass(frozen=True, slots=True)
class DailyDose:
    """mg a day, [low, high]; the largest single dose; the most on one dosing day; and the working.

    ``high`` is an average over days; a weekly dose is not a small daily one, so rules about harm look at
    ``dosing_day`` (Q2). ``times`` is doses a day at most. ``steps`` are the doses of a titration in order, each
    with its length in ``days``; then the dose itself is the largest step. ``from_text`` says that words were
    needed; ``together`` that instructions were added up although the order does not say how they belong.
    """

    low: Fraction
    high: Fraction
    single: Fraction
    dosing_day: Fraction
    times: Fraction
    working: str
    bedtime: bool = False
    days: Fraction | None = None
    steps: "tuple[DailyDose, ...]" = ()
    from_text: bool = False
    together: bool = False

    @property
    def first(self) -> "DailyDose":
        """The dose at the start: the first step of a titration."""
        return self.steps[0] if self.steps else self


def daily_dose(dosages: Sequence[Dosage], product: Product) -> DailyDose | NotComputed:
    """The daily dose of the product's drug; for a combination product the drug's own part (Q8)."""
    if not dosages:
        return NotComputed("dose-missing", "dosageInstruction")
    doses: list[DailyDose] = []
    for dosage in dosages:
        dose = _instruction(dosage, product)
        if isinstance(dose, NotComputed):
            return dose
        doses.append(dose)
    if len(doses) == 1:
        return doses[0]
    steps = _steps(dosages, doses)
    return _titration(steps) if len(steps) > 1 else _together(doses, _unsaid(dosages))


def _instruction(dosage: Dosage, product: Product) -> DailyDose | NotComputed:
    """The dose of one instruction from its data; from its words only what the data leaves out."""
    if dosage.unreadable:
        return NotComputed("element-unreadable", dosage.unreadable[0])
    said = directions(dosage.text) if dosage.text else None
    dose = _structured(dosage, product)
    if said is None:
        return dose
    if isinstance(dose, DailyDose):
        return _agreeing(dosage, dose, said, product)
    if dose.reason in {"dose-missing", "frequency-missing", "daily-maximum-not-stated"}:
        filled = _filled(dosage, said, product)
        return filled if isinstance(filled, DailyDose) else dose
    return dose


def _structured(dosage: Dosage, product: Product) -> DailyDose | NotComputed:
    if dosage.high is None:
        return NotComputed("dose-missing", f"{dosage.element}.doseAndRate")
    quantity = f"{dosage.element}.doseAndRate[0].doseQuantity"
    high = amount(dosage.high, product)
    low = high if dosage.low is None or dosage.low == dosage.high else amount(dosage.low, product)
    if isinstance(high, NotComputed):
        return high.at(quantity)
    if isinstance(low, NotComputed):
        return low.at(quantity)
    if not 0 <= low.mg <= high.mg or high.mg == 0:
        return NotComputed("dose-unclear", quantity, f"{low.words} to {high.words}")
    times = rate(dosage.timing, frequency)
    if dosage.as_needed:
        return _as_needed(dosage, times, high, product)
    if isinstance(times, RateUnknown):
        return _refused(times, dosage)
    return replace(_dose(low, high, times), days=dosage.days)


def _dose(low: Amount, high: Amount, times: Rate, note: str = "") -> DailyDose:
    least, most = low.mg * times.low, high.mg * times.high
    taken = high.words if low.mg == high.mg else f"{low.words} to {high.words}"
    span = number(most) if least == most else f"{number(least)} to {number(most)}"
    bedtime = " at bedtime" if times.bedtime else ""
    return DailyDose(
        low=least,
        high=most,
        single=high.mg,
        dosing_day=high.mg * times.on_dosing_day,
        times=times.on_dosing_day,
        working=f"{taken} × {times.words}{bedtime} = {span} mg/day{note}",
        bedtime=times.bedtime,
    )


def _as_needed(dosage: Dosage, times: Rate | RateUnknown, high: Amount, product: Product) -> DailyDose | NotComputed:
    """The worst case of an as-needed order: the smaller of its frequency and its stated maximum (Q3)."""
    ceilings = []
    for maximum in dosage.maxima:
        ceiling = _ceiling(maximum, product, dosage)
        if isinstance(ceiling, NotComputed):
            return ceiling
        ceilings.append(ceiling)
    most = min(ceilings, default=None)
    if isinstance(times, Rate):
        dose = replace(_dose(high, high, times, " at most (as needed)"), low=ZERO, days=dosage.days)
        if most is None or most >= dose.dosing_day:
            return dose
    elif times.reason != "frequency-missing":
        return _refused(times, dosage)
    if most is None:
        return NotComputed("daily-maximum-not-stated", f"{dosage.element}.maxDosePerPeriod", conflict=True)
    words = f"{high.words} as needed, at most {number(most)} mg/day"
    single = min(high.mg, most)
    return DailyDose(ZERO, most, single, most, max(Fraction(1), most / high.mg), words, days=dosage.days)


def _ceiling(maximum: MaxDose, product: Product, dosage: Dosage) -> Fraction | NotComputed:
    """Mg a day of ``maxDosePerPeriod``. A maximum for several days may all be taken on one of them."""
    element = f"{dosage.element}.maxDosePerPeriod"
    most = amount(maximum.amount, product)
    if isinstance(most, NotComputed):
        return most.at(element)
    period = maximum.period
    unit = period.code or {"day": "d", "days": "d", "hour": "h", "hours": "h", "week": "wk", "weeks": "wk"}.get(
        period.unit, period.unit
    )
    times = rate(Timing(frequency=Fraction(1), period=period.value, unit=unit), frequency)
    if isinstance(times, RateUnknown):
        return NotComputed("frequency-unknown", element, unit)
    return most.mg * max(Fraction(1), times.high)


def _refused(unknown: RateUnknown, dosage: Dosage) -> NotComputed:
    conflict = unknown.reason in CONFLICTS
    return NotComputed(unknown.reason, f"{dosage.element}.{unknown.element}", unknown.found, conflict)


def _filled(dosage: Dosage, said: Directions, product: Product) -> DailyDose | NotComputed:
    """The dose with what the words add to the data."""
    if said.slots and dosage.high is None:
        return _scheme(said, product)
    day = Quantity(Fraction(1), code="d")
    most = (MaxDose(said.most_a_day, day),) if said.most_a_day is not None else ()
    completed = replace(
        dosage,
        low=dosage.low if dosage.high is not None else said.low or said.amount,
        high=dosage.high or said.amount,
        timing=dosage.timing or said.timing,
        as_needed=dosage.as_needed or said.as_needed,
        maxima=dosage.maxima or most,
    )
    dose = _structured(completed, product)
    if isinstance(dose, NotComputed):
        return dose
    return replace(dose, from_text=True, working=f"{dose.working} (read from text)")


def _scheme(said: Directions, product: Product) -> DailyDose | NotComputed:
    """The dose of "1-0-1": the counts of a day, each of one amount."""
    if said.amount is None:
        return NotComputed("dose-missing")
    one = amount(said.amount, product)
    if isinstance(one, NotComputed):
        return one
    total = one.mg * sum(said.slots)
    counts = " + ".join(map(number, said.slots))
    return DailyDose(
        low=total,
        high=total,
        single=one.mg * max(said.slots),
        dosing_day=total,
        times=Fraction(len(said.slots)),
        working=f"({counts}) × {one.words} = {number(total)} mg/day (read from text)",
        from_text=True,
    )


def _agreeing(dosage: Dosage, dose: DailyDose, said: Directions, product: Product) -> DailyDose | NotComputed:
    """The structured dose, unless its words say another one."""
    worded = _scheme(said, product) if said.slots else _filled(_as_said(dosage, said), said, product)
    if isinstance(worded, DailyDose) and (worded.high, worded.single) != (dose.high, dose.single):
        found = f"{number(dose.high)} mg/day / {number(worded.high)} mg/day"
        return NotComputed("text-conflict", f"{dosage.element}.text", found, conflict=True)
    return dose


def _as_said(dosage: Dosage, said: Directions) -> Dosage:
    """The instruction with every part that the words mention taken out, to be filled from the words."""
    return replace(
        dosage,
        low=None if said.amount is not None else dosage.low,
        high=None if said.amount is not None else dosage.high,
        timing=None if said.timing is not None else dosage.timing,
    )


def _steps(dosages: Sequence[Dosage], doses: Sequence[DailyDose]) -> list[DailyDose]:
    """The steps of a titration in order: by sequence, or by bounds that do not overlap; one when there are none."""
    if all(dosage.sequence is not None for dosage in dosages):
        order = sorted({dosage.sequence for dosage in dosages if dosage.sequence is not None})
        groups = [[d for g, d in zip(dosages, doses, strict=True) if g.sequence == n] for n in order]
        return [group[0] if len(group) == 1 else _together(group, unsaid=False) for group in groups]
    bounded = sorted(
        ((d.start, d.end, dose) for d, dose in zip(dosages, doses, strict=True) if d.start and d.end),
        key=lambda entry: entry[:2],
    )
    apart = all(a[1] < b[0] for a, b in pairwise(bounded))
    return [dose for _, _, dose in bounded] if len(bounded) == len(dosages) and apart else []


def _unsaid(dosages: Sequence[Dosage]) -> bool:
    """True when the order does not say whether its instructions are taken together or in turn."""
    return any(dosage.sequence is None for dosage in dosages)


def _together(doses: Sequence[DailyDose], unsaid: bool) -> DailyDose:
    """Concurrent instructions, added up (Q4). Doses at the same moment make one single dose."""
    high = sum((dose.high for dose in doses), ZERO)
    low = sum((dose.low for dose in doses), ZERO)
    at_bedtime = sum((dose.single for dose in doses if dose.bedtime), ZERO)
    span = number(high) if low == high else f"{number(low)} to {number(high)}"
    return DailyDose(
        low=low,
        high=high,
        single=max(at_bedtime, *(dose.single for dose in doses)),
        dosing_day=sum((dose.dosing_day for dose in doses), ZERO),
        times=sum((dose.times for dose in doses), ZERO),
        working=f"{'; '.join(dose.working for dose in doses)}; together {span} mg/day",
        bedtime=all(dose.bedtime for dose in doses),
        days=max((dose.days for dose in doses if dose.days is not None), default=None),
        from_text=any(dose.from_text for dose in doses),
        together=unsaid,
    )


def _titration(steps: Sequence[DailyDose]) -> DailyDose:
    """Steps one after the other: never added up, the dose is the largest step (Q4)."""
    largest = max(steps, key=lambda step: step.dosing_day)
    words = (
        f"{number(step.high)} mg/day for {number(step.days)} days" if step.days else f"{number(step.high)} mg/day"
        for step in steps
    )
    return DailyDose(
        low=min(step.low for step in steps),
        high=max(step.high for step in steps),
        single=max(step.single for step in steps),
        dosing_day=largest.dosing_day,
        times=max(step.times for step in steps),
        working=", then ".join(words),
        bedtime=all(step.bedtime for step in steps),
        steps=tuple(steps),
        from_text=any(step.from_text for step in steps),
        together=any(step.together for step in steps),
    )
