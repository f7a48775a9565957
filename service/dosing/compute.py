"""The daily dose of an order in mg, exact, with its working; or why it cannot be told (rules Q1 to Q6, Q8).

Nothing is guessed: an unknown unit, strength or frequency gives ``NotComputed`` with the element and what stood
there. Structured data decides; words only fill what it leaves out, and where the two disagree there is no dose.
No exception leaves this module for any ``Dosage``.

Doses are intervals. An as-needed order is its worst case. Instructions with different ``sequence`` are steps and
never added up; the others are taken together and are.
"""

from collections.abc import Sequence

from service.dosing.amount import NotComputed, Product
from service.dosing.dosage import DailyDose, Dosage
from service.dosing.freetext import directions
from service.dosing.instruction import structured_dose
from service.dosing.regimen import combined
from service.dosing.wording import agreeing, filled

GAPS = frozenset({"dose-missing", "frequency-missing", "daily-maximum-not-stated"})
"""What words may fill: parts that the data leaves out."""

LEFT = frozenset(
    {"frequency-missing", "daily-maximum-not-stated", "text-conflict"}
    | {"strength-unknown", "strength-conflict", "concentration-unknown"}
)
"""What is told when words were understood and there is still no dose."""


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
    return combined(dosages, doses)


def _instruction(dosage: Dosage, product: Product) -> DailyDose | NotComputed:
    """The dose of one instruction from its data; from its words only what the data leaves out."""
    if dosage.unreadable:
        return NotComputed("element-unreadable", dosage.unreadable[0])
    said = directions(dosage.text) if dosage.text else None
    dose = structured_dose(dosage, product)
    if said is None:
        return _not_understood(dosage, dose)
    if isinstance(dose, DailyDose):
        return agreeing(dosage, dose, said, product)
    if dose.reason not in GAPS:
        return dose
    worded = filled(dosage, said, product)
    if isinstance(worded, DailyDose) or worded.reason in LEFT:
        return worded
    return dose if worded.reason == "dose-missing" else _not_understood(dosage, dose)


def _not_understood(dosage: Dosage, dose: DailyDose | NotComputed) -> DailyDose | NotComputed:
    """The dose of the data as it is; where the data has no amount, that there are words and they tell none."""
    if dosage.text and isinstance(dose, NotComputed) and dose.reason == "dose-missing":
        return NotComputed("dose-in-words", f"{dosage.element}.text")
    return dose
