"""Dosage instructions in clinical words, from the one shape that ``versions`` brings them to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from fhir.resources.R4B.dosage import Dosage as FhirDosage
from fhir.resources.R4B.dosage import DosageDoseAndRate
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.medicationstatement import MedicationStatement
from fhir.resources.R4B.quantity import Quantity as FhirQuantity
from fhir.resources.R4B.ratio import Ratio
from fhir.resources.R4B.timing import Timing as FhirTiming

from service.caching import cached
from service.dates import EARLIEST_YEAR
from service.dosing.amount import Quantity
from service.dosing.dosage import Dosage, MaxDose, Timing
from service.dosing.units import DAYS_PER_UNIT, period_unit
from service.fhir import tolerant
from service.fhir.as_r4 import READ_ALREADY, max_doses, order_as_r4, statement_as_r4
from service.fhir.dosage_shapes import modified
from service.fhir.order_words import gives_dose, written
from service.fhir.resources import Resource, exact
from service.fhir.versions import ORDER_TYPES, RENDERED, dosage_instructions, rendered
from service.jsonio import decode, encode
from service.terminology.recognise import Coding

ORDERED = "ordered"
SHORT = 40
ORDER, ORDER_LIST = "MedicationRequest", "dosageInstruction"
STATEMENT, STATEMENT_LIST = "MedicationStatement", "dosage"
_LONGEST_CACHED = 1500
"""Bytes of a list of instructions whose meaning is kept for the next call."""
_HARMLESS = (".text", ".route")
_HARMLESS_ALONE = (".timing.repeat.bounds", ".timing.event", ".sequence")
"""Elements without which an instruction that stands alone still says how much and how often."""


@dataclass(frozen=True, slots=True)
class Instructions:
    """The dosage instructions of an order or a statement, and the paths of what was refused of them."""

    dosages: tuple[Dosage, ...] = ()
    dropped: tuple[str, ...] = ()


def instructions(order: Resource) -> Instructions | None:
    """The dosage instructions of an order or a statement; None when they cannot be read at all.

    An instruction that lost an element its dose rests on says so, and no dose is computed from it. When a whole
    instruction was refused, none of the others can be read as "all there is". A modifier extension may change what
    anything means, so no dose is read beside one. A dose that was given is no daily one.
    """
    given = dosage_instructions(order)
    if not given or order["resourceType"] == "MedicationAdministration":
        return Instructions()
    words = rendered(order)
    if words and len(given) == 1 and isinstance(given[0], dict) and given[0].get("text") != words:
        given = [{**given[0], RENDERED: words}]
    found = _read(encode(given), order["resourceType"] in ORDER_TYPES)
    if found is None or not order.get("modifierExtension"):
        return found
    marked = (replace(one, unreadable=(*one.unreadable, "modifierExtension")) for one in found.dosages)
    return replace(found, dosages=tuple(marked))


def _read_list(sent: bytes, ordered: bool) -> Instructions | None:
    """The same from the list as it was sent, by itself."""
    raw = decode(sent)
    if ordered:
        order = order_as_r4({"resourceType": ORDER, ORDER_LIST: raw})
        request = tolerant.read(MedicationRequest, order | READ_ALREADY)
        return _of(request.value.dosageInstruction, raw, request.dropped, ORDER_LIST) if request is not None else None
    given = statement_as_r4({"resourceType": STATEMENT, STATEMENT_LIST: raw})
    statement = tolerant.read(MedicationStatement, given | READ_ALREADY)
    return _of(statement.value.dosage, raw, statement.dropped, STATEMENT_LIST) if statement is not None else None


def brief(order: Resource) -> bool:
    """True for instructions short enough to be cached for the next call."""
    return len(encode(dosage_instructions(order))) <= _LONGEST_CACHED


_read = cached(_read_list, lambda sent, _: len(sent), _LONGEST_CACHED)


def _of(read: Sequence[FhirDosage] | None, raw: Sequence[Any], dropped: tuple[str, ...], element: str) -> Instructions:
    """``read`` are the models, ``raw`` is the list as sent, ``dropped`` the refused paths, ``element`` its name."""
    lost = tuple(path for path in dropped if path == element or _whole(path, element))
    if lost or not read:
        return Instructions((Dosage(unreadable=lost, element=element),) if lost else (), dropped)
    given = enumerate(zip(read, raw, strict=True))
    several = len(read) > 1
    found = (_dosage(one, sent, f"{element}[{i}]", dropped, several) for i, (one, sent) in given)
    return Instructions(tuple(found), dropped)


def _whole(path: str, element: str) -> bool:
    return path.startswith(f"{element}[") and path.endswith("]") and "." not in path[len(element) :]


def _harmful(dropped: Sequence[str], element: str, several: bool) -> tuple[str, ...]:
    """Refused paths that the dose rests on; with several instructions their bounds and order do, too."""
    harmless = _HARMLESS if several else _HARMLESS + _HARMLESS_ALONE
    paths = (path for path in dropped if path.startswith(f"{element}."))
    return tuple(path for path in paths if not path[len(element) :].startswith(harmless))


def _dosage(one: FhirDosage, raw: Any, element: str, dropped: Sequence[str], several: bool) -> Dosage:
    doses, dose_unread = _doses(one)
    low, high = doses[0] if doses else (None, None)
    maxima = [_maximum(ratio) for ratio in max_doses(raw)]
    unread = ("doseAndRate",) if dose_unread else _numbers_beyond_reason(one.timing)
    if None in maxima:
        unread = (*unread, "maxDosePerPeriod")
    unread = (*unread, *modified(raw))
    unreadable = (*_harmful(dropped, element, several), *(f"{element}.{path}" for path in unread))
    start, end, days = _bounds(one)
    most = tolerant.read(FhirQuantity, raw.get("maxDosePerAdministration") or {}) if isinstance(raw, dict) else None
    words, member, beside = written(one.text or "", raw)
    return Dosage(
        low=low,
        high=high,
        timing=_timing(one.timing, raw),
        as_needed=bool(one.asNeededBoolean) or one.asNeededCodeableConcept is not None,
        maxima=tuple(maximum for maximum in maxima if maximum is not None),
        sequence=one.sequence,
        start=start,
        end=end,
        days=days,
        text=words,
        text_from=member,
        beside=beside,
        others=doses[1:],
        most_at_once=_quantity(most.value) if most is not None else None,
        unreadable=unreadable,
        found=_shown(raw, unreadable[0][len(element) + 1 :]) if unreadable else "",
        element=element,
    )


_Pair = tuple[Quantity | None, Quantity | None]


def _doses(one: FhirDosage) -> tuple[tuple[_Pair, ...], bool]:
    """The different doses, each its lowest and highest, and whether one cannot be read.

    The ordered ones are believed; a rate beside a dose is none.
    """
    doses = [d for d in one.doseAndRate or () if d.doseQuantity is not None or d.doseRange is not None]
    ordered = [dose for dose in doses if dose.type is not None and ORDERED in {c.code for c in codings(dose.type)}]
    found = dict.fromkeys(_quantities(dose) for dose in (ordered or doses))
    stated = tuple(pair for pair in found if pair is not None and any(pair))
    return (stated, False) if None not in found else ((), True)


def _shown(raw: Any, path: str) -> str:
    """What stands at a path of an instruction as sent, when it is a short word or a number; else nothing."""
    for step in re.findall(r"\w+", path):
        if isinstance(raw, list) and step.isdigit() and int(step) < len(raw):
            raw = raw[int(step)]
        elif isinstance(raw, dict):
            raw = raw.get(step)
        else:
            return ""
    return raw if isinstance(raw, str) and len(raw) <= SHORT else ""


def _quantities(dose: DosageDoseAndRate) -> _Pair | None:
    """Lowest and highest of one dose; None when a value stands there that is no plain amount ("< 25 mg")."""
    if dose.doseRange is None:
        quantity = _quantity(dose.doseQuantity)
        return None if quantity is None and _has_value(dose.doseQuantity) else (quantity, quantity)
    low, high = _quantity(dose.doseRange.low), _quantity(dose.doseRange.high)
    if (low is None and _has_value(dose.doseRange.low)) or (high is None and _has_value(dose.doseRange.high)):
        return None
    return low or (replace(high, value=Fraction(0)) if high is not None else None), high


def _has_value(quantity: FhirQuantity | None) -> bool:
    return quantity is not None and quantity.value is not None


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
    """First and last day, and the length in days, of an instruction, where its bounds state them."""
    repeat = one.timing.repeat if one.timing is not None else None
    if repeat is None:
        return None, None, None
    if repeat.boundsPeriod is not None:
        start, end = as_day(repeat.boundsPeriod.start), as_day(repeat.boundsPeriod.end)
        days = Fraction((end - start).days + 1) if start is not None and end is not None and end >= start else None
        return start, end, days
    if repeat.boundsDuration is not None:
        value = exact(repeat.boundsDuration.value)
        unit = period_unit(repeat.boundsDuration.code or "", repeat.boundsDuration.unit or "")
        length = DAYS_PER_UNIT.get(unit)
        return None, None, value * length if value is not None and value > 0 and length is not None else None
    return None, None, None


def _timing(timing: FhirTiming | None, raw: Any) -> Timing | None:
    if timing is None:
        return None
    codes = _words(timing)
    repeat = timing.repeat
    if repeat is None:
        events = len(timing.event or ())
        return Timing(codes=codes, events=events) if codes or events else None
    return Timing(
        frequency=exact(repeat.frequency),
        frequency_max=exact(repeat.frequencyMax),
        period=exact(repeat.period),
        period_max=exact(repeat.periodMax),
        unit=repeat.periodUnit or "",
        times_of_day=tuple(map(str, repeat.timeOfDay or ())),
        when=_codes(repeat.when),
        days_of_week=_codes(repeat.dayOfWeek),
        count=None if _count_is_least(raw) else exact(repeat.count),
        codes=codes,
        events=len(timing.event or ()),
    )


def _words(timing: FhirTiming) -> tuple[str, ...]:
    """The contents of a timing code: its text, then codes and displays, each once; a dose is none ("1-0-1")."""
    if timing.code is None:
        return ()
    codings = timing.code.coding or ()
    words = (timing.code.text, *(c.code for c in codings), *(c.display for c in codings))
    return tuple(dict.fromkeys(word for word in words if word and not gives_dose(word)))


def _count_is_least(raw: Any) -> bool:
    """True when a ``countMax`` makes ``count`` the fewest doses, which limit nothing."""
    timing = raw.get("timing") if isinstance(raw, dict) else None
    repeat = timing.get("repeat") if isinstance(timing, dict) else None
    return isinstance(repeat, dict) and repeat.get("countMax") is not None


def _numbers_beyond_reason(timing: FhirTiming | None) -> tuple[str, ...]:
    """Numbers of the timing that are there and cannot be computed with (1e400000, 1e-30)."""
    if timing is None or timing.repeat is None:
        return ()
    numbers = {"period": timing.repeat.period, "periodMax": timing.repeat.periodMax}
    beyond = (name for name, value in numbers.items() if value is not None and exact(value) is None)
    return tuple(f"timing.repeat.{name}" for name in beyond)


def _codes(values: Sequence[str | None] | None) -> tuple[str, ...]:
    return tuple(value for value in values or () if value)


def as_day(value: Any) -> date | None:
    """The day of a date or dateTime as the models give it; None for one known only to the month or year, or not at all.

    A day before 1900 stands for "not known".
    """
    day = value.date() if isinstance(value, datetime) else value
    return day if isinstance(day, date) and day.year >= EARLIEST_YEAR else None


def codings(concept: Any) -> list[Coding]:
    """The codings of a CodeableConcept model."""
    return [Coding(c.system or "", c.code, c.display or "") for c in (concept.coding or ()) if c.code is not None]
