"""R4 in STU3."""

from collections.abc import Callable

from tests.fhir.translated.members import Json, code_of, first, renamed, unchanged, with_bare_dose, without


def in_stu3(resource: Json) -> Json:
    """A resource in STU3."""
    resource = renamed(resource, {"encounter": "context"})
    if "contained" in resource:
        resource["contained"] = [in_stu3(inner) for inner in resource["contained"]]
    return _OF_TYPE.get(resource["resourceType"], unchanged)(resource)


def _order(resource: Json) -> Json:
    # STU3 has no doNotPerform and no reason of a status: treatment that ends is an order that is stopped.
    if resource.get("doNotPerform"):
        resource["status"] = "stopped"
    resource = without(resource, "doNotPerform", "statusReason")
    if "category" in resource:
        resource["category"] = first(resource["category"])
    return _with_dosages(resource, "dosageInstruction")


def _statement(resource: Json) -> Json:
    taken = "n" if resource["status"] == "not-taken" else "y"
    return _with_dosages({**resource, "taken": taken}, "dosage")


def _with_dosages(resource: Json, member: str) -> Json:
    if member in resource:
        resource[member] = [with_bare_dose(dosage) for dosage in resource[member]]
    return resource


def _medication(resource: Json) -> Json:
    if "ingredient" in resource:
        resource["ingredient"] = [renamed(part, {"strength": "amount"}) for part in resource["ingredient"]]
    return resource


def _condition(resource: Json) -> Json:
    changed = renamed(resource, {"recordedDate": "assertedDate"})
    for member in ("clinicalStatus", "verificationStatus"):
        if member in changed:
            code = code_of(changed[member])
            changed[member] = {"relapse": "recurrence", "unconfirmed": "provisional"}.get(code, code)
    return changed


def _allergy(resource: Json) -> Json:
    changed = renamed(resource, {"recordedDate": "assertedDate"})
    for member in ("clinicalStatus", "verificationStatus"):
        if member in changed:
            changed[member] = code_of(changed[member])
    return changed


def _observation(resource: Json) -> Json:
    if "note" in resource:
        resource["comment"] = first(resource.pop("note"))["text"]
    return resource


_OF_TYPE: dict[str, Callable[[Json], Json]] = {
    "MedicationRequest": _order,
    "MedicationStatement": _statement,
    "Medication": _medication,
    "Condition": _condition,
    "AllergyIntolerance": _allergy,
    "Observation": _observation,
}
