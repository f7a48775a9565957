"""R4 in DSTU2."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from tests.fhir.translated.members import Json, code_of, first, listed, renamed, unchanged, with_bare_dose, without

EVENTS = frozenset({"HS", "WAKE", "C", "CM", "CD", "CV", "AC", "ACM", "ACD", "ACV", "PC", "PCM", "PCD", "PCV"})
"""The codes that DSTU2 has for the time of a dose."""


def in_dstu2(resource: Json) -> Json:
    """A resource in DSTU2."""
    made = _OF_TYPE.get(resource["resourceType"], unchanged)(resource)
    return {**made, "contained": _contained(made["contained"])} if "contained" in made else made


def _contained(resources: list[Json]) -> list[Json]:
    """Contained resources may not contain others: a Medication's substances stand beside it."""
    found = []
    for resource in map(in_dstu2, resources):
        found += [without(resource, "contained"), *resource.get("contained", [])]
    return found


def _order(resource: Json) -> Json:
    # DSTU2 has no doNotPerform and no cancelled order: treatment that ends is an order that is stopped.
    status = "stopped" if resource.get("doNotPerform") or resource["status"] == "cancelled" else resource["status"]
    assert resource.get("intent", "order") == "order", "DSTU2 has orders only"
    names = {
        "subject": "patient", "authoredOn": "dateWritten", "requester": "prescriber",
        "reasonCode": "reasonCodeableConcept", "statusReason": "reasonEnded",
    }  # fmt: skip
    changed = renamed(without(resource, "intent", "category", "doNotPerform"), names)
    changed |= {"resourceType": "MedicationOrder", "status": status}
    if "note" in changed:
        changed["note"] = first(changed["note"])["text"]
    if "reasonCodeableConcept" in changed:
        changed["reasonCodeableConcept"] = first(changed["reasonCodeableConcept"])
    if "priorPrescription" in changed:
        prior = changed["priorPrescription"]["reference"].replace("MedicationRequest/", "MedicationOrder/")
        changed["priorPrescription"] = {"reference": prior}
    if "dosageInstruction" in changed:
        dosages = _in_turn(changed["dosageInstruction"], changed["dateWritten"])
        changed["dosageInstruction"] = [_dosage(dosage, "dose") for dosage in dosages]
    return changed


def _in_turn(dosages: list[Json], start: str) -> list[Json]:
    """Steps with the days on which each begins and ends; DSTU2 has no other way to say that they follow."""
    if len(dosages) < 2 or not all("sequence" in dosage for dosage in dosages):
        return dosages
    day, found = date.fromisoformat(start), []
    for dosage in dosages:
        repeat = dict(dosage["timing"]["repeat"])
        length = repeat.pop("boundsDuration", None)
        if length is None and dosage is not dosages[-1]:
            return dosages  # how long this step lasts is not stated, so the next one has no first day
        period = {"start": day.isoformat()}
        if length is not None:
            day += timedelta(days=length["value"] * {"d": 1, "wk": 7}[length["code"]])
            period["end"] = (day - timedelta(days=1)).isoformat()
        found.append({**dosage, "timing": {"repeat": {"boundsPeriod": period, **repeat}}})
    return found


def _statement(resource: Json) -> Json:
    taken = resource["status"] != "not-taken"
    status = {"stopped": "completed", "not-taken": "active"}.get(resource["status"], resource["status"])
    changed = {**renamed(resource, {"subject": "patient"}), "status": status, "wasNotTaken": not taken}
    if "dosage" in changed:
        changed["dosage"] = [_dosage(dosage, "quantity") for dosage in changed["dosage"]]
    return changed


def _dosage(dosage: Json, dose: str) -> Json:
    # "sequence" came with STU3.
    changed = without(with_bare_dose(dosage, dose), "sequence")
    if "timing" in changed:
        repeat = _repeat(changed["timing"].get("repeat", {}))
        changed["timing"] = {**changed["timing"], **({"repeat": repeat} if repeat else {})}
    return changed


def _repeat(repeat: Json) -> Json:
    changed = renamed(repeat, {"periodUnit": "periodUnits", "boundsDuration": "boundsQuantity"})
    when: list[Any] = changed.pop("when", [])
    if len(when) != 1:
        return changed
    # tim-3: either a frequency or an event. "Once a day, at bedtime" is the event alone.
    daily = (repeat.get("frequency"), repeat.get("period"), repeat.get("periodUnit")) == (1, 1, "d")
    if when[0] in EVENTS and daily:
        return {**without(changed, "frequency", "period", "periodUnits"), "when": when[0]}
    return changed


def _medication(resource: Json) -> Json:
    substances, parts = [], []
    for number, part in enumerate(resource.get("ingredient", []), 1):
        id_ = f"substance-{number}"
        substances.append({"resourceType": "Substance", "id": id_, "code": part["itemCodeableConcept"]})
        parts.append({"item": {"reference": f"#{id_}"}, "amount": part["strength"]})
    changed = without(resource, "ingredient")
    return {**changed, "contained": substances, "product": {"ingredient": parts}} if parts else changed


def _condition(resource: Json) -> Json:
    changed = renamed(resource, {"subject": "patient", "recordedDate": "dateRecorded"})
    for member in ("clinicalStatus", "verificationStatus"):
        if member in changed:
            code = code_of(changed[member])
            same = {"recurrence": "relapse", "inactive": "resolved", "unconfirmed": "provisional"}
            changed[member] = same.get(code, code)
    # DSTU2 requires it, and has a code for not knowing it.
    return {"verificationStatus": "unknown", **changed}


def _allergy(resource: Json) -> Json:
    states = [code_of(resource[m]) for m in ("verificationStatus", "clinicalStatus") if m in resource]
    status = next((s for s in states if s in ("refuted", "entered-in-error", "inactive", "resolved")), states[0])
    changed = renamed(without(resource, "clinicalStatus", "verificationStatus"), {"code": "substance"})
    if "criticality" in changed:
        changed["criticality"] = {"low": "CRITL", "high": "CRITH", "unable-to-assess": "CRITU"}[changed["criticality"]]
    return {**changed, "status": status}


def _observation(resource: Json) -> Json:
    if "note" in resource:
        resource["comments"] = first(resource.pop("note"))["text"]
    return resource


def _patient(resource: Json) -> Json:
    resource["name"] = [{**name, "family": listed(name["family"])} for name in resource.get("name", [])]
    return resource


_OF_TYPE: dict[str, Callable[[Json], Json]] = {
    "MedicationRequest": _order,
    "MedicationStatement": _statement,
    "Medication": _medication,
    "Condition": _condition,
    "AllergyIntolerance": _allergy,
    "Observation": _observation,
    "Patient": _patient,
}
