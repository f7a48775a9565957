"""The few fixtures that are written in DSTU2 and STU3, in R4."""

from tests.fhir.translated.members import Json, listed, renamed, without


def in_r4(resource: Json) -> Json:
    """A resource of a fixture in R4; one that is R4 already is returned as it is."""
    if resource["resourceType"] == "MedicationOrder":
        names = {"patient": "subject", "dateWritten": "authoredOn"}
        resource = {**renamed(resource, names), "resourceType": "MedicationRequest", "intent": "order"}
    if "taken" in resource:
        assert resource["taken"] == "y"
        resource = without(resource, "taken")
    for member in ("dosage", "dosageInstruction"):
        if member in resource:
            resource[member] = [_dosage(dosage) for dosage in listed(resource[member])]
    return resource


def _dosage(dosage: Json) -> Json:
    if "doseQuantity" in dosage:
        dosage = {**without(dosage, "doseQuantity"), "doseAndRate": [{"doseQuantity": dosage["doseQuantity"]}]}
    repeat = dosage.get("timing", {}).get("repeat", {})
    if "periodUnits" in repeat:
        dosage["timing"]["repeat"] = renamed(repeat, {"periodUnits": "periodUnit"})
    if "when" in repeat:
        dosage["timing"]["repeat"]["when"] = listed(repeat["when"])
    return dosage
