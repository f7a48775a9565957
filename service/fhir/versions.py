"""The releases of FHIR: what each calls its members, in which one a resource is written, our templates written in it.

One table says for each member of R4 what it is called elsewhere. Reading takes a member by whichever name came; writing
takes the name of the client's release. A template with a member that is not in the table is not written at all: half an
order would be another order.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Literal

from service.fhir.resources import Resource, aslist, copied, one, text

Version = Literal["DSTU2", "STU3", "R4", "R5"]
"""The releases that resources are classified into. R4B has R4's members in all that is read and written here."""

ORDER_TYPES = frozenset({"MedicationRequest", "MedicationOrder"})
STATEMENT_TYPES = frozenset({"MedicationStatement", "MedicationUsage"})
TAKEN_TYPES = frozenset({"MedicationDispense", "MedicationAdministration"})
"""What was handed out or given: on a list it is read as taken."""
DRUG_TYPES = ORDER_TYPES | STATEMENT_TYPES | TAKEN_TYPES


RENDERED = "renderedDosageInstruction"
"""R5's member, and the end of the address of the extension that stands for it in R4."""

LEFT_OUT = ""
"""In place of a name: what the member says there, the other members say."""

_SAME: Mapping[Version, str] = {}
_MEMBERS: Mapping[str, Mapping[str, Mapping[Version, str]]] = {
    "MedicationRequest": {
        **dict.fromkeys(("resourceType", "status", "note", "dosageInstruction", "dispenseRequest"), _SAME),
        "priorPrescription": _SAME,
        "intent": {"DSTU2": LEFT_OUT},  # every MedicationOrder is one to be signed
        "category": {"DSTU2": LEFT_OUT},
        "priority": {"DSTU2": LEFT_OUT},
        "medicationCodeableConcept": {"R5": "medication"},
        "subject": {"DSTU2": "patient"},
        "authoredOn": {"DSTU2": "dateWritten"},
        "reasonCode": {"DSTU2": "reasonCodeableConcept", "R5": "reason"},
        "statusReason": {"DSTU2": "reasonEnded"},
    },
    "Dosage": {
        **dict.fromkeys(("text", "timing", "route", "doseAndRate", "maxDosePerPeriod"), _SAME),
        "sequence": {"DSTU2": LEFT_OUT},
        "patientInstruction": {"DSTU2": LEFT_OUT},
        "additionalInstruction": {"DSTU2": "additionalInstructions"},
        "asNeededBoolean": {"R5": "asNeeded"},
        "asNeededCodeableConcept": {"R5": "asNeededFor"},
    },
    "Repeat": {
        **dict.fromkeys(("boundsPeriod", "boundsRange", "count", "frequency", "frequencyMax"), _SAME),
        **dict.fromkeys(("period", "periodMax", "when"), _SAME),
        "boundsDuration": {"DSTU2": "boundsQuantity"},
        "periodUnit": {"DSTU2": "periodUnits"},
    },
    "ServiceRequest": {
        **dict.fromkeys(("resourceType", "code", "subject", "priority"), _SAME),
        "status": {"DSTU2": LEFT_OUT},
        "intent": {"DSTU2": "status"},
        "category": {"DSTU2": LEFT_OUT},
        "authoredOn": {"DSTU2": "orderedOn"},
        "occurrenceDateTime": {"DSTU2": "scheduledDateTime"},
        "occurrencePeriod": {"DSTU2": "scheduledPeriod"},
        "reasonCode": {"DSTU2": "reasonCodeableConcept", "R5": "reason"},
        "note": {"DSTU2": "notes"},
    },
    "Condition": {"recordedDate": {"STU3": "assertedDate", "DSTU2": "dateRecorded"}},
}
"""By type of the resource, or part of one: each member of R4 with its name where that is another."""

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


class CannotWrite(Exception):
    """The version has nothing to say a member with; the message names the member."""


@cache
def names(kind: str, member: str) -> tuple[str, ...]:
    """What a member is called in any version, R4's name first."""
    return (member, *dict.fromkeys(filter(None, _MEMBERS[kind][member].values())))


def first(resource: Resource, kind: str, member: str) -> Any:
    """The value of a member under whichever of its names there is one; None without any."""
    return next(filter(None, (one(resource.get(name)) for name in names(kind, member))), None)


def dosage_instructions(order: Resource) -> list[Any]:
    """The dosage instructions of an order or a statement as sent; one in words alone as its text.

    R5's words for all of them count where there are no others.
    """
    given = order.get("dosageInstruction") or order.get("dosage") or rendered(order)
    return [{"text": item} if item and isinstance(item, str) else item for item in aslist(given or None)]


def rendered(order: Resource) -> str:
    """R5's words for all instructions together; R4 has them as an extension."""
    words = text(order.get(RENDERED))
    if words or not order.get("extension"):
        return words
    own = (item for item in aslist(order["extension"]) if is_rendered(item))
    return next((words for item in own if (words := text(item.get("valueMarkdown") or item.get("valueString")))), "")


def is_rendered(extension: object) -> bool:
    """True for the extension that holds the words for all instructions."""
    return isinstance(extension, dict) and text(extension.get("url")).rpartition(".")[2] == RENDERED


def version_of(resources: Iterable[Resource]) -> Version:
    """The version of the first resource that tells its own; R4 when none does."""
    return next((found for found in map(own_version, resources) if found is not None), "R4")


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
    return "STU3" if {"doseQuantity", "doseSimpleQuantity", "doseRange"} & dosage.keys() else None


def written_in(version: Version, template: Mapping[str, Any]) -> Resource:
    """A draft order of ``cards/orders`` in a version. Raises CannotWrite."""
    order: Resource = copied(dict(template))
    if order["status"] != "draft":
        raise CannotWrite("status: only a draft is the same in every version")
    return order if version == "R4" else _written(version, order["resourceType"], order)


def dosage_in(version: Version, dosage: Mapping[str, Any]) -> Resource:
    """One dosage instruction of a template in a version. Raises CannotWrite."""
    given: Resource = copied(dict(dosage))
    if version == "R4":
        return given
    written = _written(version, "Dosage", given)
    words = [given[name] for name in ("text", "patientInstruction") if name in given]
    return {**written, "text": ". ".join(words)} if version == "DSTU2" and words else written


def _written(version: Version, kind: str, value: Resource) -> Resource:
    """A template, or a part of one, member by member."""
    made: Resource = {}
    for member, said in value.items():
        if member not in _MEMBERS[kind]:
            raise CannotWrite(member)
        name = _MEMBERS[kind][member].get(version, member)
        shape = _SHAPES.get((version, kind, member))
        if member == "dosageInstruction":
            # DSTU2 cannot say whether instructions follow each other; only a single one is clear.
            made[name] = [dosage_in(version, d) for d in ([_only(said)] if version == "DSTU2" else said)]
        elif (kind, member) == ("Dosage", "doseAndRate") and version != "R5":
            made |= _bare_dose(said)
        elif name != LEFT_OUT:
            made[name] = shape(said) if shape is not None else said
    return made


def _only(values: list[Any]) -> Any:
    """The one value where R4 has a list."""
    if len(values) != 1:
        raise CannotWrite("several")
    return values[0]


def _reference(concept: Any) -> Resource:
    """A CodeableReference of R5."""
    return {"concept": concept}


def _bare_dose(doses: list[Resource]) -> Resource:
    """The dose beside the timing, as it was before R4."""
    if len(doses) != 1 or not doses[0].keys() <= {"type", "doseQuantity", "doseRange"}:
        raise CannotWrite("doseAndRate")
    return {name: value for name, value in doses[0].items() if name != "type"}


def _timing_in_dstu2(timing: Resource) -> Resource:
    """DSTU2 allows a frequency or an event, not both (its rule tim-3): the frequency says how much a day."""
    repeat = dict(timing.get("repeat", {}))
    if "frequency" in repeat or "period" in repeat:
        repeat.pop("when", None)
    return {**timing, **({"repeat": _written("DSTU2", "Repeat", repeat)} if repeat else {})}


_SHAPES: Mapping[tuple[Version, str, str], Callable[[Any], Any]] = {
    ("DSTU2", "MedicationRequest", "resourceType"): lambda _: "MedicationOrder",
    ("DSTU2", "MedicationRequest", "reasonCode"): _only,
    ("DSTU2", "MedicationRequest", "note"): lambda notes: "\n".join(note["text"] for note in notes),
    ("DSTU2", "ServiceRequest", "resourceType"): lambda _: "ProcedureRequest",
    ("DSTU2", "ServiceRequest", "intent"): lambda intent: "proposed" if intent == "proposal" else "draft",
    ("DSTU2", "ServiceRequest", "reasonCode"): _only,
    ("DSTU2", "Dosage", "additionalInstruction"): _only,
    ("DSTU2", "Dosage", "timing"): _timing_in_dstu2,
    ("DSTU2", "Repeat", "when"): _only,
    ("STU3", "MedicationRequest", "category"): _only,
    ("STU3", "ServiceRequest", "resourceType"): lambda _: "ProcedureRequest",
    ("R5", "MedicationRequest", "medicationCodeableConcept"): _reference,
    ("R5", "MedicationRequest", "reasonCode"): lambda concepts: [*map(_reference, concepts)],
    ("R5", "ServiceRequest", "code"): _reference,
    ("R5", "ServiceRequest", "reasonCode"): lambda concepts: [*map(_reference, concepts)],
    ("R5", "Dosage", "asNeededCodeableConcept"): lambda concept: [concept],
    ("R5", "Dosage", "maxDosePerPeriod"): lambda ratio: [ratio],
}
"""How the value of a member is written where it is not R4's."""
