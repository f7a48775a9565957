"""Conditions of the patient, told apart by their codes; only those that the guidance knows are read."""

from collections.abc import Iterable

from fhir.resources.R4B.condition import Condition

from service.clinical.terminology import Terminology
from service.fhir.dosages import codings
from service.fhir.identity import codings_of
from service.fhir.resources import Resource
from service.fhir.tolerant import read

ACTIVE = frozenset({"active", "recurrence", "relapse"})
NOT_TRUE = frozenset({"refuted", "entered-in-error"})

_SUBJECT = {"subject": {"display": "not stated"}}


def active_conditions(resources: Iterable[Resource], terminology: Terminology) -> frozenset[str]:
    """Ids of the condition sets that an active, not refuted condition belongs to (terminology.md, 5)."""
    found: set[str] = set()
    for resource in resources:
        code = resource.get("code")
        if resource["resourceType"] != "Condition" or not isinstance(code, dict):
            continue
        concepts = terminology.concepts(codings_of(code))
        if concepts and _holds(resource):
            found |= concepts
    return frozenset(found)


def _holds(resource: Resource) -> bool:
    """True when the condition is active and true. Statuses are codes up to STU3, CodeableConcepts from R4."""
    clinical, verification = (_status(resource.get(member)) for member in ("clinicalStatus", "verificationStatus"))
    return (not clinical or bool(clinical & ACTIVE)) and not verification & NOT_TRUE


def _status(value: object) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset({value})
    if value is None:
        return frozenset()
    shape = {"resourceType": "Condition", "clinicalStatus": value, **_SUBJECT}
    found = read(Condition, shape)
    concept = found.value.clinicalStatus if found is not None else None
    return frozenset(c.code for c in codings(concept)) if concept is not None else frozenset()
