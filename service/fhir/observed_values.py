"""The value of an observation: in data, or in words that are one ("120/80", "12+3 weeks", "7/10", "2,9 mmol/l")."""

import re
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

from service.dosing.units import UCUM
from service.fhir.concepts import Concept, concept_of
from service.fhir.genes import PHENOTYPE
from service.fhir.measurement_units import SCORE, fits, in_units, unit_of
from service.fhir.resources import Resource, exact, one, text

PAIN, GESTATION = "pain-", "gestational-age"
"""Kinds, or how they begin, whose values have forms of their own in words."""
SYSTOLIC, DIASTOLIC = "systolic-bp", "diastolic-bp"
_PRESSURE = re.compile(r"\s*(?:RR\s*)?(\d{2,3})\s*/\s*(\d{2,3})\s*(?:mm ?\[?Hg\]?)?\s*", re.IGNORECASE)
_OF_TEN = re.compile(
    r"\s*(?:NRS|VAS|EVA|EN)?[\s:=]*(\d{1,3}(?:[.,]\d)?)(?:\s*(?:/|von|out of|of|sur|su|de|z|из)\s*10)?\s*",
    re.IGNORECASE,
)
# "12+3", "12w3d": weeks and days.
_WEEKS = re.compile(r"\s*(?:SSW\s*)?(\d{1,2})\s*(?:\+|w)\s*([0-6])\s*(?:/7|d)?\s*", re.IGNORECASE)
# Two decimals at most: "1,000" is a thousand to some and one to others.
QUANTITY = re.compile(r"\s*([<>]=?)?\s*(\d{1,5}(?:[.,]\d{1,2})?)\s*([^\W\d][^\s<>]{0,15})\s*")
"""A number with a unit in words."""


def given_values(part: Resource, kind: str) -> Iterator[tuple[str, Any]]:
    """The value for a kind of measurement as a quantity, a number or None; "120/80" is both of a blood pressure."""
    words = text(part.get("valueString"))
    if kind.endswith(PHENOTYPE):
        yield kind, None
    elif kind == GESTATION and (weeks := _WEEKS.fullmatch(words)) is not None:
        yield kind, {"value": Decimal(int(weeks[1]) * 7 + int(weeks[2])), "unit": "d"}
    elif kind.startswith(PAIN) and (score := _OF_TEN.fullmatch(words or _coded(part))) is not None:
        yield kind, {"value": Decimal(score[1].replace(",", "."))}
    elif kind.startswith(SYSTOLIC) and (pressure := _PRESSURE.fullmatch(words)) is not None:
        for each, value in zip((kind, kind.replace(SYSTOLIC, DIASTOLIC)), pressure.groups(), strict=True):
            yield each, {"value": Decimal(value), "unit": "mmHg"}
    else:
        yield kind, _given(part)


def _coded(part: Resource) -> str:
    return coded_answer(concept_of(part.get("valueCodeableConcept")))


def _given(part: Resource) -> Any:
    """The value as a quantity or a number; None when there is neither. "2,9 mmol/l" in words is a quantity."""
    given = one(part.get("valueQuantity", part.get("valueInteger")))
    words = given if isinstance(given, str) else text(part.get("valueString")) if given is None else ""
    written = QUANTITY.fullmatch(words)
    if written is None:
        return given
    comparator, number, unit = written.groups()
    return {"value": Decimal(number.replace(",", ".")), "unit": unit, "comparator": comparator or ""}


def measured_value(given: object, kind: str) -> tuple[Fraction | None, str]:
    """A value in its canonical unit; None when the unit is not understood, or not one of this kind."""
    if isinstance(given, int):
        return (None, "") if in_units(kind) else (exact(given), SCORE)
    if not isinstance(given, dict):
        return None, ""
    code, unit = text(given.get("code")).strip(), text(given.get("unit")).strip()
    known = unit_of(code or unit)
    if known is None and unit and given.get("system") != UCUM:
        known = unit_of(unit)
    value = exact(given.get("value"))
    if known is None or value is None or not fits(kind, known):
        return None, ""
    return value * known.size if known.size != 1 else value, known.compared


def unit_in(given: Any) -> str:
    """The unit of a quantity as recorded; empty without one."""
    return text(given.get("unit")) or text(given.get("code")) if isinstance(given, dict) else ""


def shown_value(given: Any, part: Resource) -> str:
    """A value as recorded; empty when there is none."""
    if isinstance(given, dict):
        value = given.get("value")
        if value is None:
            return ""
        said = str(value) if exact(value) is not None else text(value) or "?"
        return f"{text(given.get('comparator'))}{said} {unit_in(given)}".strip()
    if isinstance(given, str | int | Decimal):
        return text(given).strip() or (str(given) if exact(given) is not None else "")
    return (coded_answer(concept_of(part.get("valueCodeableConcept"))) or text(part.get("valueString"))).strip()


def per_surface(given: object) -> bool:
    """True when a quantity is per 1.73 m² of body surface."""
    members = (given.get("code"), given.get("unit")) if isinstance(given, dict) else ()
    return any(unit is not None and unit.indexed for unit in map(unit_of, map(text, members)))


def coded_answer(coded: Concept) -> str:
    """A coded answer in words: its text, a name or the code."""
    return next(filter(None, coded.words), "") or next((coding.code for coding in coded.codings), "")
