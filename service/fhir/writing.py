"""Our own order templates, which are R4, written in the FHIR version of the client.

Every member that a template may have is listed for every version with what stands for it there. A member that is
not listed has no counterpart, and the template is not written at all: half an order would be another order.
"""

from collections.abc import Callable, Mapping
from typing import Any

from service.fhir.resources import Resource, copied
from service.fhir.version_detection import Version


class CannotWrite(Exception):
    """The version has nothing to say a member with; the message names the member."""


Change = Callable[[Any], Resource]
"""From the value of a member to the members that stand for it."""


def written_in(version: Version, template: Mapping[str, Any]) -> Resource:
    """A draft order of ``cards/orders`` in a version. Raises CannotWrite."""
    order: Resource = copied(dict(template))
    if order["status"] != "draft":
        raise CannotWrite("status: only a draft is the same in every version")
    return order if version == "R4" else _changed(order, _ORDERS[version][order["resourceType"]])


def dosage_in(version: Version, dosage: Mapping[str, Any]) -> Resource:
    """One dosage instruction of a template in a version. Raises CannotWrite."""
    given: Resource = copied(dict(dosage))
    return given if version == "R4" else _changed(given, _DOSAGES[version])


def _changed(value: Resource, changes: Mapping[str, Change]) -> Resource:
    made: Resource = {}
    for name, member in value.items():
        if name not in changes:
            raise CannotWrite(name)
        made |= changes[name](member)
    return made


def _named(name: str) -> Change:
    return lambda value: {name: value}


def _same(*names: str) -> dict[str, Change]:
    return {name: _named(name) for name in names}


def _only(name: str) -> Change:
    """One value under this name, where R4 has a list."""

    def change(values: list[Any]) -> Resource:
        if len(values) != 1:
            raise CannotWrite(f"{name}: several")
        return {name: values[0]}

    return change


def _left_out(value: Any) -> Resource:  # noqa: ARG001  (what says nothing that the other members do not say)
    return {}


def _fixed(name: str, value: str) -> Change:
    return lambda _: {name: value}


def _concepts(name: str) -> Change:
    """CodeableReferences of R5, where R4 has CodeableConcepts."""
    return lambda concepts: {name: [{"concept": concept} for concept in concepts]}


def _bare_dose(doses: list[Resource]) -> Resource:
    """The dose beside the timing, as it was before R4."""
    if len(doses) != 1 or not doses[0].keys() <= {"type", "doseQuantity", "doseRange"}:
        raise CannotWrite("doseAndRate")
    return {name: value for name, value in doses[0].items() if name != "type"}


def _one_dosage_in_dstu2(dosages: list[Resource]) -> Resource:
    """DSTU2 cannot say whether instructions follow each other; only a single one is clear."""
    if len(dosages) != 1:
        raise CannotWrite("dosageInstruction: several")
    return {"dosageInstruction": [_dosage_in_dstu2(dosages[0])]}


def _dosage_in_dstu2(dosage: Resource) -> Resource:
    words = [dosage[name] for name in ("text", "patientInstruction") if name in dosage]
    return {**_changed(dosage, _DOSAGES["DSTU2"]), **({"text": ". ".join(words)} if words else {})}


def _timing_in_dstu2(timing: Resource) -> Resource:
    """DSTU2 allows a frequency or an event, not both (its rule tim-3): the frequency says how much a day."""
    repeat = dict(timing.get("repeat", {}))
    if "frequency" in repeat or "period" in repeat:
        repeat.pop("when", None)
    changed = {"repeat": _changed(repeat, _REPEAT_IN_DSTU2)} if repeat else {}
    return {"timing": {**timing, **changed}}


_REPEAT_IN_DSTU2: Mapping[str, Change] = {
    **_same("boundsPeriod", "boundsRange", "count", "frequency", "frequencyMax", "period", "periodMax"),
    "boundsDuration": _named("boundsQuantity"),
    "periodUnit": _named("periodUnits"),
    "when": _only("when"),
}

_DOSAGES: Mapping[str, Mapping[str, Change]] = {
    "DSTU2": {
        **_same("text", "route", "asNeededBoolean", "asNeededCodeableConcept", "maxDosePerPeriod"),
        "sequence": _left_out,
        "patientInstruction": _left_out,
        "additionalInstruction": _only("additionalInstructions"),
        "timing": _timing_in_dstu2,
        "doseAndRate": _bare_dose,
    },
    "STU3": {
        **_same("sequence", "text", "patientInstruction", "additionalInstruction", "timing", "route"),
        **_same("asNeededBoolean", "asNeededCodeableConcept", "maxDosePerPeriod"),
        "doseAndRate": _bare_dose,
    },
    "R5": {
        **_same("sequence", "text", "patientInstruction", "additionalInstruction", "timing", "route", "doseAndRate"),
        "asNeededBoolean": _named("asNeeded"),
        "asNeededCodeableConcept": lambda concept: {"asNeededFor": [concept]},
        "maxDosePerPeriod": lambda ratio: {"maxDosePerPeriod": [ratio]},
    },
}

_ORDERS: Mapping[str, Mapping[str, Mapping[str, Change]]] = {
    "DSTU2": {
        "MedicationRequest": {
            "resourceType": _fixed("resourceType", "MedicationOrder"),
            **_same("status", "medicationCodeableConcept", "dispenseRequest", "priorPrescription"),
            "intent": _left_out,  # every MedicationOrder is one to be signed
            "category": _left_out,
            "priority": _left_out,
            "subject": _named("patient"),
            "authoredOn": _named("dateWritten"),
            "reasonCode": _only("reasonCodeableConcept"),
            "note": lambda notes: {"note": "\n".join(note["text"] for note in notes)},
            "dosageInstruction": _one_dosage_in_dstu2,
        },
        "ServiceRequest": {
            "resourceType": _fixed("resourceType", "ProcedureRequest"),
            **_same("code", "subject", "priority"),
            "status": _left_out,
            "intent": lambda intent: {"status": "proposed" if intent == "proposal" else "draft"},
            "category": _left_out,
            "authoredOn": _named("orderedOn"),
            "occurrenceDateTime": _named("scheduledDateTime"),
            "occurrencePeriod": _named("scheduledPeriod"),
            "reasonCode": _only("reasonCodeableConcept"),
            "note": _named("notes"),
        },
    },
    "STU3": {
        "MedicationRequest": {
            **_same(
                "resourceType", "status", "intent", "priority", "medicationCodeableConcept", "subject", "authoredOn"
            ),
            **_same("reasonCode", "note", "dispenseRequest", "priorPrescription"),
            "category": _only("category"),
            "dosageInstruction": lambda all_: {"dosageInstruction": [_changed(d, _DOSAGES["STU3"]) for d in all_]},
        },
        "ServiceRequest": {
            "resourceType": _fixed("resourceType", "ProcedureRequest"),
            **_same("status", "intent", "priority", "category", "code", "subject", "authoredOn"),
            **_same("occurrenceDateTime", "occurrencePeriod", "reasonCode", "note"),
        },
    },
    "R5": {
        "MedicationRequest": {
            **_same("resourceType", "status", "intent", "priority", "category", "subject", "authoredOn"),
            **_same("note", "dispenseRequest", "priorPrescription"),
            "medicationCodeableConcept": lambda concept: {"medication": {"concept": concept}},
            "reasonCode": _concepts("reason"),
            "dosageInstruction": lambda all_: {"dosageInstruction": [_changed(d, _DOSAGES["R5"]) for d in all_]},
        },
        "ServiceRequest": {
            **_same("resourceType", "status", "intent", "priority", "category", "subject", "authoredOn"),
            **_same("occurrenceDateTime", "occurrencePeriod", "note"),
            "code": lambda concept: {"code": {"concept": concept}},
            "reasonCode": _concepts("reason"),
        },
    },
}
"""What stands for each member of our R4 templates; R4B has the same ones as R4."""
