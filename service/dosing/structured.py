"""The daily dose from the structured data of one instruction, ignoring its text (rules Q1 to Q3, Q5, Q6)."""

from dataclasses import replace
from fractions import Fraction

from service.dosing.amount import Amount, NotComputed, Product, Quantity, amount, number
from service.dosing.dosage import ZERO, DailyDose, Dosage, MaxDose, Timing
from service.dosing.timing import Rate, rate
from service.dosing.units import period_unit

NO_STRENGTH = frozenset({"strength-unknown", "concentration-unknown"})


def structured_dose(dosage: Dosage, product: Product) -> DailyDose | NotComputed:
    """The dose that amount, timing and maxima of the data give; words are ignored."""
    found = amounts(dosage, product)
    if isinstance(found, NotComputed):
        return found
    low, high = found
    most = amount(dosage.most_at_once, product) if dosage.most_at_once is not None else high
    if not isinstance(most, NotComputed) and most.mg < high.mg:
        element = f"{dosage.element}.maxDosePerAdministration"
        return NotComputed("above-own-maximum", element, f"{high.words} / {most.words}", conflict=True)
    times = rate(dosage.timing)
    if dosage.as_needed:
        regular = _dose(high, high, times, dosage, " at most (as needed)") if isinstance(times, Rate) else times
        return as_needed_dose(dosage, regular, high, product)
    if isinstance(times, NotComputed):
        return refused(times, dosage)
    return _at_most(_dose(low, high, times, dosage), high, dosage, product)


def amounts(dosage: Dosage, product: Product) -> tuple[Amount, Amount] | NotComputed:
    """Lowest and highest single dose. Several doses of one instruction must say the same in mg."""
    if dosage.high is None:
        return NotComputed("dose-missing", f"{dosage.element}.doseAndRate")
    found: list[tuple[Amount, Amount] | NotComputed] = []
    for n, (least, most) in enumerate(((dosage.low, dosage.high), *dosage.others)):
        found.append(_range(least, most, f"{dosage.element}.doseAndRate[{n}].doseQuantity", product))
    known = [pair for pair in found if not isinstance(pair, NotComputed)]
    unclear = next(
        (p for p in found if isinstance(p, NotComputed) and (not known or p.reason not in NO_STRENGTH)), None
    )
    if unclear is not None:
        return unclear
    if any((low.mg, high.mg) != (known[0][0].mg, known[0][1].mg) for low, high in known):
        words = ", ".join(_taken(low, high) for low, high in known)
        return NotComputed("doses-differ", f"{dosage.element}.doseAndRate", words, conflict=True)
    return known[0]


def _range(
    least: Quantity | None, most: Quantity | None, element: str, product: Product
) -> tuple[Amount, Amount] | NotComputed:
    high = amount(most, product) if most is not None else NotComputed("dose-missing")
    low = high if least is None or least == most else amount(least, product)
    if isinstance(high, NotComputed):
        return high.at(element)
    if isinstance(low, NotComputed):
        return low.at(element)
    if high.mg <= 0 or not (low is high or 0 <= low.mg <= high.mg):
        return NotComputed("dose-unclear", element, f"{low.words} to {high.words}")
    return low, high


def _taken(low: Amount, high: Amount) -> str:
    return high.words if low is high or low.mg == high.mg else f"{low.words} to {high.words}"


def _dose(low: Amount, high: Amount, times: Rate, dosage: Dosage, note: str = "") -> DailyDose:
    most = high.mg * times.high
    least = most if low is high and times.low is times.high else low.mg * times.low
    day = most if times.on_dosing_day is times.high else high.mg * times.on_dosing_day
    daily = times.daily and (dosage.days is None or dosage.days > 1)
    span = number(most) if least is most or least == most else f"{number(least)} to {number(most)}"
    gives = f"{span} mg/day" if daily else f"{number(day)} mg on a dosing day"
    bedtime = " at bedtime" if times.bedtime else ""
    return DailyDose(
        low=least,
        high=most,
        single=high.mg,
        dosing_day=day,
        times=times.on_dosing_day,
        working=f"{_taken(low, high)} × {times.words}{bedtime} = {gives}{note}",
        bedtime=times.bedtime,
        daily=daily,
        days=dosage.days,
    )


def _at_most(regular: DailyDose, largest: Amount, dosage: Dosage, product: Product) -> DailyDose:
    """No more than the order allows a day: "every 6 hours, at most 3 tablets a day" is not four."""
    capped = as_needed_dose(dosage, regular, largest, product) if dosage.maxima else regular
    same = (regular.high, regular.dosing_day)
    if isinstance(capped, NotComputed) or (capped.high, capped.dosing_day) == same:
        return regular
    words = f"{regular.working}, but at most {number(capped.dosing_day)} mg/day"
    return replace(capped, low=min(regular.low, capped.high), working=words)


def as_needed_dose(
    dosage: Dosage, regular: DailyDose | NotComputed, largest: Amount, product: Product
) -> DailyDose | NotComputed:
    """The worst case of an as-needed order: the smaller of what it is when taken regularly and its maximum (Q3).

    A stated maximum bounds a frequency that is not understood as well; one that contradicts itself has no dose.
    """
    ceilings = []
    for maximum in dosage.maxima:
        ceiling = _ceiling(maximum, largest, product, dosage)
        if isinstance(ceiling, NotComputed):
            return ceiling
        ceilings.append(ceiling)
    if isinstance(regular, DailyDose):
        ceilings.append((regular.high, regular.dosing_day))
    elif regular.conflict or (not ceilings and regular.reason != "frequency-missing"):
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
        daily=not isinstance(regular, DailyDose) or regular.daily,
        days=dosage.days,
    )


def _ceiling(
    maximum: MaxDose, largest: Amount, product: Product, dosage: Dosage
) -> tuple[Fraction, Fraction] | NotComputed:
    """Mg a day on average, and on one day, of ``maxDosePerPeriod``: that of a week may be taken on one day (Q2)."""
    element = f"{dosage.element}.maxDosePerPeriod"
    most = amount(maximum.amount, product, largest)
    if isinstance(most, NotComputed):
        return most.at(element)
    if most.mg <= 0:
        return NotComputed("dose-unclear", element, most.words)
    unit = period_unit(maximum.period.code, maximum.period.unit)
    times = rate(Timing(frequency=Fraction(1), period=maximum.period.value, unit=unit))
    if isinstance(times, NotComputed):
        return NotComputed("frequency-unknown", element, unit)
    return most.mg * times.high, most.mg * times.on_dosing_day


def refused(unknown: NotComputed, dosage: Dosage) -> NotComputed:
    """Why a frequency gives no dose, with the path of its element in the order."""
    return replace(unknown, element=f"{dosage.element}.{unknown.element}")
