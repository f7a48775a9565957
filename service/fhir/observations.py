"""Measurements of the patient that decisions rest on, in one unit for each kind."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from service.chart import Measurement, Unread
from service.dates import event
from service.dosing.units import UCUM
from service.fhir.concepts import Concept, concept_of
from service.fhir.numbers import exact
from service.fhir.resources import Resource, aslist, text
from service.kept import kept
from service.terminology.recognise import Terminology

BODY_WEIGHT = "body-weight"
INDEXED = "mL/min/1.73m2"
"""Per body surface, as labs report an eGFR. Compared like mL/min, and shown as what it is."""

INDEXED_BY_SECOND = "mL/s/1.73m2"
"""The same in millilitres a second, as in Czechia and Slovakia."""

VALID = frozenset({"final", "amended", "corrected"})

YES_OR_NO: dict[object, str] = {True: "yes", False: "no"}
"""A boolean answer in the words of one in words."""

_SIZES: dict[str, tuple[str, Fraction]] = {
    "kg": ("kg", Fraction(1)),
    "g": ("kg", Fraction(1, 1000)),
    "[lbav]": ("kg", Fraction("0.45359237")),
    "mm[Hg]": ("mm[Hg]", Fraction(1)),
    "mmHg": ("mm[Hg]", Fraction(1)),
    "ms": ("ms", Fraction(1)),
    "msec": ("ms", Fraction(1)),
    "milliseconds": ("ms", Fraction(1)),
    "s": ("ms", Fraction(1000)),
    "mL/min": ("mL/min", Fraction(1)),
    INDEXED: ("mL/min", Fraction(1)),
    "mL/s": ("mL/min", Fraction(60)),
    INDEXED_BY_SECOND: ("mL/min", Fraction(60)),
    "mg/dL": ("mg/dL", Fraction(1)),
    "mg/L": ("mg/dL", Fraction(1, 10)),
    "umol/L": ("umol/L", Fraction(1)),
    "mmol/L": ("umol/L", Fraction(1000)),
    **dict.fromkeys(("meq/L", "mEq/L", "meq/l", "mEq/l"), ("meq/L", Fraction(1))),
    "score": ("{score}", Fraction(1)),
    "points": ("{score}", Fraction(1)),
    "1": ("{score}", Fraction(1)),
    "": ("{score}", Fraction(1)),
}
"""Each unit that is understood, as ``_spelled`` writes it: its canonical unit and how many of those it is (the pound
by its definition)."""

_UNITS = {
    "egfr-": frozenset({"mL/min"}),
    "creatinine-clearance-": frozenset({"mL/min"}),
    "serum-creatinine": frozenset({"mg/dL", "umol/L"}),
    "potassium": frozenset({"umol/L", "meq/L"}),
    "magnesium": frozenset({"umol/L", "meq/L", "mg/dL"}),
    "qtc-": frozenset({"ms"}),
}
"""Canonical units of kinds, by the beginning of their ids, for which a value in another unit is none."""

_MARKS = str.maketrans(
    {"²": "2", ",": ".", "\N{MICRO SIGN}": "u", "\N{GREEK SMALL LETTER MU}": "u", **dict.fromkeys(" {}_^*")}
)
_LETTERS = {
    unit.lower(): unit for unit in ("mL/min", INDEXED, "mL/s", INDEXED_BY_SECOND, "mg/dL", "mg/L", "umol/L", "mmol/L")
}
_SURFACES = re.compile(r"(?<=/)1\.73(?:m2|qm|sqm|sq\.?m|m)?$")


@dataclass(frozen=True, slots=True)
class Observed:
    """Valid observations of the kinds that the terminology knows, components of panels included.

    ``unread`` are values in units that are not read, each kind once.
    """

    measurements: tuple[Measurement, ...] = ()
    unread: tuple[Unread, ...] = ()


def observed(resources: Iterable[Resource], terminology: Terminology) -> Observed:
    """What a list of observations says."""
    found: list[Measurement] = []
    unread: dict[str, Unread] = {}
    for resource in resources:
        if resource["resourceType"] != "Observation" or text(resource.get("status")) not in VALID:
            continue
        for part in (resource, *aslist(resource.get("component"))):
            kinds = terminology.concepts(concept_of(part.get("code")).codings) if isinstance(part, dict) else ()
            for kind in sorted(kinds):
                given = part.get("valueQuantity", part.get("valueInteger"))
                value, unit = _value(given, kind)
                if value is None and isinstance(given, dict) and exact(given.get("value")) is not None:
                    said = text(given.get("unit")) or text(given.get("code"))
                    title = terminology.concept_sets[kind].title
                    unread.setdefault(kind, Unread("measurement-unit", element=title, found=said))
                day = _day(resource)
                coded = concept_of(part.get("valueCodeableConcept"))
                answer = _answer(coded) or text(part.get("valueString")) or YES_OR_NO.get(part.get("valueBoolean"), "")
                if day is not None and (value is not None or answer):
                    comparator = text(given.get("comparator")) if isinstance(given, dict) else ""
                    sets = terminology.concepts(coded.codings)
                    found.append(Measurement(kind, day, value, unit, answer, sets, comparator, _indexed(given)))
    return Observed(tuple(found), tuple(unread.values()))


def body_weight(measured: Iterable[Measurement], today: date, most_days: int) -> Fraction | None:
    """Kg of the latest body weight of the last ``most_days`` days, None when there is none (rule Q6)."""
    found = [
        m
        for m in measured
        if m.kind == BODY_WEIGHT and m.unit == "kg" and m.exact and 0 <= (today - m.taken).days <= most_days
    ]
    latest = max((m for m in found if m.value is not None and m.value > 0), key=lambda m: m.taken, default=None)
    return latest.value if latest is not None else None


def _day(resource: Resource) -> date | None:
    """When it was measured: of a period its end, of a date known to the month or year its first day."""
    period = resource.get("effectivePeriod")
    of_period = (period.get("end"), period.get("start")) if isinstance(period, dict) else ()
    given = (resource.get("effectiveDateTime"), resource.get("effectiveInstant"), *of_period)
    return next((found.earliest for value in given if (found := event(text(value))) is not None), None)


def _indexed(given: object) -> bool:
    """True when a quantity is per 1.73 m² of body surface."""
    members = (given.get("code"), given.get("unit")) if isinstance(given, dict) else ()
    return any(_spelled(text(unit)) in (INDEXED, INDEXED_BY_SECOND) for unit in members)


def _value(given: object, kind: str) -> tuple[Fraction | None, str]:
    """A value in its canonical unit; None when the unit is not understood, or not one of this kind."""
    if isinstance(given, int):
        return exact(given), "{score}"
    if not isinstance(given, dict):
        return None, ""
    code, unit = _spelled(text(given.get("code"))), _spelled(text(given.get("unit")))
    known = _SIZES.get(code or unit)
    if known is None and unit and given.get("system") != UCUM:
        known = _SIZES.get(unit)
    value = exact(given.get("value"))
    if known is not None and any(kind.startswith(start) and known[0] not in units for start, units in _UNITS.items()):
        return None, ""
    return (value * known[1], known[0]) if known is not None and value is not None else (None, "")


@kept
def _spelled(unit: str) -> str:
    """A unit without the marks that differ between systems: mL/min/{1.73_m2}, ml/min/1.73m² and others alike."""
    bare = _SURFACES.sub("1.73m2", unit.translate(_MARKS))
    return _LETTERS.get(bare.lower(), bare)


def _answer(coded: Concept) -> str:
    """A coded answer in words: its text, a name or the code."""
    return next(filter(None, coded.words), "") or next((coding.code for coding in coded.codings), "")
