"""Dosage instructions in clinical words, from the one shape that ``versions`` brings them to."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from fhir.resources.R4B.dosage import Dosage as FhirDosage
from fhir.resources.R4B.dosage import DosageDoseAndRate
from fhir.resources.R4B.quantity import Quantity as FhirQuantity
from fhir.resources.R4B.ratio import Ratio
from fhir.resources.R4B.timing import Timing as FhirTiming

from service.clinical.amounts import Quantity
from service.clinical.dosing import Dosage, MaxDose
from service.clinical.terminology import Coding
from service.clinical.timing import DAYS_PER_UNIT, Timing
from service.fhir import tolerant
from service.fhir.numbers import exact
from service.fhir.versions import max_doses

ORDERED = "ordered"
_HARMLESS = (".text", ".route")
_HARMLESS_ALONE = (".timing.repeat.bounds", ".timing.event", ".sequence")
"""Elements without which an instruction that stands alone still says how much and how often."""


def dosages(
    read: Sequence[FhirDosage] | None, given: Sequence[Any], dropped: Sequence[str], element: str
) -> tuple[Dosage, ...]:
    """The dosage instructions of an order.

    ``read`` are the models, ``given`` the instructions as sent, ``dropped`` the refused paths, ``element`` the
    list's name. An instruction that lost an element its dose rests on says so, and no dose is computed from it.
    When a whole instruction was refused, none of the others can be read as "all there is".
    """
    lost = tuple(path for path in dropped if path == element or _whole(path, element))
    if lost or not read:
        return (Dosage(unreadable=lost, element=element),) if lost else ()
    several = len(read) > 1
    return tuple(
        _dosage(one, raw, f"{element}[{i}]", dropped, several)
        for i, (one, raw) in enumerate(zip(read, given, strict=True))
    )


def _whole(path: str, element: str) -> bool:
    return path.startswith(f"{element}[") and path.endswith("]") and "." not in path[len(element) :]


def _harmful(dropped: Sequence[str], element: str, several: bool) -> tuple[str, ...]:
    """Refused paths that the dose rests on; with several instructions their bounds and order do, too."""
    harmless = _HARMLESS if several else _HARMLESS + _HARMLESS_ALONE
    paths = (path for path in dropped if path.startswith(f"{element}."))
    return tuple(path for path in paths if not path[len(element) :].startswith(harmless))


def _dosage(one: FhirDosage, raw: Any, element: str, dropped: Sequence[str], several: bool) -> Dosage:
    unreadable = _harmful(dropped, element, several)
    low, high, ambiguous = _dose(one)
    maxima = [_maximum(ratio) for ratio in max_doses(raw)]
    if ambiguous:
        unreadable = (*unreadable, f"{element}.doseAndRate")
    if None in maxima:
        unreadable = (*unreadable, f"{element}.maxDosePerPeriod")
    start, end, days = _bounds(one)
    return Dosage(
        low=low,
        high=high,
        timing=_timing(one.timing),
        as_needed=bool(one.asNeededBoolean) or one.asNeededCodeableConcept is not None,
        maxima=tuple(maximum for maximum in maxima if maximum is not None),
        sequence=one.sequence,
        start=start,
        end=end,
        days=days,
        text=one.text or "",
        unreadable=unreadable,
        element=element,
    )


def _dose(one: FhirDosage) -> tuple[Quantity | None, Quantity | None, bool]:
    """Lowest and highest dose, and whether several stand there that differ. The ordered one is believed."""
    doses = list(one.doseAndRate or ())
    ordered = [dose for dose in doses if dose.type is not None and ORDERED in {c.code for c in codings(dose.type)}]
    found = list(dict.fromkeys(_quantities(dose) for dose in (ordered or doses)))
    if not found:
        return None, None, False
    low, high = found[0]
    return low, high, len(found) > 1


def _quantities(dose: DosageDoseAndRate) -> tuple[Quantity | None, Quantity | None]:
    if dose.doseRange is not None:
        high = _quantity(dose.doseRange.high)
        low = _quantity(dose.doseRange.low)
        return low or (replace(high, value=Fraction(0)) if high is not None else None), high
    quantity = _quantity(dose.doseQuantity)
    return quantity, quantity


def _quantity(quantity: FhirQuantity | None) -> Quantity | None:
    if quantity is None:
        return None
    value = exact(quantity.value)
    if value is None or quantity.comparator is not None:
        return None
    return Quantity(value, quantity.unit or "", quantity.code or "", quantity.system or "")


def _maximum(given: Any) -> MaxDose | None:
    """A ``maxDosePerPeriod``, None when it cannot be read; R5 has a list of them."""
    sides = {side: given.get(side) for side in ("numerator", "denominator")} if isinstance(given, dict) else {}
    ratio = tolerant.read(Ratio, sides)
    if ratio is None or ratio.dropped:
        return None
    amount, period = _quantity(ratio.value.numerator), _quantity(ratio.value.denominator)
    return MaxDose(amount, period) if amount is not None and period is not None else None


def _bounds(one: FhirDosage) -> tuple[date | None, date | None, Fraction | None]:
    """First and last day, and the length in days, of an instruction, as far as its bounds state them."""
    repeat = one.timing.repeat if one.timing is not None else None
    if repeat is None:
        return None, None, None
    if repeat.boundsPeriod is not None:
        start, end = as_day(repeat.boundsPeriod.start), as_day(repeat.boundsPeriod.end)
        days = Fraction((end - start).days + 1) if start is not None and end is not None and end >= start else None
        return start, end, days
    if repeat.boundsDuration is not None:
        value = exact(repeat.boundsDuration.value)
        length = DAYS_PER_UNIT.get(repeat.boundsDuration.code or "")
        return None, None, value * length if value is not None and length is not None else None
    return None, None, None


def _timing(timing: FhirTiming | None) -> Timing | None:
    if timing is None:
        return None
    code = ""
    if timing.code is not None:
        codings = timing.code.coding or ()
        code = next((c.code for c in codings if c.code), None) or timing.code.text or ""
    repeat = timing.repeat
    if repeat is None:
        events = len(timing.event or ())
        return Timing(code=code, events=events) if code or events else None
    return Timing(
        frequency=exact(repeat.frequency),
        frequency_max=exact(repeat.frequencyMax),
        period=exact(_decimal(repeat.period)),
        period_max=exact(_decimal(repeat.periodMax)),
        unit=repeat.periodUnit or "",
        times_of_day=len(repeat.timeOfDay or ()),
        when=_codes(repeat.when),
        days_of_week=_codes(repeat.dayOfWeek),
        count=exact(repeat.count),
        code=code,
        events=len(timing.event or ()),
    )


def _codes(values: Sequence[str | None] | None) -> tuple[str, ...]:
    return tuple(value for value in values or () if value)


def _decimal(value: Any) -> Decimal | int | None:
    return value if isinstance(value, Decimal | int) else None


def as_day(value: Any) -> date | None:
    """The day of a date or dateTime as the models give it; None for one known only to the month or year."""
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None


def codings(concept: Any) -> list[Coding]:
    """The codings of a CodeableConcept model."""
    return [Coding(c.system or "", c.code, c.display or "") for c in (concept.coding or ()) if c.code is not None]
