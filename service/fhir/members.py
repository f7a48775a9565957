"""Decodes only the members of a list that are read; the others cost no more than their bytes."""

from typing import Any, TypedDict

import msgspec

from service.caching import cached
from service.fhir.bundles import REDACTED, SUBSETTED
from service.fhir.concepts import RecurringConcept
from service.fhir.resources import Resource
from service.fhir.versions import RENDERED, TELLING, names
from service.jsonio import exact_decoder

_OF_ORDERS = (
    "medicationReference medicationCodeableReference medicationCoding medicationString dosageInstruction dosage intent"
    " doNotPerform reason priorPrescription basedOn dispenseRequest note notes extension"
    " dateEnded statusChanged effectiveDosePeriod"
)
_IN_EVERY_VERSION = {
    "MedicationRequest": ("medicationCodeableConcept", "subject", "authoredOn", "reasonCode", "statusReason"),
    "Condition": ("recordedDate",),
}
"""Members that are read under every name that the table of versions has for them."""

_OF_STATEMENTS = (
    "taken wasNotTaken adherence effectiveDateTime effectivePeriod dateAsserted notGiven wasNotGiven whenHandedOver"
    " whenPrepared daysSupply authorizingPrescription"
    " occurenceDateTime occurencePeriod effectiveTimeDateTime effectiveTimePeriod"
)
_OF_PROBLEMS = (
    "clinicalStatus verificationStatus onsetDateTime onsetPeriod"
    " abatementDateTime abatementDate abatementBoolean abatementAge abatementQuantity"
    " abatementPeriod abatementRange abatementString"
)
_OF_ALLERGIES = "substance reaction category type"
_OF_OBSERVATIONS = (
    "component hasMember valueQuantity valueInteger valueRange valueRatio valueCodeableConcept valueString valueBoolean"
    " valueDateTime dataAbsentReason effectiveInstant derivedFrom focus"
)
_OF_PATIENTS = "birthDate gender deceasedBoolean deceasedDateTime"
_OF_ALL = (
    "resourceType id status code contained modifierExtension ingredient product entry total link issue meta emptyReason"
)
"""Also of a Medication, a Bundle and an OperationOutcome, which stand among them."""

MEMBERS = frozenset(
    " ".join((_OF_ALL, _OF_ORDERS, _OF_STATEMENTS, _OF_PROBLEMS, _OF_ALLERGIES, _OF_OBSERVATIONS, _OF_PATIENTS)).split()
).union(
    *TELLING.values(),
    *(names(kind, member) for kind, members in _IN_EVERY_VERSION.items() for member in members),
)
"""What is read of an entry of a list, in any FHIR version."""

_RECURRING = (
    *("code", "clinicalStatus", "verificationStatus", "substance", "valueCodeableConcept", "dosageInstruction"),
    *names("MedicationRequest", "medicationCodeableConcept"),
)
"""Members that say the same few things again and again in every record: each is decoded once and then known."""

_RENDERED = RENDERED.encode()
_LONGEST_RECURRING, _MOST_RECURRING = 1000, 2000
"""Bytes of such a member that is kept, of which a concept of several codes has about 400; and how many are."""

_typed: Any = TypedDict  # its functional form wants the names spelled out


class _Meta(TypedDict, total=False):
    versionId: Any
    tag: msgspec.Raw
    security: msgspec.Raw


_TYPES = {name: msgspec.Raw if name in (*_RECURRING, "extension") else Any for name in sorted(MEMBERS)}
_RESOURCE: Any = _typed("_RESOURCE", {**_TYPES, "meta": _Meta}, total=False)


class _Entry(TypedDict, total=False):
    fullUrl: Any
    resource: _RESOURCE
    search: Any
    response: Any


class _Bundle(TypedDict, total=False):
    resourceType: Any
    meta: _Meta
    total: Any
    link: Any
    entry: list[_Entry]


_decoder = exact_decoder(_Bundle)
_decode = exact_decoder().decode


def _value(raw: bytes) -> Any:
    value = _decode(raw)
    return RecurringConcept(value) if isinstance(value, dict) else value


_recurring = cached(_value, longest=_LONGEST_RECURRING, most=_MOST_RECURRING)


def _complete(resource: Resource) -> None:
    """Decodes the members that were left as they came."""
    for name in _RECURRING:
        if name in resource:
            resource[name] = _recurring(bytes(resource[name]))
    if "meta" in resource:
        _complete_meta(resource["meta"])
    if "extension" in resource:
        extensions = bytes(resource.pop("extension"))
        if _RENDERED in extensions or b"\\" in extensions:
            resource["extension"] = _decode(extensions)


def _complete_meta(meta: Resource) -> None:
    """Decodes the tags and labels; those of nearly every resource are the server's own and are passed over."""
    for name, code in (("tag", SUBSETTED), ("security", REDACTED)):
        tags = bytes(meta.pop(name, b""))
        if code.encode() in tags or b"\\" in tags:
            meta[name] = _decode(tags)


def list_of(raw: msgspec.Raw | bytes) -> Resource | None:
    """The Bundle in these bytes with what is read of its entries; None for what is not a Bundle of plain entries."""
    try:
        str(raw, "utf-8")  # what is passed over is not looked at
        bundle: Resource = _decoder.decode(raw)
        _complete_meta(bundle.get("meta", {}))
        for entry in bundle.get("entry", ()):
            _complete(entry.get("resource", {}))
    except (msgspec.DecodeError, RecursionError, ValueError, ArithmeticError):
        return None
    plain = bundle.get("resourceType") == "Bundle" and all("resource" in entry for entry in bundle.get("entry", ()))
    return bundle if plain else None
