"""DSTU2, STU3, R4 and R5 shapes of orders brought to one: R4.

What it returns is a new, small resource that holds what a decision rests on; the client's own resource is never
changed. ``shapes`` tells in which version a resource is written, ``writing`` writes our own orders in it.
"""

from typing import Any

from service.dates import clock
from service.fhir.resources import Resource, aslist, text

ORDER_TYPES = frozenset({"MedicationRequest", "MedicationOrder"})
STATEMENT_TYPES = frozenset({"MedicationStatement", "MedicationUsage"})

NOT_STATED = "not-stated"
"""In place of a status that was left out or refused. FHIR's own "unknown" is something a client says."""

_REPEAT = ("boundsPeriod", "boundsRange", "count", "frequency", "frequencyMax", "period",
           "periodMax")  # fmt: skip


_SUPPLY = ("validityPeriod", "expectedSupplyDuration", "numberOfRepeatsAllowed")

_ADHERENCE = {"not-taking": "not-taken", "stopped": "stopped", "on-hold": "on-hold"}
"""Beginnings of R5's adherence codes, which also tell whether it is so as directed."""

# Patient and drug are read from the client's resource by ``subject_reference`` and ``identity``; the models only
# need to see that R4 has them.
_READ_ALREADY = {"subject": {"display": "read already"}, "medicationCodeableConcept": {"text": "read already"}}


def order_as_r4(order: Resource) -> Resource:
    """A MedicationRequest or MedicationOrder of any version as a small R4 MedicationRequest.

    What R4 requires and the client may leave out before signing is filled with neutral values, so that one
    model can read every order.
    """
    return _present(
        resourceType="MedicationRequest",
        status=order.get("status") or NOT_STATED,
        intent=order.get("intent") or "order",
        doNotPerform=order.get("doNotPerform"),
        authoredOn=order.get("authoredOn") or order.get("dateWritten"),
        reasonCode=_reasons(order),
        statusReason=order.get("statusReason") or order.get("reasonEnded"),
        priorPrescription=_one(order.get("priorPrescription")),
        basedOn=aslist(order.get("basedOn")) or None,
        dispenseRequest=_dispense(order),
        dosageInstruction=[_dosage(d) for d in dosage_instructions(order)] or None,
        **_READ_ALREADY,
    )


def statement_as_r4(statement: Resource) -> Resource:
    """A MedicationStatement of any version as a small R4 one.

    STU3's ``taken``, DSTU2's ``wasNotTaken`` and R5's ``adherence`` become R4's status.
    """
    not_taken = statement.get("taken") == "n" or statement.get("wasNotTaken") is True
    status = "not-taken" if not_taken else _adherence(statement) or statement.get("status") or NOT_STATED
    return _present(
        resourceType="MedicationStatement",
        status=status,
        effectiveDateTime=statement.get("effectiveDateTime"),
        effectivePeriod=statement.get("effectivePeriod"),
        dateAsserted=statement.get("dateAsserted"),
        dosage=[_dosage(d) for d in dosage_instructions(statement)] or None,
        **_READ_ALREADY,
    )


def ended_on(order: Resource) -> str:
    """The day on which an order that has ended did so: R5's ``statusChanged``, DSTU2's ``dateEnded``."""
    return text(order.get("dateEnded")) or text(order.get("statusChanged"))


def planned_end(order: Resource) -> str:
    """The day until which an order is to be taken by R5's ``effectiveDosePeriod``."""
    period = order.get("effectiveDosePeriod")
    return text(period.get("end")) if isinstance(period, dict) else ""


def based_on(order: Resource) -> tuple[str, ...]:
    """References of what an order is based on: an earlier order, but as often a plan or a proposal."""
    pointers = (text(b.get("reference")) for b in aslist(order.get("basedOn")) if isinstance(b, dict))
    return tuple(pointer for pointer in pointers if pointer)


def subject_reference(resource: Resource) -> str:
    """The reference to the patient, empty when there is none to compare."""
    subject = resource.get("subject") or resource.get("patient")
    return text(subject.get("reference")) if isinstance(subject, dict) else ""


def medication_concept(order: Resource) -> dict[str, Any]:
    """The CodeableConcept of the drug, empty when the order has none."""
    medication = order.get("medication")
    concept = medication.get("concept") if isinstance(medication, dict) else None
    for candidate in (order.get("medicationCodeableConcept"), concept):
        if isinstance(candidate, dict):
            return candidate
    return {}


def medication_reference(order: Resource) -> dict[str, Any]:
    """The Reference to a Medication, empty when the order has none."""
    medication = order.get("medication")
    reference = medication.get("reference") if isinstance(medication, dict) else None
    for candidate in (order.get("medicationReference"), reference):
        if isinstance(candidate, dict):
            return candidate
    return {}


def ingredients(medication: Resource) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(CodeableConcept, strength Ratio) of each ingredient of a Medication, in any version."""
    found = []
    product = medication.get("product")
    listed = medication.get("ingredient") or (product.get("ingredient") if isinstance(product, dict) else None)
    for ingredient in aslist(listed):
        if not isinstance(ingredient, dict):
            continue
        item = ingredient.get("itemCodeableConcept") or ingredient.get("item") or ingredient.get("itemReference")
        found.append((_substance(item, medication), _strength(ingredient)))
    return found


def _substance(item: Any, medication: Resource) -> dict[str, Any]:
    """The CodeableConcept of an ingredient: as it is, R5's ``concept``, or of the resource it refers to.

    A Substance or Medication that an ingredient refers to is looked for among the contained ones; without it the
    words beside the reference are all there is.
    """
    if not isinstance(item, dict):
        return {}
    reference = item.get("reference")
    pointer = reference if isinstance(reference, dict) else item
    target, words = text(pointer.get("reference")), text(pointer.get("display"))
    if isinstance(item.get("concept"), dict) or not (target or words):
        concept = item.get("concept", item)
        return concept if isinstance(concept, dict) else {}
    contained = (held for held in aslist(medication.get("contained")) if isinstance(held, dict))
    held = next((held for held in contained if held.get("id") and target == f"#{held['id']}"), {})
    code = held.get("code")
    named = code.get("concept", code) if isinstance(code, dict) else None
    return named if isinstance(named, dict) else {"text": words} if words else {}


def _strength(ingredient: Resource) -> dict[str, Any]:
    """The strength as a Ratio, under the name of each version; R5 may also give a bare quantity for one piece."""
    given = ingredient.get("strength") or ingredient.get("strengthRatio") or ingredient.get("amount")
    if given is None and ingredient.get("strengthQuantity") is not None:
        return {"numerator": ingredient["strengthQuantity"]}
    return given if isinstance(given, dict) else {}


def dosage_instructions(order: Resource) -> list[Any]:
    """The dosage instructions of an order or a statement as sent."""
    return aslist(order.get("dosageInstruction") if "dosageInstruction" in order else order.get("dosage"))


def max_doses(dosage: Any) -> list[Any]:
    """The Ratios of ``maxDosePerPeriod``: one up to R4, a list in R5."""
    return aslist(dosage.get("maxDosePerPeriod")) if isinstance(dosage, dict) else []


def routes(order: Resource) -> list[dict[str, Any]]:
    """Route CodeableConcepts of all dosage instructions."""
    dosages = [d for d in dosage_instructions(order) if isinstance(d, dict)]
    return [d["route"] for d in dosages if isinstance(d.get("route"), dict)]


def _adherence(statement: Resource) -> str:
    """R4's status for R5's ``adherence``, empty when it says nothing against the drug being taken."""
    adherence = statement.get("adherence")
    concept = adherence.get("code") if isinstance(adherence, dict) else None
    listed = aslist(concept.get("coding")) if isinstance(concept, dict) else []
    codes = [text(coding.get("code")) for coding in listed if isinstance(coding, dict)]
    return next((r4 for r5, r4 in _ADHERENCE.items() if any(code.startswith(r5) for code in codes)), "")


def _reasons(order: Resource) -> list[Any] | None:
    coded = aslist(order.get("reasonCode")) + aslist(order.get("reasonCodeableConcept"))
    coded += [r.get("concept") for r in aslist(order.get("reason")) if isinstance(r, dict) and r.get("concept")]
    return coded or None


def _dispense(order: Resource) -> Resource | None:
    dispense = order.get("dispenseRequest")
    return (_only(dispense, _SUPPLY) or None) if isinstance(dispense, dict) else None


def _dosage(dosage: Any) -> Any:
    """One dosage instruction in R4's shape; what is not an object is passed on for the model to refuse."""
    if not isinstance(dosage, dict):
        return dosage
    return _present(
        sequence=dosage.get("sequence"),
        text=dosage.get("text"),
        timing=_timing(dosage.get("timing")),
        route=dosage.get("route"),
        doseAndRate=_dose_and_rate(dosage),
        **_as_needed(dosage),
    )


def _dose_and_rate(dosage: Resource) -> list[Any] | None:
    """R4's list; one object where the list belongs; STU3's bare dose; DSTU2 statements' ``quantity``."""
    given = dosage.get("doseAndRate")
    if given is not None:
        kept = ("type", "doseQuantity", "doseRange")
        return [_only(d, kept) if isinstance(d, dict) else d for d in aslist(given)]
    dose = _present(
        doseQuantity=dosage.get("doseQuantity") or dosage.get("quantityQuantity") or dosage.get("quantity"),
        doseRange=dosage.get("doseRange") or dosage.get("quantityRange"),
    )
    return [dose] if dose else None


def _as_needed(dosage: Resource) -> Resource:
    """R4's asNeeded[x]; R5 has ``asNeeded`` and ``asNeededFor``."""
    if dosage.get("asNeededCodeableConcept") is not None:
        return {"asNeededCodeableConcept": dosage["asNeededCodeableConcept"]}
    reasons = aslist(dosage.get("asNeededFor"))
    if reasons:
        return {"asNeededCodeableConcept": reasons[0]}
    given = dosage.get("asNeededBoolean", dosage.get("asNeeded"))
    return {} if given is None else {"asNeededBoolean": given}


def _timing(timing: Any) -> Any:
    if not isinstance(timing, dict):
        return timing
    repeat = timing.get("repeat")
    if isinstance(repeat, dict):
        repeat = _present(
            **_only(repeat, _REPEAT),
            boundsDuration=repeat.get("boundsDuration") or repeat.get("boundsQuantity"),
            periodUnit=repeat.get("periodUnit") or repeat.get("periodUnits"),
            dayOfWeek=aslist(repeat.get("dayOfWeek")) or None,
            timeOfDay=[clock(time) for time in aslist(repeat.get("timeOfDay"))] or None,
            when=aslist(repeat.get("when")) or None,
        )
    return _present(repeat=repeat, code=timing.get("code"), event=aslist(timing.get("event")) or None)


def _only(value: Resource, keys: tuple[str, ...]) -> Resource:
    return {key: value[key] for key in keys if value.get(key) is not None}


def _present(**members: Any) -> Resource:
    return {key: value for key, value in members.items() if value is not None}


def _one(value: Any) -> Any:
    """A single value where another version has a list of one; several are passed on for the model to refuse."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value
