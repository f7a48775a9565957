"""Small orders for the dose examples, and how an example says what it is worth.

Expected values are worked out by hand from the rules Q1 to Q8, never copied from a run.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

UCUM = "http://unitsofmeasure.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"
ATC = "http://www.whocc.no/atc"
GTS = "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"
DRUG_FORM = "http://terminology.hl7.org/CodeSystem/v3-orderableDrugForm"


@dataclass(frozen=True)
class Dose:
    """mg a day from ``low`` to ``high``; largest single dose; most on a dosing day; ``high`` of each step."""

    low: str
    high: str
    single: str
    day: str
    steps: tuple[str, ...] = ()
    together: bool = False
    words: bool = False


@dataclass(frozen=True)
class Refused:
    """No dose: the reason, and the element that the card names."""

    reason: str
    element: str


@dataclass(frozen=True)
class Example:
    """One order, where its shape or dose comes from, and what it is worth.

    ``beside`` are the Medication and Observation resources that came with it.
    """

    name: str
    origin: str
    order: Json
    expected: Dose | Refused
    beside: tuple[Json, ...] = field(default=())


def example(
    name: str,
    origin: str,
    order: Json,
    low: str,
    high: str,
    single: str,
    day: str,
    *,
    steps: Iterable[str] = (),
    together: bool = False,
    words: bool = False,
    beside: tuple[Json, ...] = (),
) -> Example:
    """An order with a dose."""
    return Example(name, origin, order, Dose(low, high, single, day, tuple(steps), together, words), beside)


def refused(
    name: str, origin: str, order: Json, reason: str, element: str = "", beside: tuple[Json, ...] = ()
) -> Example:
    """An order without one. ``element`` stands below the first instruction unless it names its place itself."""
    whole = element in {"medication", "dosageInstruction"} or element.startswith("dosage")
    return Example(name, origin, order, Refused(reason, element if whole else f"{FIRST}.{element}"), beside)


FIRST = "dosageInstruction[0]"
QUANTITY = "doseAndRate[0].doseQuantity"


def coded(code: str, text: str, system: str = RXNORM) -> Json:
    """A drug by code and name."""
    return {"coding": [{"system": system, "code": code, "display": text}], "text": text}


AMITRIPTYLINE = coded("704", "amitriptyline")
AMITRIPTYLINE_10 = coded("856783", "amitriptyline hydrochloride 10 MG Oral Tablet")
AMITRIPTYLINE_25 = coded("856834", "amitriptyline hydrochloride 25 MG Oral Tablet")
AMITRIPTYLINE_50 = coded("856845", "amitriptyline hydrochloride 50 MG Oral Tablet")
TOLPERISONE = coded("M03BX04", "tolperisone", ATC)
TOLPERISONE_150 = coded("M03BX04", "Tolperison 150 mg Filmtabletten", ATC)


def order(*dosages: Any, drug: Any = AMITRIPTYLINE_25, **members: Any) -> Json:
    """An R4 MedicationRequest with these dosage instructions."""
    return {
        "resourceType": "MedicationRequest",
        "id": "rx-1",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": drug,
        "subject": {"reference": "Patient/1"},
        "dosageInstruction": list(dosages),
        **members,
    }


def take(quantity: Json | None = None, repeat: Json | None = None, **members: Any) -> Json:
    """An R4 dosage instruction."""
    found: Json = {}
    if quantity is not None:
        found["doseAndRate"] = [{"doseQuantity": quantity}]
    if repeat is not None:
        found["timing"] = {"repeat": repeat}
    return {**found, **members}


def between(low: Json | None, high: Json | None, repeat: Json, **members: Any) -> Json:
    """An R4 dosage instruction with a range, either end of which may be missing."""
    ends = {name: end for name, end in (("low", low), ("high", high)) if end is not None}
    return {"doseAndRate": [{"doseRange": ends}], "timing": {"repeat": repeat}, **members}


def timed(code: Json, repeat: Json | None = None) -> Json:
    """25 mg with a timing code."""
    timing = {"code": code} if repeat is None else {"code": code, "repeat": repeat}
    return take(mg(25), timing=timing)


def quantity(value: Any, unit: str = "", code: str = "", system: str = UCUM) -> Json:
    """A quantity with unit text, unit code, both or neither."""
    named = {"unit": unit} if unit else {}
    return {"value": value, **named, **({"system": system, "code": code} if code else {})}


def mg(value: Any) -> Json:
    """Milligrams, in text and code."""
    return quantity(value, "mg", "mg")


def tablets(value: Any) -> Json:
    """Tablets, in text and code."""
    return quantity(value, "tablet", "{tbl}")


def per(frequency: Any, period: Any, unit: str, **more: Any) -> Json:
    """So many times in a period."""
    return {"frequency": frequency, "period": period, "periodUnit": unit, **more}


def every(period: Any, unit: str, **more: Any) -> Json:
    """Once in a period, without saying so."""
    return {"period": period, "periodUnit": unit, **more}


DAILY = per(1, 1, "d")


def at_most(amount: Json, period: Json) -> Json:
    """A ``maxDosePerPeriod``."""
    return {"numerator": amount, "denominator": period}


A_DAY = quantity(1, "day", "d")


def weight(value: Any, taken: str, unit: str = "kg", status: str = "final") -> Json:
    """A body weight."""
    return {
        "resourceType": "Observation",
        "id": "weight-1",
        "status": status,
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "effectiveDateTime": taken,
        "valueQuantity": quantity(value, unit, unit),
    }


def strength(amount: Json, base: Json | None = None) -> Json:
    """The strength of an ingredient."""
    return {"numerator": amount, "denominator": base or quantity(1, "", "TAB", DRUG_FORM)}


def medication(*ingredients: tuple[Json, Json], code: Json | None = None) -> Json:
    """A Medication with ingredients and their strengths."""
    found: Json = {
        "resourceType": "Medication",
        "id": "med-1",
        "ingredient": [{"itemCodeableConcept": item, "strength": ratio} for item, ratio in ingredients],
    }
    return found if code is None else {**found, "code": code}


def holding(dosage: Json, product: Json) -> Json:
    """An order that contains its Medication."""
    plain = order(dosage, contained=[product], medicationReference={"reference": "#med-1"})
    return {name: value for name, value in plain.items() if name != "medicationCodeableConcept"}


def pointing(dosage: Json) -> Json:
    """An order whose Medication comes beside it."""
    plain = order(dosage, medicationReference={"reference": "Medication/med-1"})
    return {name: value for name, value in plain.items() if name != "medicationCodeableConcept"}
