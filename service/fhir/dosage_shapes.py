"""One dosage instruction of any FHIR version, or what clients send in its place, in the shape that R4 has."""

from collections.abc import Iterator
from typing import Any

from service.dates import clock
from service.dosing.units import period_unit
from service.fhir.resources import Resource, aslist, one, only, present, text
from service.fhir.versions import first

_REPEAT = ("boundsPeriod", "boundsRange", "count", "frequency", "frequencyMax", "period", "periodMax")
_QUANTITIES = ("doseQuantity", "doseSimpleQuantity", "quantityQuantity", "quantity")
_RANGES = ("doseRange", "quantityRange")
"""What a dose is called: from STU3 on, and in statements of DSTU2."""
_OF_TIMING = (*_REPEAT, "periodUnit", "dayOfWeek", "timeOfDay", "when")
_LONG_DAYS = {f"{day}day": day[:3] for day in ("mon", "tues", "wednes", "thurs", "fri", "satur", "sun")}
_MOMENTS = {"MORNING": "MORN", "MIDDAY": "NOON", "AFTERNOON": "AFT", "EVENING": "EVE", "BEDTIME": "HS"}


def dosage_as_r4(dosage: Any) -> Any:
    """One dosage instruction in R4's shape; what is not an object is passed on for the model to refuse."""
    if not isinstance(dosage, dict):
        return dosage
    return present(
        sequence=one(dosage.get("sequence")),
        text=one(dosage.get("text")),
        timing=_timing(one(dosage.get("timing"))),
        route=concept_as_r4(dosage.get("route")),
        doseAndRate=_dose_and_rate(dosage) or None,
        **_as_needed(dosage),
    )


def modified(dosage: Any) -> list[str]:
    """The places of modifier extensions in an instruction, each of which may change the meaning of its siblings."""
    timing = one(dosage.get("timing")) if isinstance(dosage, dict) else None
    repeat = one(timing.get("repeat")) if isinstance(timing, dict) else None
    doses = aslist(dosage.get("doseAndRate")) if isinstance(dosage, dict) else []
    parts = (("", dosage), ("timing.", timing), ("timing.repeat.", repeat), *(("doseAndRate.", dose) for dose in doses))
    return [
        f"{path}modifierExtension" for path, part in parts if isinstance(part, dict) and part.get("modifierExtension")
    ]


def _dose_and_rate(dosage: Resource) -> list[Any]:
    """R4's list, or one object in its place, and the bare dose of earlier versions; whoever sends both means both."""
    given = [item for item in aslist(dosage.get("doseAndRate")) if item is not None]
    rows = (list(_doses(item)) if isinstance(item, dict) else [item] for item in (*given, dosage))
    return [dose for row in rows for dose in row]


def _doses(given: Resource) -> Iterator[Resource]:
    """The doses of one object: a quantity, a range, or both, each by itself."""
    kind = present(type=concept_as_r4(given.get("type")))
    for name in _QUANTITIES:
        if given.get(name):
            yield {**kind, "doseQuantity": _quantity(given[name])}
    for name in _RANGES:
        if given.get(name):
            yield {**kind, "doseRange": _range(one(given[name]))}


def _range(given: Any) -> Any:
    if not isinstance(given, dict):
        return given
    return {end: _quantity(given[end]) for end in ("low", "high") if given.get(end)}


def _quantity(given: Any) -> Any:
    """A quantity; its code may be a number, as those of SNOMED CT are."""
    quantity = one(given)
    if not isinstance(quantity, dict):
        return quantity
    code = quantity.get("code")
    written = {"code": str(code)} if isinstance(code, int) and not isinstance(code, bool) else {}
    return {**quantity, **written, **({"value": _no_number(quantity["value"])} if "value" in quantity else {})}


def _no_number(given: Any) -> Any:
    """The value; booleans, which a model would read as 1 and 0, as words that it refuses."""
    return str(given) if isinstance(given, bool) else given


def _as_needed(dosage: Resource) -> Resource:
    """R4's asNeeded[x]; R5 has ``asNeeded`` and ``asNeededFor``."""
    reasons = aslist(dosage.get("asNeededCodeableConcept") or dosage.get("asNeededFor") or None)
    if reasons:
        return {"asNeededCodeableConcept": concept_as_r4(reasons[0])}
    given = one(dosage.get("asNeededBoolean", dosage.get("asNeeded")))
    return {} if given is None else {"asNeededBoolean": given}


def _timing(timing: Any) -> Any:
    if text(timing):
        return {"code": {"text": timing}}
    if not isinstance(timing, dict):
        return timing
    repeat = one(timing.get("repeat"))
    if isinstance(repeat, dict):
        repeat = _withheld(repeat) | present(
            **{name: _no_number(value) for name, value in only(repeat, _REPEAT).items()},
            boundsDuration=first(repeat, "Repeat", "boundsDuration"),
            periodUnit=_period_unit(first(repeat, "Repeat", "periodUnit")),
            dayOfWeek=[_weekday(day) for day in aslist(repeat.get("dayOfWeek"))] or None,
            timeOfDay=[clock(time) for time in aslist(repeat.get("timeOfDay"))] or None,
            when=[_moment(code) for code in aslist(repeat.get("when"))] or None,
        )
    return present(repeat=repeat, code=concept_as_r4(timing.get("code")), event=aslist(timing.get("event")) or None)


def _withheld(repeat: Resource) -> Resource:
    """Members that came as an extension only, such as a data-absent-reason: passed on to be refused and named."""
    names = (name for name in _OF_TIMING if repeat.get(name) is None and repeat.get(f"_{name}"))
    return {name: {"value": "withheld"} for name in names}


def _weekday(given: Any) -> Any:
    """FHIR's code of a day of the week, from one with capitals or an English name; anything else as it is."""
    day = given.strip().lower() if isinstance(given, str) else given
    return _LONG_DAYS.get(day, day) if isinstance(day, str) else day


def _moment(given: Any) -> Any:
    """FHIR's code of a moment of the day (MORN, AFT.late), from one in small letters or a word; else as it is."""
    if not isinstance(given, str):
        return given
    head, dot, tail = given.strip().partition(".")
    return _MOMENTS.get(head.upper(), head.upper()) + dot + tail.lower()


def _period_unit(given: Any) -> Any:
    return period_unit(given) if isinstance(given, str) else given


def concept_as_r4(given: Any) -> Any:
    """A CodeableConcept, also from a string, a Coding, or one coding without its list."""
    concept = one(given)
    if text(concept):
        return {"text": concept}
    if isinstance(concept, dict) and "coding" not in concept and ("code" in concept or "display" in concept):
        return {"coding": [concept]}
    one_coding = isinstance(concept, dict) and isinstance(concept.get("coding"), dict)
    return {**concept, "coding": [concept["coding"]]} if one_coding else concept
