"""Several instructions of one order: steps one after the other, or taken together (rule Q4)."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise

from service.dosing.dosage import DailyDose, Dosage
from service.dosing.numbers import number

ZERO = Fraction(0)


def combined(dosages: Sequence[Dosage], doses: Sequence[DailyDose]) -> DailyDose:
    """The dose of the whole order; the instructions and their doses in the same order, at least one."""
    if len(doses) == 1:
        return doses[0]
    steps = _steps(dosages, doses)
    return _titration(steps) if len(steps) > 1 else _together(doses, _unsaid(dosages))


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
