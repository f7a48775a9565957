"""R4 in R5."""

from collections.abc import Callable

from tests.fhir.translated.members import Json, renamed, unchanged, without

ADHERENCE = "http://hl7.org/fhir/CodeSystem/medication-statement-adherence"
INTOLERANCE_TYPE = "http://hl7.org/fhir/allergy-intolerance-type"


def in_r5(resource: Json) -> Json:
    """A resource in R5."""
    if "contained" in resource:
        resource["contained"] = [in_r5(inner) for inner in resource["contained"]]
    return _OF_TYPE.get(resource["resourceType"], unchanged)(resource)


def _order(resource: Json) -> Json:
    reasons = [{"concept": concept} for concept in resource.get("reasonCode", [])]
    changed = _with_medication(without(resource, "reasonCode"))
    if reasons:
        changed["reason"] = reasons
    if "category" in changed and not isinstance(changed["category"], list):
        changed["category"] = [changed["category"]]
    return _with_dosages(changed, "dosageInstruction")


def _statement(resource: Json) -> Json:
    # What R4 says in the status, R5 says in the adherence; its status is about the record.
    adherence = {"active": "taking", "completed": "stopped", "not-taken": "not-taking"}
    changed = _with_medication(resource)
    if changed["status"] not in ("entered-in-error", "draft"):
        code = adherence.get(changed["status"], changed["status"])
        changed |= {"status": "recorded", "adherence": {"code": {"coding": [{"system": ADHERENCE, "code": code}]}}}
    return _with_dosages(changed, "dosage")


def _with_medication(resource: Json) -> Json:
    medication = {}
    if "medicationCodeableConcept" in resource:
        medication["concept"] = resource["medicationCodeableConcept"]
    if "medicationReference" in resource:
        medication["reference"] = resource["medicationReference"]
    changed = without(resource, "medicationCodeableConcept", "medicationReference")
    return {**changed, "medication": medication} if medication else changed


def _with_dosages(resource: Json, member: str) -> Json:
    if member in resource:
        resource[member] = [_dosage(dosage) for dosage in resource[member]]
    return resource


def _dosage(dosage: Json) -> Json:
    changed = renamed(dosage, {"asNeededBoolean": "asNeeded"})
    if "asNeededCodeableConcept" in changed:
        changed["asNeededFor"] = [changed.pop("asNeededCodeableConcept")]
    if "maxDosePerPeriod" in changed:
        changed["maxDosePerPeriod"] = [changed["maxDosePerPeriod"]]
    return changed


def _medication(resource: Json) -> Json:
    parts = []
    for part in resource.get("ingredient", []):
        changed = renamed(part, {"strength": "strengthRatio"})
        changed["item"] = {"concept": changed.pop("itemCodeableConcept")}
        parts.append(changed)
    changed = renamed(resource, {"form": "doseForm", "amount": "totalVolume"})
    return {**changed, "ingredient": parts} if parts else changed


def _condition(resource: Json) -> Json:
    unknown = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "unknown"}]}
    return {"clinicalStatus": unknown, **resource}


def _allergy(resource: Json) -> Json:
    if "type" in resource:
        resource["type"] = {"coding": [{"system": INTOLERANCE_TYPE, "code": resource["type"]}]}
    for reaction in resource.get("reaction", []):
        reaction["manifestation"] = [{"concept": concept} for concept in reaction.get("manifestation", [])]
    return resource


_OF_TYPE: dict[str, Callable[[Json], Json]] = {
    "MedicationRequest": _order,
    "MedicationStatement": _statement,
    "Medication": _medication,
    "Condition": _condition,
    "AllergyIntolerance": _allergy,
}
