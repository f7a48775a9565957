"""The dose of one instruction from its data alone, as needed or regular (rules Q1 to Q3, Q8)."""

from dataclasses import replace
from fractions import Fraction

from service.dosing.amount import Amount, NotComputed, Product, amount
from service.dosing.dosage import DailyDose, Dosage, MaxDose
from service.dosing.freetext import frequency
from service.dosing.numbers import number
from service.dosing.timing import Rate, RateUnknown, Timing, period_unit, rate

ZERO = Fraction(0)

CONFLICTS = frozenset({"frequency-conflict", "daily-maximum-not-stated", "text-conflict"})
"""Reasons that are contradictions or open ends rather than gaps; they are shown as a warning (R28)."""


def structured_dose(dosage: Dosage, product: Product) -> DailyDose | NotComputed:
    """The dose that amount, timing and maxima of the data give; words are not looked at."""
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
        return as_needed_dose(dosage, regular, high, product)
    if isinstance(times, RateUnknown):
        return refused(times, dosage)
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


def as_needed_dose(
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
        return refused(regular, dosage)
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


def refused(unknown: RateUnknown, dosage: Dosage) -> NotComputed:
    """Why a frequency gives no dose, with the path of its element in the order."""
    conflict = unknown.reason in CONFLICTS
    return NotComputed(unknown.reason, f"{dosage.element}.{unknown.element}", unknown.found, conflict)
