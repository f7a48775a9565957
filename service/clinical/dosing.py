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
from service.clinical.timing import Rate, RateUnknown, Timing, period_unit, rate

ZERO = Fraction(0)
GAPS = frozenset({"dose-missing", "frequency-missing", "daily-maximum-not-stated"})
"""What words may fill: parts that the data leaves out."""

LEFT = frozenset(
    {"frequency-missing", "daily-maximum-not-stated", "text-conflict"}
    | {"strength-unknown", "strength-conflict", "concentration-unknown"}
)
"""What is told when words were understood and there is still no dose."""

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
    if dose.reason not in GAPS:
        return dose
    filled = _filled(dosage, said, product)
    return filled if isinstance(filled, DailyDose) or filled.reason in LEFT else dose


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
    if high.mg <= 0 or not (low is high or 0 <= low.mg <= high.mg):
        return NotComputed("dose-unclear", quantity, f"{low.words} to {high.words}")
    times = rate(dosage.timing, frequency)
    if dosage.as_needed:
        regular = _dose(high, high, times, dosage, " at most (as needed)") if isinstance(times, Rate) else times
        return _as_needed(dosage, regular, high, product)
    if isinstance(times, RateUnknown):
        return _refused(times, dosage)
    return _dose(low, high, times, dosage)


def _dose(low: Amount, high: Amount, times: Rate, dosage: Dosage, note: str = "") -> DailyDose:
    most = high.mg * times.high
    least = most if low is high and times.low is times.high else low.mg * times.low
    taken = high.words if low is high or low.mg == high.mg else f"{low.words} to {high.words}"
    span = number(most) if least is most or least == most else f"{number(least)} to {number(most)}"
    bedtime = " at bedtime" if times.bedtime else ""
    return DailyDose(
        low=least,
        high=most,
        single=high.mg,
        dosing_day=most if times.on_dosing_day is times.high else high.mg * times.on_dosing_day,
        times=times.on_dosing_day,
        working=f"{taken} × {times.words}{bedtime} = {span} mg/day{note}",
        bedtime=times.bedtime,
        days=dosage.days,
    )


def _as_needed(
    dosage: Dosage, regular: DailyDose | RateUnknown, largest: Amount, product: Product
) -> DailyDose | NotComputed:
    """The worst case of an as-needed order: the smaller of what it is when taken regularly and its maximum (Q3).

    A stated maximum bounds a frequency that is not understood as well; one that contradicts itself has no dose.
    """
    ceilings = []
    for maximum in dosage.maxima:
        ceiling = _ceiling(maximum, product, dosage)
        if isinstance(ceiling, NotComputed):
            return ceiling
        ceilings.append(ceiling)
    if isinstance(regular, DailyDose):
        ceilings.append((regular.high, regular.dosing_day))
    elif regular.reason in CONFLICTS or (not ceilings and regular.reason != "frequency-missing"):
        return _refused(regular, dosage)
    if not ceilings:
        return NotComputed("daily-maximum-not-stated", f"{dosage.element}.maxDosePerPeriod", conflict=True)
    average, day = (min(each) for each in zip(*ceilings, strict=True))
    if isinstance(regular, DailyDose) and (average, day) == (regular.high, regular.dosing_day):
        return replace(regular, low=ZERO)
    on_average = "" if average == day else f", {number(average)} mg/day on average"
    return DailyDose(
        low=ZERO,
        high=average,
        single=min(largest.mg, day),
        dosing_day=day,
        times=max(Fraction(1), day / largest.mg),
        working=f"{largest.words} as needed, at most {number(day)} mg/day{on_average}",
        bedtime=isinstance(regular, DailyDose) and regular.bedtime,
        days=dosage.days,
    )


def _ceiling(maximum: MaxDose, product: Product, dosage: Dosage) -> tuple[Fraction, Fraction] | NotComputed:
    """Mg a day on average, and on one day, of ``maxDosePerPeriod``: that of a week may be taken on one day (Q2)."""
    element = f"{dosage.element}.maxDosePerPeriod"
    most = amount(maximum.amount, product)
    if isinstance(most, NotComputed):
        return most.at(element)
    if most.mg <= 0:
        return NotComputed("dose-unclear", element, most.words)
    unit = period_unit(maximum.period.code, maximum.period.unit)
    times = rate(Timing(frequency=Fraction(1), period=maximum.period.value, unit=unit), frequency)
    if isinstance(times, RateUnknown):
        return NotComputed("frequency-unknown", element, unit)
    return most.mg * times.high, most.mg * times.on_dosing_day


def _refused(unknown: RateUnknown, dosage: Dosage) -> NotComputed:
    conflict = unknown.reason in CONFLICTS
    return NotComputed(unknown.reason, f"{dosage.element}.{unknown.element}", unknown.found, conflict)


def _filled(dosage: Dosage, said: Directions, product: Product) -> DailyDose | NotComputed:
    """The dose with what the words add to the data."""
    completed = _as_needed_as_said(dosage, said)
    if said.slots:
        dose = _scheme(completed, said, product)
    else:
        timing = dosage.timing
        if said.timing is not None and _silent(timing):
            timing = replace(said.timing, count=timing.count if timing is not None else None)
        low = dosage.low if dosage.high is not None else said.low or said.amount
        dose = _structured(replace(completed, low=low, high=dosage.high or said.amount, timing=timing), product)
    return _read_from_text(dose) if isinstance(dose, DailyDose) else dose


def _silent(timing: Timing | None) -> bool:
    """True when a timing says nothing of how often: only bounds or a count."""
    return timing is None or timing == Timing(count=timing.count)


def _as_needed_as_said(dosage: Dosage, said: Directions) -> Dosage:
    """The instruction as needed, and at most so much a day, where the words say so and the data does not."""
    if not (dosage.as_needed or said.as_needed):
        return dosage
    maxima = dosage.maxima
    if said.most_a_day is not None and not maxima:
        maxima = (MaxDose(said.most_a_day, Quantity(Fraction(1), code="d")),)
    return dosage if dosage.as_needed and maxima is dosage.maxima else replace(dosage, as_needed=True, maxima=maxima)


def _read_from_text(dose: DailyDose) -> DailyDose:
    return replace(dose, from_text=True, working=f"{dose.working} (read from text)")


def _scheme(dosage: Dosage, said: Directions, product: Product) -> DailyDose | NotComputed:
    """The dose of "1-0-1": the counts of a day, each of one amount. What the data says must be the same."""
    one = amount(said.amount, product) if said.amount is not None else NotComputed("dose-missing")
    if isinstance(one, NotComputed):
        return one
    largest = Amount(one.mg * max(said.slots), f"{number(max(said.slots))} × {one.words}")
    differing = _unlike_scheme(dosage, len(said.slots), largest, product)
    if differing is not None:
        return differing
    total = one.mg * sum(said.slots)
    counts = " + ".join(map(number, said.slots))
    dose = DailyDose(
        low=total,
        high=total,
        single=largest.mg,
        dosing_day=total,
        times=Fraction(len(said.slots)),
        working=f"({counts}) × {one.words} = {number(total)} mg/day",
        days=dosage.days,
    )
    return _as_needed(dosage, dose, largest, product) if dosage.as_needed else dose


def _unlike_scheme(dosage: Dosage, times: int, largest: Amount, product: Product) -> NotComputed | None:
    """Why data beside a scheme does not go with it: another number of times, another amount; None when it does."""
    stated = None if _silent(dosage.timing) else rate(dosage.timing, frequency)
    if isinstance(stated, RateUnknown):
        return _refused(stated, dosage)
    given = amount(dosage.high, product) if dosage.high is not None else largest
    if stated is not None and not stated.low <= times <= stated.high:
        found = f"{stated.words} / {times} a day"
    elif isinstance(given, Amount) and given.mg != largest.mg:
        found = f"{given.words} / {largest.words}"
    else:
        return None
    return NotComputed("text-conflict", f"{dosage.element}.text", found, conflict=True)


def _agreeing(dosage: Dosage, dose: DailyDose, said: Directions, product: Product) -> DailyDose | NotComputed:
    """The structured dose, "as needed" where the words add that; none where they say another dose."""
    completed = _as_needed_as_said(dosage, said)
    added = dose if completed is dosage else _structured(completed, product)
    if isinstance(added, NotComputed):
        return dose
    worded = _filled(_as_said(completed, said), said, product)
    if isinstance(worded, DailyDose) and (worded.high, worded.single) != (added.high, added.single):
        found = f"{number(added.high)} mg/day / {number(worded.high)} mg/day"
        return NotComputed("text-conflict", f"{dosage.element}.text", found, conflict=True)
    return dose if added == dose else _read_from_text(added)


def _as_said(dosage: Dosage, said: Directions) -> Dosage:
    """The instruction with every part that the words mention taken out, to be filled from the words."""
    timing = dosage.timing
    if said.timing is not None or said.slots:
        timing = Timing(count=timing.count) if timing is not None else None
    return replace(
        dosage,
        low=None if said.amount is not None else dosage.low,
        high=None if said.amount is not None else dosage.high,
        timing=timing,
        maxima=() if said.most_a_day is not None else dosage.maxima,
    )


def _steps(dosages: Sequence[Dosage], doses: Sequence[DailyDose]) -> list[DailyDose]:
    """The steps of a titration in order: by sequence, or by bounds that do not overlap; none when there are none.

    Bounds may be open at the beginning of the first and at the end of the last.
    """
    if all(dosage.sequence is not None for dosage in dosages):
        order = sorted({dosage.sequence for dosage in dosages if dosage.sequence is not None})
        groups = [[d for g, d in zip(dosages, doses, strict=True) if g.sequence == n] for n in order]
        return [group[0] if len(group) == 1 else _together(group, unsaid=False) for group in groups]
    bounded = sorted(
        ((d.start or date.min, d.end or date.max, dose) for d, dose in zip(dosages, doses, strict=True)),
        key=lambda entry: entry[:2],
    )
    in_turn = all(a[1] < b[0] for a, b in pairwise(bounded)) and all(start <= end for start, end, _ in bounded)
    return [dose for _, _, dose in bounded] if in_turn else []


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
