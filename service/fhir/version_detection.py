"""In which FHIR version a resource is written, recognised by its members: nothing else in a hook call says it."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from service.fhir.resources import Resource
from service.fhir.versions import dosage_instructions

Version = Literal["DSTU2", "STU3", "R4", "R5"]
"""The releases that resources are told apart by. R4B has R4's members in all that is read and written here."""

_OF_TYPE: Mapping[str, Version] = {
    "MedicationOrder": "DSTU2",
    "DiagnosticOrder": "DSTU2",
    "ReferralRequest": "STU3",
    "MedicationUsage": "R5",
}
"""Types that only one of the releases has."""

TELLING: Mapping[str, Mapping[str, Version]] = {
    "MedicationRequest": {
        "medication": "R5", "reason": "R5", "effectiveDosePeriod": "R5", "renderedDosageInstruction": "R5",
        "context": "STU3", "definition": "STU3",
    },
    "MedicationStatement": {
        "wasNotTaken": "DSTU2", "patient": "DSTU2", "reasonForUseCodeableConcept": "DSTU2",
        "taken": "STU3",
        "medication": "R5", "adherence": "R5", "reason": "R5", "renderedDosageInstruction": "R5",
    },
    "Medication": {"product": "DSTU2", "isOverTheCounter": "STU3", "doseForm": "R5"},
    "Condition": {"patient": "DSTU2", "dateRecorded": "DSTU2", "assertedDate": "STU3", "context": "STU3"},
    "AllergyIntolerance": {"substance": "DSTU2", "status": "DSTU2", "assertedDate": "STU3"},
    "Observation": {"comments": "DSTU2", "comment": "STU3", "context": "STU3"},
    "ProcedureRequest": {"intent": "STU3", "orderedOn": "DSTU2"},
}  # fmt: skip
"""Members that only one of the releases has, by the type of the resource."""

_STATUS_WAS_A_CODE = frozenset({"Condition", "AllergyIntolerance"})


def version_of(resources: Iterable[Resource], otherwise: Version = "R4") -> Version:
    """The version of the first resource that tells its own; ``otherwise`` when none does."""
    return next((found for found in map(own_version, resources) if found is not None), otherwise)


def own_version(resource: Resource) -> Version | None:
    """The version in which a resource is written; None when its members fit several."""
    kind = resource["resourceType"]
    if kind in _OF_TYPE:
        return _OF_TYPE[kind]
    for member, version in TELLING.get(kind, {}).items():
        if resource.get(member) is not None:
            return version
    if kind in _STATUS_WAS_A_CODE and isinstance(resource.get("clinicalStatus"), str):
        return "STU3"
    given = (_of_dosage(dosage) for dosage in dosage_instructions(resource) if isinstance(dosage, dict))
    return next((version for version in given if version is not None), None)


def _of_dosage(dosage: Mapping[str, Any]) -> Version | None:
    if "quantityQuantity" in dosage or "quantityRange" in dosage:
        return "DSTU2"
    if "doseAndRate" in dosage:
        return "R4"  # R5 has it, too, but has been told by ``medication``, which it requires
    return "STU3" if "doseQuantity" in dosage or "doseRange" in dosage else None
