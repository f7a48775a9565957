"""The daily dose of an order in mg, exact, with its working; or why it cannot be told (rules Q1 to Q6, Q8).

Nothing is guessed: an unknown unit, strength or frequency gives ``NotComputed`` with the element and what stood
there. Structured data decides; words only fill what it leaves out, and where the two disagree there is no dose.
No exception leaves this module for any ``Dosage``.

Doses are intervals. An as-needed order is its worst case.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from service.dosing.amount import Amount, NotComputed, Product, Quantity, amount, is_count_of_doses, number
from service.dosing.dosage import ZERO, DailyDose, Dosage, MaxDose, combined
from service.dosing.freetext import Directions, directions, frequency
from service.dosing.timing import IMPLAUSIBLE, Rate, RateUnknown, Timing, period_unit, rate

GAPS = frozenset({"dose-missing", "frequency-missing", "daily-maximum-not-stated"})
"""What words may fill: parts that the data leaves out."""

LEFT = frozenset(
    {"frequency-missing", "daily-maximum-not-stated", "text-conflict", IMPLAUSIBLE}
    | {"strength-unknown", "strength-conflict", "concentration-unknown"}
)
"""What is told when words were understood and there is still no dose."""

CONFLICTS = frozenset({"frequency-conflict", IMPLAUSIBLE, "daily-maximum-not-stated", "text-conflict"})
"""Reasons that are contradictions or open ends rather than gaps; they are shown as a warning (R28)."""

NO_STRENGTH = frozenset({"strength-unknown", "concentration-unknown"})
SHOWN = 80
"""So many characters of words that were not understood are shown."""


def daily_dose(dosages: Sequence[Dosage], product: Product) -> DailyDose | NotComputed:
    """The daily dose of the product's drug; for a combination product the drug's own part (Q8).

    Instructions to take nothing, as in the scheme 1-0-1 sent as three, count as nothing beside others.
    """
    if not dosages:
        return NotComputed("dose-missing", "dosageInstruction")
    taken = [dosage for dosage in dosages if not _nothing(dosage)] or list(dosages)
    doses: list[DailyDose] = []
    for dosage in taken:
        dose = _instruction(dosage, product)
        if isinstance(dose, NotComputed):
            whole = _whole_in_words(taken, product) if dose.reason == "text-conflict" and len(taken) > 1 else None
            return whole or dose
        doses.append(dose)
    return combined(taken, doses)


def _whole_in_words(dosages: Sequence[Dosage], product: Product) -> DailyDose | None:
    """The dose of the data, where the words of one part say that of the whole, as in Swiss split dosing."""
    silent = [replace(dosage, text="") for dosage in dosages]
    found = [structured_dose(dosage, product) for dosage in silent]
    doses = [dose for dose in found if isinstance(dose, DailyDose)]
    if len(doses) < len(found) or any(dosage.unreadable for dosage in dosages):
        return None
    whole = combined(silent, doses)
    for dosage, dose in zip(dosages, doses, strict=True):
        said = directions(dosage.text) if dosage.text else None
        worded = _filled(_as_said(dosage, said), said, product) if said is not None else whole
        if not isinstance(worded, DailyDose) or worded.high not in (whole.high, dose.high):
            return None
    return whole


def _nothing(dosage: Dosage) -> bool:
    if dosage.unreadable or dosage.high is None:
        return False
    return dosage.high.value == 0 and all(high is not None and high.value == 0 for _, high in dosage.others)


def _instruction(dosage: Dosage, product: Product) -> DailyDose | NotComputed:
    """The dose of one instruction from its data; from its words only what the data leaves out."""
    if dosage.unreadable:
        return NotComputed("element-unreadable", dosage.unreadable[0], dosage.found)
    said = directions(dosage.text) if dosage.text else None
    dose = structured_dose(dosage, product)
    if said is None:
        return _not_understood(dosage, dose)
    if isinstance(dose, DailyDose):
        return _agreeing(dosage, dose, said, product)
    if dose.reason not in GAPS:
        return dose
    worded = _filled(dosage, said, product)
    if isinstance(worded, DailyDose) or worded.reason in LEFT:
        return worded
    return dose if worded.reason == "dose-missing" else _not_understood(dosage, dose)


def _not_understood(dosage: Dosage, dose: DailyDose | NotComputed) -> DailyDose | NotComputed:
    """The dose of the data as it is; where the data leaves something out, that there are words that do not tell it."""
    if dosage.text and isinstance(dose, NotComputed) and dose.reason in ("dose-missing", "frequency-missing"):
        words = " ".join(dosage.text.split())
        found = words if len(words) <= SHOWN else f"{words[:SHOWN]}…"
        return NotComputed("dose-in-words", f"{dosage.element}.text", found)
    return dose


def structured_dose(dosage: Dosage, product: Product) -> DailyDose | NotComputed:
    """The dose that amount, timing and maxima of the data give; words are not looked at."""
    found = _amounts(dosage, product)
    if isinstance(found, NotComputed):
        return found
    low, high = found
    times = rate(dosage.timing, frequency)
    if dosage.as_needed:
        regular = _dose(high, high, times, dosage, " at most (as needed)") if isinstance(times, Rate) else times
        return _as_needed(dosage, regular, high, product)
    if isinstance(times, RateUnknown):
        return _refused(times, dosage)
    return _dose(low, high, times, dosage)


def _amounts(dosage: Dosage, product: Product) -> tuple[Amount, Amount] | NotComputed:
    """Lowest and highest single dose. Several doses of one instruction must say the same in mg."""
    if dosage.high is None:
        return NotComputed("dose-missing", f"{dosage.element}.doseAndRate")
    found: list[tuple[Amount, Amount] | NotComputed] = []
    for n, (least, most) in enumerate(((dosage.low, dosage.high), *dosage.others)):
        found.append(_range(least, most, f"{dosage.element}.doseAndRate[{n}].doseQuantity", product))
    told = [pair for pair in found if not isinstance(pair, NotComputed)]
    unclear = next((p for p in found if isinstance(p, NotComputed) and not (told and p.reason in NO_STRENGTH)), None)
    if unclear is not None:
        return unclear
    if any((low.mg, high.mg) != (told[0][0].mg, told[0][1].mg) for low, high in told):
        words = ", ".join(_taken(low, high) for low, high in told)
        return NotComputed("doses-differ", f"{dosage.element}.doseAndRate", words, conflict=True)
    return told[0]


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


def _as_needed(
    dosage: Dosage, regular: DailyDose | RateUnknown, largest: Amount, product: Product
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
        daily=not isinstance(regular, DailyDose) or regular.daily,
        days=dosage.days,
    )


def _ceiling(
    maximum: MaxDose, largest: Amount, product: Product, dosage: Dosage
) -> tuple[Fraction, Fraction] | NotComputed:
    """Mg a day on average, and on one day, of ``maxDosePerPeriod``: that of a week may be taken on one day (Q2).

    A maximum of so many doses is that many of the largest single dose.
    """
    element = f"{dosage.element}.maxDosePerPeriod"
    if is_count_of_doses(maximum.amount):
        most: Amount | NotComputed = replace(largest, mg=largest.mg * maximum.amount.value)
    else:
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
    """Why a frequency gives no dose, with the path of its element in the order."""
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
        others = dosage.others
        high = dosage.high
        low = dosage.low if high is not None else said.low or said.amount
        if high is None and said.total is not None:
            others = ((said.total_low or said.total, said.total),)
        completed = replace(completed, low=low, high=high or said.amount, others=others, timing=timing)
        dose = structured_dose(completed, product)
        if isinstance(dose, NotComputed) and dose.reason == "doses-differ":
            return NotComputed("text-conflict", f"{dosage.element}.text", dose.found, conflict=True)
    return _read_from_text(dose) if isinstance(dose, DailyDose) else dose


def _agreeing(dosage: Dosage, dose: DailyDose, said: Directions, product: Product) -> DailyDose | NotComputed:
    """The structured dose, "as needed" where the words add that; none where they say another dose."""
    completed = _as_needed_as_said(dosage, said)
    added = dose if completed is dosage else structured_dose(completed, product)
    if isinstance(added, NotComputed):
        return dose
    worded = _filled(_as_said(completed, said), said, product)
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
    amounts = (None, None) if said.amount is not None else (dosage.low, dosage.high)
    return replace(
        dosage,
        low=amounts[0],
        high=amounts[1],
        others=() if said.amount is not None else dosage.others,
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
