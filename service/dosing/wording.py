"""The dose of one instruction whose words add to its data, repeat it, or contradict it.

Data decides: words fill what it leaves out, and where the two disagree there is no dose.
"""

from dataclasses import replace
from fractions import Fraction

from service.dosing.amount import Amount, NotComputed, Product, Quantity, amount
from service.dosing.dosage import DailyDose, Dosage, MaxDose
from service.dosing.freetext import Directions, frequency
from service.dosing.instruction import as_needed_dose, refused, structured_dose
from service.dosing.numbers import number
from service.dosing.timing import RateUnknown, Timing, rate


def filled(dosage: Dosage, said: Directions, product: Product) -> DailyDose | NotComputed:
    """The dose with what the words add to the data."""
    completed = _as_needed_as_said(dosage, said)
    if said.slots:
        dose = _scheme(completed, said, product)
    else:
        timing = dosage.timing
        if said.timing is not None and _silent(timing):
            timing = replace(said.timing, count=timing.count if timing is not None else None)
        low = dosage.low if dosage.high is not None else said.low or said.amount
        dose = structured_dose(replace(completed, low=low, high=dosage.high or said.amount, timing=timing), product)
    return _read_from_text(dose) if isinstance(dose, DailyDose) else dose


def agreeing(dosage: Dosage, dose: DailyDose, said: Directions, product: Product) -> DailyDose | NotComputed:
    """The structured dose, "as needed" where the words add that; none where they say another dose."""
    completed = _as_needed_as_said(dosage, said)
    added = dose if completed is dosage else structured_dose(completed, product)
    if isinstance(added, NotComputed):
        return dose
    worded = filled(_as_said(completed, said), said, product)
    if isinstance(worded, DailyDose) and (worded.high, worded.single) != (added.high, added.single):
        found = f"{number(added.high)} mg/day / {number(worded.high)} mg/day"
        return NotComputed("text-conflict", f"{dosage.element}.text", found, conflict=True)
    return dose if added == dose else _read_from_text(added)


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
    return as_needed_dose(dosage, dose, largest, product) if dosage.as_needed else dose


def _unlike_scheme(dosage: Dosage, times: int, largest: Amount, product: Product) -> NotComputed | None:
    """Why data beside a scheme does not go with it: another number of times, another amount; None when it does."""
    stated = None if _silent(dosage.timing) else rate(dosage.timing, frequency)
    if isinstance(stated, RateUnknown):
        return refused(stated, dosage)
    given = amount(dosage.high, product) if dosage.high is not None else largest
    if stated is not None and not stated.low <= times <= stated.high:
        found = f"{stated.words} / {times} a day"
    elif isinstance(given, Amount) and given.mg != largest.mg:
        found = f"{given.words} / {largest.words}"
    else:
        return None
    return NotComputed("text-conflict", f"{dosage.element}.text", found, conflict=True)
