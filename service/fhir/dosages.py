"""Dosage instructions in clinical words, from the one shape that ``versions`` brings them to."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from fhir.resources.R4B.dosage import Dosage as FhirDosage
from fhir.resources.R4B.quantity import Quantity as FhirQuantity
from fhir.resources.R4B.timing import Timing as FhirTiming

from service.clinical.dosing import Dosage, MaxDose, Quantity
from service.clinical.terminology import Coding
from service.clinical.timing import Timing
from service.fhir.numbers import exact

_HARMLESS = (".timing.repeat.bounds", ".text", ".route", ".timing.event")
"""Elements without which a single dosage instruction still says how much and how often."""


def dosages(read: Sequence[FhirDosage] | None, dropped: Sequence[str], element: str) -> tuple[Dosage, ...]:
    """The dosage instructions of an order. ``dropped`` are refused paths; ``element`` is the list's name.

    An instruction that lost an element its dose rests on says so, and no dose is computed from it. When a
    whole instruction was refused, none of the others can be read as "all there is".
    """
    lost = [path for path in dropped if path == element or _whole(path, element)]
    if not read:
        return (Dosage(unreadable=tuple(lost)),) if lost else ()
    return tuple(_dosage(one, tuple(lost) or _harmful(dropped, f"{element}[{i}]")) for i, one in enumerate(read))


def _whole(path: str, element: str) -> bool:
    return path.startswith(f"{element}[") and path.endswith("]") and "." not in path[len(element) :]


def _harmful(dropped: Sequence[str], prefix: str) -> tuple[str, ...]:
    paths = (path for path in dropped if path.startswith(prefix))
    return tuple(path for path in paths if not path[len(prefix) :].startswith(_HARMLESS))


def _dosage(one: FhirDosage, unreadable: tuple[str, ...]) -> Dosage:
    lows, highs = [], []
    for dose in one.doseAndRate or ():
        if dose.doseRange is not None:
            lows.append(_quantity(dose.doseRange.low))
            highs.append(_quantity(dose.doseRange.high))
        elif dose.doseQuantity is not None:
            lows.append(_quantity(dose.doseQuantity))
            highs.append(_quantity(dose.doseQuantity))
    if len(highs) > 1:
        unreadable = (*unreadable, "doseAndRate")
    return Dosage(
        low=lows[0] if lows else None,
        high=highs[0] if highs else None,
        timing=_timing(one.timing),
        as_needed=bool(one.asNeededBoolean) or one.asNeededCodeableConcept is not None,
        maximum=_maximum(one.maxDosePerPeriod),
        sequence=one.sequence,
        text=one.text or "",
        unreadable=unreadable,
    )


def _quantity(quantity: FhirQuantity | None) -> Quantity | None:
    if quantity is None:
        return None
    value = exact(quantity.value)
    if value is None or quantity.comparator is not None:
        return None
    return Quantity(value, quantity.unit or "", quantity.code or "", quantity.system or "")


def _maximum(ratio: Any) -> MaxDose | None:
    if ratio is None:
        return None
    amount, period = _quantity(ratio.numerator), _quantity(ratio.denominator)
    return MaxDose(amount, period) if amount is not None and period is not None else None


def _timing(timing: FhirTiming | None) -> Timing | None:
    if timing is None:
        return None
    code = ""
    if timing.code is not None:
        codings = timing.code.coding or ()
        code = next((c.code for c in codings if c.code), None) or timing.code.text or ""
    repeat = timing.repeat
    if repeat is None:
        return Timing(code=code) if code else None
    return Timing(
        frequency=exact(repeat.frequency),
        frequency_max=exact(repeat.frequencyMax),
        period=exact(_decimal(repeat.period)),
        period_max=exact(_decimal(repeat.periodMax)),
        unit=repeat.periodUnit or "",
        times_of_day=len(repeat.timeOfDay or ()),
        when=_codes(repeat.when),
        days_of_week=_codes(repeat.dayOfWeek),
        code=code,
    )


def _codes(values: Sequence[str | None] | None) -> tuple[str, ...]:
    return tuple(value for value in values or () if value)


def _decimal(value: Any) -> Decimal | int | None:
    return value if isinstance(value, Decimal | int) else None


def end_of_bounds(read: Sequence[FhirDosage] | None) -> date | None:
    """The last day of the latest ``boundsPeriod``, None when no instruction states one."""
    ends = []
    for one in read or ():
        repeat = one.timing.repeat if one.timing is not None else None
        end = repeat.boundsPeriod.end if repeat is not None and repeat.boundsPeriod is not None else None
        day = as_day(end)
        if day is not None:
            ends.append(day)
    return max(ends, default=None)


def as_day(value: Any) -> date | None:
    """The day of a date or dateTime as the models give it; None for one known only to the month or year."""
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None


def codings(concept: Any) -> list[Coding]:
    """The codings of a CodeableConcept model."""
    return [Coding(c.system or "", c.code, c.display or "") for c in (concept.coding or ()) if c.code is not None]
