"""Measurements of the patient that decisions rest on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from fhir.resources.R4B.observation import Observation

from service.clinical.dates import span
from service.clinical.terminology import Terminology
from service.fhir.identity import codings_of
from service.fhir.numbers import exact
from service.fhir.resources import Resource, text
from service.fhir.tolerant import read

BODY_WEIGHT = "body-weight"
VALID = frozenset({"final", "amended", "corrected"})
KILOGRAMS = {"kg": Fraction(1), "g": Fraction(1, 1000), "[lb_av]": Fraction("0.45359237")}
"""Kilograms in each UCUM unit of body weight (the pound by its international definition)."""

_MEMBERS = ("resourceType", "status", "code", "effectiveDateTime", "effectivePeriod", "valueQuantity")


@dataclass(frozen=True, slots=True)
class Weight:
    """A body weight in kg and the last day it can have been measured on."""

    kilograms: Fraction
    measured: date


def body_weight(resources: Iterable[Resource], terminology: Terminology, today: date, most_days: int) -> Weight | None:
    """The latest valid body weight of the last ``most_days`` days, None when there is none (rule Q6)."""
    weights = [weight for res in resources if (weight := _weight(res, terminology)) is not None]
    recent = [w for w in weights if 0 <= (today - w.measured).days <= most_days and w.kilograms > 0]
    return max(recent, key=lambda weight: weight.measured, default=None)


def _weight(resource: Resource, terminology: Terminology) -> Weight | None:
    code = resource.get("code")
    if resource["resourceType"] != "Observation" or not isinstance(code, dict):
        return None
    if BODY_WEIGHT not in terminology.concepts(codings_of(code)) or text(resource.get("status")) not in VALID:
        return None
    found = read(Observation, {key: resource[key] for key in _MEMBERS if resource.get(key) is not None})
    quantity = found.value.valueQuantity if found is not None else None
    if found is None or quantity is None or quantity.comparator is not None:
        return None
    value = exact(quantity.value)
    unit = KILOGRAMS.get(quantity.code or quantity.unit or "")
    period = found.value.effectivePeriod
    when = found.value.effectiveDateTime or (period.end or period.start if period is not None else None)
    day = span(str(when).replace(" ", "T")) if when is not None else None
    return Weight(value * unit, day.earliest) if value is not None and unit is not None and day is not None else None
