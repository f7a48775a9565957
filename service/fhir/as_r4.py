"""Orders and statements of DSTU2, STU3, R4 and R5 as small ones of R4, which hold what a decision rests on.

What is returned is new; the client's own resource is never changed.
"""

from collections.abc import Iterator
from math import ceil
from typing import Any

from fhir.resources.R4B.codeableconcept import CodeableConcept
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.medicationstatement import MedicationStatement
from fhir.resources.R4B.reference import Reference

from service.caching import cached
from service.dates import event, later
from service.fhir.concepts import status_codes
from service.fhir.dosage_shapes import concept_as_r4, dosage_as_r4
from service.fhir.resources import Resource, aslist, exact, one, only, present, relative, text
from service.fhir.tolerant import Read, read
from service.fhir.versions import TAKEN_TYPES, dosage_instructions, first, names
from service.jsonio import decode, encode

ORDER = "MedicationRequest"
NOT_STATED = "not-stated"
"""In place of a status that was left out or refused. FHIR's own "unknown" is something a client says."""

MOST_REASONS = 10
"""Reasons of one order that are read, and notes of it: each costs a third of a millisecond."""

_SUPPLY = ("validityPeriod", "expectedSupplyDuration", "numberOfRepeatsAllowed")

_SINGLE = {
    "Patient": ("birthDate", "gender", "deceasedBoolean", "deceasedDateTime"),
    "Condition": ("code", "clinicalStatus", "verificationStatus", "subject", "onsetDateTime", "recordedDate"),
    "AllergyIntolerance": ("code", "substance", "clinicalStatus", "verificationStatus", "type", "patient"),
    "Observation": ("code", "status", "subject", "effectiveDateTime", "valueQuantity", "valueCodeableConcept"),
}
"""Members that FHIR has once, where a list of one is read as that one."""

_GIVEN = {
    **dict.fromkeys(("preparation", "in-progress", "completed", "unknown"), "active"),
    "on-hold": "on-hold",
    "stopped": "stopped",
    "entered-in-error": "entered-in-error",
    **dict.fromkeys(("cancelled", "declined", "not-done"), "not-taken"),
}
"""What the status of a dispense or an administration says about the drug being taken."""

_DAYS = frozenset({"d", "day", "days", "tage", "tag", "{day}", "258703001"})
"""How the unit of a supply in days is written; one without a unit is in days, as FHIR has no other."""

_ADHERENCE = {"not-taking": "not-taken", "stopped": "stopped", "on-hold": "on-hold"}
"""Beginnings of R5's adherence codes, which also tell whether it is so as directed."""

# Patient and drug are read from the client's resource by ``subject_reference`` and ``identity``; the models only
# need to see that R4 has them.
READ_ALREADY = {
    "subject": Reference(display="read already"),
    "medicationCodeableConcept": CodeableConcept(text="read already"),
}
_REQUIRED_ORDER = {"status": NOT_STATED, "intent": "order"}
_REQUIRED_STATEMENT = {"status": NOT_STATED}
_WORDED = frozenset({"reasonCode", "statusReason"})
_LONGEST_KNOWN, _MOST_KNOWN = 1000, 1000
"""Bytes of a small order that is kept, without its instructions, and how many are: each hook sends the same again."""


def read_order(order: Resource) -> Read[MedicationRequest] | None:
    """An order of any version, as the model of R4 reads it; None when it cannot be read. Not to be changed.

    Status, dates and supply say the same of whichever order they come with; one with reasons, which may be in free
    words, is not kept.
    """
    small = order_as_r4(order)
    return _order(encode(small)) if _WORDED.intersection(small) else _known_order(encode(small))


def read_statement(statement: Resource) -> Read[MedicationStatement] | None:
    """The same of a statement, a dispense or an administration."""
    return _known_statement(encode(statement_as_r4(statement)))


def _order(sent: bytes) -> Read[MedicationRequest] | None:
    small = decode(sent)
    return read(MedicationRequest, small | READ_ALREADY, _REQUIRED_ORDER) if isinstance(small, dict) else None


def _statement(sent: bytes) -> Read[MedicationStatement] | None:
    small = decode(sent)
    return read(MedicationStatement, small | READ_ALREADY, _REQUIRED_STATEMENT) if isinstance(small, dict) else None


_known_order = cached(_order, longest=_LONGEST_KNOWN, most=_MOST_KNOWN)
_known_statement = cached(_statement, longest=_LONGEST_KNOWN, most=_MOST_KNOWN)


def order_as_r4(order: Resource) -> Resource:
    """A MedicationRequest or MedicationOrder of any version as a small R4 MedicationRequest.

    What R4 requires and the client may leave out before signing is filled with neutral values, so that one
    model can read every order.
    """
    return present(
        resourceType=ORDER,
        status=_code(order.get("status")) or NOT_STATED,
        intent=_code(order.get("intent")) or "order",
        doNotPerform=one(order.get("doNotPerform")),
        authoredOn=first(order, ORDER, "authoredOn"),
        reasonCode=_reasons(order),
        statusReason=first(order, ORDER, "statusReason"),
        priorPrescription={"display": "read already"} if order.get("priorPrescription") else None,
        dispenseRequest=_dispense(order),
        dosageInstruction=[dosage_as_r4(d) for d in dosage_instructions(order)] or None,
    )


def statement_as_r4(statement: Resource) -> Resource:
    """A MedicationStatement of any version as a small R4 one; a dispense or an administration in the same form.

    STU3's ``taken``, DSTU2's ``wasNotTaken`` and R5's ``adherence`` become R4's status.
    """
    if statement["resourceType"] in TAKEN_TYPES:
        return _given_as_r4(statement)
    not_taken = _code(statement.get("taken")) == "n" or _true(statement.get("wasNotTaken"))
    status = "not-taken" if not_taken else _adherence(statement) or _code(statement.get("status")) or NOT_STATED
    return present(
        resourceType="MedicationStatement",
        status=status,
        effectiveDateTime=one(statement.get("effectiveDateTime")),
        effectivePeriod=one(statement.get("effectivePeriod")),
        dateAsserted=one(statement.get("dateAsserted")),
        dosage=[dosage_as_r4(d) for d in dosage_instructions(statement)] or None,
    )


def _given_as_r4(given: Resource) -> Resource:
    """What was handed out or given as a statement that it is taken. A dose that was given is no daily one."""
    stated = status_of(given)
    not_given = _true(given.get("notGiven")) or _true(given.get("wasNotGiven"))
    handed_out = given["resourceType"] == "MedicationDispense"
    dates = ("whenHandedOver", "whenPrepared", "effectiveDateTime", "occurenceDateTime", "effectiveTimeDateTime")
    periods = ("effectivePeriod", "occurencePeriod", "effectiveTimePeriod")
    began = next((one(given[name]) for name in dates if given.get(name) is not None), None)
    period = next((one(given[name]) for name in periods if given.get(name) is not None), None)
    period = period or _supplied(began, one(given.get("daysSupply")) if handed_out else {"value": 1})
    return present(
        resourceType="MedicationStatement",
        status="not-taken" if not_given else _GIVEN.get(stated, stated or NOT_STATED),
        effectiveDateTime=began if period is None else None,
        effectivePeriod=period,
        dosage=[dosage_as_r4(d) for d in dosage_instructions(given)] or None if handed_out else None,
    )


def _supplied(began: Any, supply: Any) -> Resource | None:
    """The period of a supply of so many days; None where its first day or its length is not stated."""
    day = event(text(began))
    days = exact(supply.get("value")) if isinstance(supply, dict) else None
    unit = {text(supply.get(name)).strip().lower() for name in ("code", "unit")} - {""} if days is not None else set()
    if day is None or days is None or days < 1 or not unit <= _DAYS:
        return None
    return {"start": day.earliest.isoformat(), "end": later(day.latest, ceil(days) - 1).isoformat()}


def singled(resource: Resource) -> Resource:
    """The resource with lists of one unwrapped where FHIR has a single value; the same object if there are none."""
    lists = [name for name in _SINGLE.get(resource["resourceType"], ()) if isinstance(resource.get(name), list)]
    return {**resource, **{name: one(resource[name]) for name in lists}} if lists else resource


def status_of(resource: Resource) -> str:
    """The status of an order, a statement, a dispense or an administration, in lower case; empty without one."""
    return text(_code(resource.get("status")))


def ended_on(order: Resource) -> str:
    """The day on which an order that has ended did so: R5's ``statusChanged``, DSTU2's ``dateEnded``."""
    return text(order.get("dateEnded")) or text(order.get("statusChanged"))


def planned_end(order: Resource) -> str:
    """The day until which an order is to be taken by R5's ``effectiveDosePeriod``."""
    period = order.get("effectiveDosePeriod")
    return text(period.get("end")) if isinstance(period, dict) else ""


def based_on(order: Resource) -> tuple[str, ...]:
    """ "Type/id" of what an order is based on: the prescription that it follows, but as often a plan or a proposal."""
    given = (
        item
        for member in ("basedOn", "priorPrescription", "authorizingPrescription")
        for item in aslist(order.get(member))
    )
    pointers = (text(item.get("reference") if isinstance(item, dict) else item) for item in given)
    return tuple(relative(pointer) for pointer in pointers if pointer)


def subject_references(resource: Resource) -> tuple[str, ...]:
    """All references to the patient, also from a list where FHIR has a single one; empty without any."""
    waiting = [resource.get(name) for name in names(ORDER, "subject")]
    found: list[str] = []
    for here in waiting:  # which grows meanwhile
        if isinstance(here, list):
            waiting += here
        else:
            given = here.get("reference") if isinstance(here, dict) else here
            waiting += given if isinstance(given, list) else []
            found += [given] if isinstance(given, str) and given else []
    return tuple(found)


def subject_reference(resource: Resource) -> str:
    """The first reference to the patient; empty without any."""
    return next(iter(subject_references(resource)), "")


def max_doses(dosage: Any) -> list[Any]:
    """The Ratios of ``maxDosePerPeriod``: one up to R4, a list in R5."""
    return aslist(dosage.get("maxDosePerPeriod")) if isinstance(dosage, dict) else []


def routes(order: Resource) -> list[Any]:
    """The routes of all dosage instructions, for ``concept_of``."""
    found = [one(d.get("route")) for d in dosage_instructions(order) if isinstance(d, dict)]
    return [route for route in found if route and isinstance(route, dict | str)]


def _adherence(statement: Resource) -> str:
    """R4's status for R5's ``adherence``, empty when it says nothing against the drug being taken."""
    adherence = statement.get("adherence")
    said = status_codes(adherence.get("code")) if isinstance(adherence, dict) else ()
    codes = [words.replace(" ", "-") for words in said]
    return next((r4 for r5, r4 in _ADHERENCE.items() if any(code.startswith(r5) for code in codes)), "")


def _reasons(order: Resource) -> list[Any] | None:
    members = (order.get(member) for member in ("reasonCode", "reasonCodeableConcept"))
    coded = [item for member in members for item in aslist(member)]
    coded += [concept for concept, _ in r5_reasons(order) if concept]
    return [concept_as_r4(item) for item in coded[:MOST_REASONS]] or None


def r5_reasons(order: Resource) -> Iterator[tuple[Any, Any]]:
    """Concept and Reference of each reason in R5; a bare concept is accepted."""
    for item in aslist(order.get("reason")):
        if isinstance(item, dict) and ("concept" in item or "reference" in item):
            pointer = item.get("reference")
            yield item.get("concept"), item if isinstance(pointer, str) else pointer
        else:
            yield item, None


def _dispense(order: Resource) -> Resource | None:
    dispense = one(order.get("dispenseRequest"))
    return (only(dispense, _SUPPLY) or None) if isinstance(dispense, dict) else None


def _code(value: Any) -> Any:
    """A code as FHIR writes it, from one with capitals or blanks; what is no word is passed on to be refused."""
    code = one(value)
    return code.strip().lower() if isinstance(code, str) else code


def _true(value: Any) -> bool:
    return one(value) is True or _code(value) == "true"
