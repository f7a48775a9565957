"""Synthetic resources that the tests of this room vary, and how a test reads them."""

import json
from datetime import date
from fractions import Fraction
from typing import Any

from msgspec import Raw

from service.facts import MedicationOrder, Unread
from service.fhir.orders import DoseContext, draft_order, listed_order
from service.fhir.recognise import Identity, identify
from service.fhir.resources import Resource
from service.guidance.ids import SUBJECTS
from service.terminology.recognise import Terminology

TODAY = date(2026, 11, 23)
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"
ATC = "http://www.whocc.no/atc"
UCUM = "http://unitsofmeasure.org"

TABLET = {"value": 1, "unit": "tablet", "system": UCUM, "code": "{tbl}"}
AMITRIPTYLINE = {
    "coding": [{"system": RXNORM, "code": "856834", "display": "amitriptyline hydrochloride 25 MG Oral Tablet"}],
    "text": "Amitriptyline Hydrochloride 25 MG Oral Tablet",
}
TOLPERISONE = {"coding": [{"system": ATC, "code": "M03BX04"}], "text": "Tolperison HEXAL 150 mg Filmtabletten"}


def dosage(**changes: Any) -> dict[str, Any]:
    """One tablet once a day, as R4 has it, with changes."""
    return {
        "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
        "doseAndRate": [{"doseQuantity": dict(TABLET)}],
        **changes,
    }


def order(**changes: Any) -> Resource:
    """A valid R4 order of amitriptyline for patient 1, with changes."""
    return {
        "resourceType": "MedicationRequest",
        "id": "rx-1",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": AMITRIPTYLINE,
        "subject": {"reference": "Patient/1"},
        "authoredOn": "2026-11-01",
        "dosageInstruction": [dosage()],
        **changes,
    }


def statement(**changes: Any) -> Resource:
    """A valid R4 statement that patient 1 takes amitriptyline, with changes."""
    return {
        "resourceType": "MedicationStatement",
        "id": "st-1",
        "status": "active",
        "medicationCodeableConcept": AMITRIPTYLINE,
        "subject": {"reference": "Patient/1"},
        "effectiveDateTime": "2026-10-01",
        "dosage": [dosage()],
        **changes,
    }


def without(resource: Resource, *members: str) -> Resource:
    """The resource without some members."""
    return {name: value for name, value in resource.items() if name not in members}


def bundle(*resources: Resource, **members: Any) -> Resource:
    """A searchset of the resources."""
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": resource} for resource in resources],
        **members,
    }


def raw(value: Any) -> Raw:
    """JSON as a request holds it before anybody has looked at it."""
    return Raw(json.dumps(value).encode())


def identity_of(resource: Resource, terminology: Terminology, *medications: Resource) -> Identity:
    """The drug of an order, with the Medication resources that came with it."""
    return identify(resource, {f"Medication/{m['id']}": m for m in medications}, terminology)


def doses(kilograms: int | None = None) -> DoseContext:
    """What a dose needs besides the order, for a patient of this weight."""
    return DoseContext(SUBJECTS, lambda: Fraction(kilograms) if kilograms is not None else None)


def drafted(resource: Resource, terminology: Terminology) -> tuple[MedicationOrder | None, list[Unread]]:
    """The resource read as an order being written."""
    return draft_order(resource, identity_of(resource, terminology), terminology, doses(), focus=True)


def listed(resource: Resource, terminology: Terminology) -> tuple[MedicationOrder | None, list[Unread]]:
    """The resource read as an entry of the patient's list."""
    return listed_order(resource, identity_of(resource, terminology), terminology, TODAY, doses())
