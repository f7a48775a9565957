"""The structure of DSTU2 resources as published (FHIR 1.0.2), as far as orders, lists and suggestions need it.

``fhir.resources`` has no DSTU2 models. A member is written ``name``, ``name*`` when it repeats, ``name!`` when it is
required, and ``name:Type`` when its parts are looked at, too. Members that every resource or element has are added.
"""

import re
from collections.abc import Iterator
from typing import Any

STRUCTURE = {
    "MedicationOrder": """identifier* dateWritten status dateEnded reasonEnded:CodeableConcept patient:Reference
        prescriber:Reference encounter:Reference reasonCodeableConcept:CodeableConcept reasonReference:Reference note
        medicationCodeableConcept:CodeableConcept medicationReference:Reference dosageInstruction*:OrderDosage
        dispenseRequest:DispenseRequest substitution priorPrescription:Reference""",
    "OrderDosage": """text additionalInstructions:CodeableConcept timing:Timing asNeededBoolean
        asNeededCodeableConcept:CodeableConcept siteCodeableConcept:CodeableConcept siteReference:Reference
        route:CodeableConcept method:CodeableConcept doseRange doseQuantity:Quantity rateRatio rateRange
        maxDosePerPeriod:Ratio""",
    "DispenseRequest": """medicationCodeableConcept:CodeableConcept medicationReference:Reference validityPeriod
        numberOfRepeatsAllowed quantity:Quantity expectedSupplyDuration:Quantity""",
    "MedicationStatement": """identifier* patient!:Reference informationSource:Reference dateAsserted status!
        wasNotTaken reasonNotTaken*:CodeableConcept reasonForUseCodeableConcept:CodeableConcept
        reasonForUseReference:Reference effectiveDateTime effectivePeriod note supportingInformation*:Reference
        medicationCodeableConcept:CodeableConcept medicationReference:Reference dosage*:StatementDosage""",
    "StatementDosage": """text timing:Timing asNeededBoolean asNeededCodeableConcept:CodeableConcept
        siteCodeableConcept:CodeableConcept siteReference:Reference route:CodeableConcept method:CodeableConcept
        quantityQuantity:Quantity quantityRange rateRatio rateRange maxDosePerPeriod:Ratio""",
    "Timing": "event* repeat:Repeat code:CodeableConcept",
    "Repeat": """boundsQuantity:Quantity boundsRange boundsPeriod count duration durationMax durationUnits frequency
        frequencyMax period periodMax periodUnits when""",
    "Condition": """identifier* patient!:Reference encounter:Reference asserter:Reference dateRecorded
        code!:CodeableConcept category:CodeableConcept clinicalStatus verificationStatus! severity:CodeableConcept
        onsetDateTime onsetQuantity onsetPeriod onsetRange onsetString abatementDateTime abatementQuantity
        abatementBoolean abatementPeriod abatementRange abatementString stage evidence* bodySite*:CodeableConcept
        notes""",
    "AllergyIntolerance": """identifier* onset recordedDate recorder:Reference patient!:Reference reporter:Reference
        substance!:CodeableConcept status criticality type category lastOccurence note reaction*""",
    "Observation": """identifier* status! category:CodeableConcept code!:CodeableConcept subject:Reference
        encounter:Reference effectiveDateTime effectivePeriod issued performer*:Reference valueQuantity:Quantity
        valueCodeableConcept:CodeableConcept valueString valueRange valueRatio valueSampledData valueAttachment
        valueTime valueDateTime valuePeriod dataAbsentReason:CodeableConcept interpretation:CodeableConcept comments
        bodySite:CodeableConcept method:CodeableConcept specimen:Reference device:Reference referenceRange* related*
        component*""",
    "Medication": "code:CodeableConcept isBrand manufacturer:Reference product:Product package",
    "Product": "form:CodeableConcept ingredient*:Ingredient batch*",
    "Ingredient": "item!:Reference amount:Ratio",
    "Substance": "identifier* category*:CodeableConcept code!:CodeableConcept description instance* ingredient*",
    "Patient": """identifier* active name*:HumanName telecom* gender birthDate deceasedBoolean deceasedDateTime address*
        maritalStatus:CodeableConcept multipleBirthBoolean multipleBirthInteger photo* contact* animal communication*
        careProvider*:Reference managingOrganization:Reference link*""",
    "HumanName": "use text family* given* prefix* suffix* period",
    "ProcedureRequest": """identifier* subject!:Reference code!:CodeableConcept bodySite*:CodeableConcept
        reasonCodeableConcept:CodeableConcept reasonReference:Reference scheduledDateTime scheduledPeriod
        scheduledTiming:Timing encounter:Reference performer:Reference status notes* asNeededBoolean
        asNeededCodeableConcept:CodeableConcept orderedOn orderer:Reference priority""",
    "CodeableConcept": "coding*:Coding text",
    "Coding": "system version code display userSelected",
    "Reference": "reference display",
    "Quantity": "value comparator unit system code",
    "Ratio": "numerator:Quantity denominator:Quantity",
}
CODES = {
    ("MedicationOrder", "status"): "active on-hold completed entered-in-error stopped draft",
    ("MedicationStatement", "status"): "active completed entered-in-error intended",
    ("Condition", "clinicalStatus"): "active relapse remission resolved",
    ("Condition", "verificationStatus"): "provisional differential confirmed refuted entered-in-error unknown",
    ("AllergyIntolerance", "status"): "active unconfirmed confirmed inactive resolved refuted entered-in-error",
    ("AllergyIntolerance", "criticality"): "CRITL CRITH CRITU",
    ("Observation", "status"): "registered preliminary final amended cancelled entered-in-error unknown",
    ("ProcedureRequest", "status"): """proposed draft requested received accepted in-progress completed suspended
        rejected aborted""",
    ("Repeat", "periodUnits"): "s min h d wk mo a",
    ("Repeat", "when"): "HS WAKE C CM CD CV AC ACM ACD ACV PC PCM PCD PCV",
}
EVERYWHERE = ("id", "extension", "modifierExtension", "fhir_comments")
OF_RESOURCES = ("resourceType", "meta", "implicitRules", "language", "text", "contained")
_MEMBER = re.compile(r"(\w+)([*!]?)(?::(\w+))?")


def faults(resource: dict[str, Any]) -> list[str]:
    """What a resource has that DSTU2 has not, or lacks; empty when it is valid as far as is looked at."""
    kind = resource["resourceType"]
    if kind not in STRUCTURE:
        return [f"{kind} is no type of DSTU2"]
    held = [fault for inner in resource.get("contained", []) for fault in faults(inner)]
    own = {name: value for name, value in resource.items() if name not in OF_RESOURCES}
    return [*held, *_faults(kind, own, kind)]


def _faults(kind: str, value: dict[str, Any], path: str) -> Iterator[str]:
    members = {match[1]: (match[2], match[3]) for match in _MEMBER.finditer(STRUCTURE[kind])}
    for name, (mark, _) in members.items():
        if mark == "!" and name not in value:
            yield f"{path}.{name} is missing"
    if kind == "Repeat" and "when" in value and value.keys() & {"frequency", "period"}:
        yield f"{path}: either a frequency or an event (tim-3)"
    for name, member in value.items():
        if name not in members and name not in EVERYWHERE:
            yield f"{path}.{name} is no member"
        elif name in members:
            yield from _member_faults(kind, name, member, *members[name], f"{path}.{name}")


def _member_faults(kind: str, name: str, member: Any, mark: str, of: str | None, path: str) -> Iterator[str]:
    if isinstance(member, list) != (mark == "*"):
        yield f"{path} is {'a list' if isinstance(member, list) else 'no list'}"
        return
    for one in member if isinstance(member, list) else [member]:
        if (kind, name) in CODES and one not in CODES[kind, name].split():
            yield f"{path} is no code of its value set"
        if of is not None:
            yield from _faults(of, one, path) if isinstance(one, dict) else [f"{path} is no object"]
