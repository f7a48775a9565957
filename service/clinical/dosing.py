"""The daily dose of an order in mg, exact, with its working; or why it cannot be told (rules Q1 to Q6).

Nothing is guessed: an unknown unit, strength or frequency gives ``NotComputed`` with the element, what stood
there and what would be needed. No exception leaves this module for any ``Dosage``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from service.clinical.terminology import Recognition, Strength, fold
from service.clinical.timing import Rate, RateUnknown, Timing, number, rate
from service.clinical.units import UCUM, Kind, Unit, same_unit, unit_of_code, unit_of_text


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount as ordered: exact value, unit text, unit code and the code's system."""

    value: Fraction
    unit: str = ""
    code: str = ""
    system: str = UCUM


@dataclass(frozen=True, slots=True)
class MaxDose:
    """``maxDosePerPeriod``: at most this amount in this many units of time."""

    amount: Quantity
    period: Quantity


@dataclass(frozen=True, slots=True)
class Dosage:
    """One dosage instruction in clinical words. ``unreadable`` lists elements that had to be left out."""

    low: Quantity | None = None
    high: Quantity | None = None
    timing: Timing | None = None
    as_needed: bool = False
    maximum: MaxDose | None = None
    sequence: int | None = None
    text: str = ""
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DailyDose:
    """mg a day, [low, high]; the largest single dose; the most on one dosing day; and the working.

    ``high`` is an average over days; a weekly dose is not a small daily one, so rules about harm also look
    at ``dosing_day`` (Q2). ``times`` is doses a day at most.
    """

    low: Fraction
    high: Fraction
    single: Fraction
    dosing_day: Fraction
    times: Fraction
    working: str
    bedtime: bool = False


@dataclass(frozen=True, slots=True)
class NotComputed:
    """Why there is no dose: a reason (key of the not-checked card), the element and what stood there."""

    reason: str
    element: str
    found: str = ""
    conflict: bool = False


CONFLICTS = frozenset({"unit-conflict", "strength-conflict", "frequency-conflict", "daily-maximum-not-stated"})
"""Reasons that are contradictions or open ends rather than gaps; they are shown as a warning (R28)."""


def daily_dose(
    dosages: Sequence[Dosage], recognised: Recognition, drug: str, label: str, stated: Sequence[Strength] = ()
) -> DailyDose | NotComputed:
    """The daily dose of ``drug`` in this order.

    ``stated`` are strengths from a Medication resource. For a combination product the drug's own part is
    counted (Q8).
    """
    if not dosages:
        return NotComputed("dose-missing", "dosageInstruction")
    if len(dosages) > 1:
        return NotComputed("several-dosages", "dosageInstruction", str(len(dosages)))
    dosage = dosages[0]
    if dosage.unreadable:
        return NotComputed("element-unreadable", dosage.unreadable[0])
    if dosage.high is None:
        return NotComputed("dose-missing", "dosageInstruction[0].doseAndRate")
    strength = _strength(recognised, drug, label, stated)
    amount = _milligrams(dosage.high, strength)
    lowest = _milligrams(dosage.low, strength) if dosage.low is not None else amount
    for problem in (amount, lowest):
        if isinstance(problem, NotComputed):
            return problem
    assert not isinstance(amount, NotComputed)
    assert not isinstance(lowest, NotComputed)
    if lowest.mg > amount.mg or amount.mg <= 0:
        return NotComputed("dose-unclear", "dosageInstruction[0].doseAndRate", amount.words)
    frequency = rate(dosage.timing)
    if dosage.as_needed:
        return _as_needed(dosage, frequency, amount, strength)
    if isinstance(frequency, RateUnknown):
        return _refused(frequency)
    return _dose(lowest, amount, frequency, "")


@dataclass(frozen=True, slots=True)
class _Amount:
    mg: Fraction
    words: str


def _dose(lowest: "_Amount", amount: "_Amount", frequency: Rate, note: str) -> DailyDose:
    high = amount.mg * frequency.high
    low = lowest.mg * frequency.low
    span = f"{number(low)} to {number(high)}" if low != high else number(high)
    taken = amount.words if lowest.mg == amount.mg else f"{lowest.words} to {amount.words}"
    bedtime = " at bedtime" if frequency.bedtime else ""
    return DailyDose(
        low=low,
        high=high,
        single=amount.mg,
        dosing_day=amount.mg * frequency.on_dosing_day,
        times=frequency.on_dosing_day,
        working=f"{taken} × {frequency.words}{bedtime} = {span} mg/day{note}",
        bedtime=frequency.bedtime,
    )


def _as_needed(
    dosage: Dosage, frequency: Rate | RateUnknown, amount: "_Amount", strength: "Strength | NotComputed"
) -> DailyDose | NotComputed:
    """The worst case of an as-needed order: the smaller of its frequency and its stated maximum (Q3)."""
    ceiling = _ceiling(dosage.maximum, strength) if dosage.maximum is not None else None
    if isinstance(ceiling, NotComputed):
        return ceiling
    nothing = _Amount(Fraction(0), "0")
    if isinstance(frequency, Rate):
        dose = _dose(nothing, amount, frequency, " at most (as needed)")
        if ceiling is None or ceiling >= dose.high:
            return dose
    if ceiling is None:
        if isinstance(frequency, RateUnknown) and frequency.reason != "frequency-missing":
            return _refused(frequency)
        return NotComputed("daily-maximum-not-stated", "dosageInstruction[0].maxDosePerPeriod", conflict=True)
    times = max(Fraction(1), ceiling / amount.mg)
    words = f"{amount.words} as needed, at most {number(ceiling)} mg/day"
    return DailyDose(Fraction(0), ceiling, min(amount.mg, ceiling), ceiling, times, words)


def _ceiling(maximum: MaxDose, strength: "Strength | NotComputed") -> Fraction | NotComputed:
    """Mg a day of ``maxDosePerPeriod``; its period must be one day or less than one for it to cap a day."""
    amount = _milligrams(maximum.amount, strength)
    if isinstance(amount, NotComputed):
        return amount
    one = Timing(frequency=Fraction(1), period=maximum.period.value, unit=maximum.period.code)
    period = rate(one)
    if isinstance(period, RateUnknown):
        return NotComputed("frequency-unknown", "dosageInstruction[0].maxDosePerPeriod", maximum.period.code)
    return amount.mg * period.high


def _refused(unknown: RateUnknown) -> NotComputed:
    return NotComputed(
        unknown.reason, f"dosageInstruction[0].{unknown.element}", unknown.found, unknown.reason in CONFLICTS
    )


def _milligrams(quantity: Quantity, strength: "Strength | NotComputed") -> "_Amount | NotComputed":
    """The mass of an amount; a number of tablets needs the strength of the product (Q5)."""
    unit = _unit(quantity)
    if isinstance(unit, NotComputed):
        return unit
    if unit.kind is Kind.MASS:
        mg = quantity.value * unit.mg
        words = f"{number(quantity.value)} {unit.name}"
        return _Amount(mg, words)
    if isinstance(strength, NotComputed):
        return strength
    pieces = number(quantity.value)
    name = unit.name if quantity.value == 1 else f"{unit.name}s"
    return _Amount(quantity.value * strength.mg, f"{pieces} {name} × {number(strength.mg)} mg ({strength.evidence})")


def _unit(quantity: Quantity) -> Unit | NotComputed:
    element = "dosageInstruction[0].doseAndRate[0].doseQuantity"
    coded = unit_of_code(quantity.code, quantity.system) if quantity.code else None
    worded = unit_of_text(quantity.unit) if quantity.unit else None
    if coded and worded and not same_unit(coded, worded):
        return NotComputed("unit-conflict", element, f"{quantity.unit} / {quantity.code}", conflict=True)
    if not quantity.code and not quantity.unit:
        return NotComputed("unit-missing", f"{element}.unit")
    if quantity.code and coded is None:
        return NotComputed("unit-unknown", f"{element}.code", quantity.code)
    if quantity.unit and worded is None and coded is None:
        return NotComputed("unit-unknown", f"{element}.unit", quantity.unit)
    unit = coded or worded
    assert unit is not None
    return unit


_MG_IN_TEXT = re.compile(r"(?<![\w.,/-])(\d{1,4}(?:[.,]\d{1,3})?)\s*mg(?![\w/])")


def strengths_in_text(label: str) -> tuple[Fraction, ...]:
    """The different strengths in mg that a label states; "mg/mL" is a concentration and is not one."""
    found = (Fraction(match.replace(",", ".")) for match in _MG_IN_TEXT.findall(fold(label)))
    return tuple(dict.fromkeys(found))


def _strength(recognised: Recognition, drug: str, label: str, stated: Sequence[Strength]) -> Strength | NotComputed:
    """Mg a tablet: from the Medication, the product code, then the label; sources that differ are a conflict."""
    element = "medication"
    known = [s for s in (*stated, *recognised.strengths) if s.drug == drug]
    in_text = () if recognised.combination else strengths_in_text(label)
    if len(in_text) == 1:
        known.append(Strength(drug, in_text[0], "label text"))
    values = {s.mg for s in known}
    if len(values) > 1:
        found = ", ".join(f"{number(s.mg)} mg ({s.evidence})" for s in known)
        return NotComputed("strength-conflict", element, found, conflict=True)
    if not known or known[0].mg <= 0:
        return NotComputed("strength-unknown", element)
    return known[0]
