"""A hook request for a synthetic patient, made from words: what ``tolami new fixture`` writes."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Any

from service.cli.output import Refused
from service.dosing.amount import NotComputed, Product, strengths_in_text
from service.dosing.compute import daily_dose
from service.dosing.freetext import directions
from service.engine.library import Library
from service.fhir.orders import read_dosages
from service.fhir.recognise import identify
from service.fhir.resources import Resource
from service.terminology.recognise import DrugCode

PATIENT = "synthetic-patient"
LISTED_FOR = timedelta(days=90)
"""How long an order on the list has been there."""
_PERSON = re.compile(r"(\d{1,3})/(female|male|other|unknown)")
_MEASURED = re.compile(r"([a-z0-9-]+)\s+(?:([0-9]+(?:\.[0-9]+)?)\s*(\S*)|(\S.*))")
_OLDEST = 130


class NotUnderstood(Refused):
    """Words that no request can be made of; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request is to hold, in words."""

    name: str
    hook: str
    patient: str
    drafts: Sequence[str] = ()
    listed: Sequence[str] = ()
    conditions: Sequence[str] = ()
    observations: Sequence[str] = ()


def request_of(wanted: Wanted, library: Library, today: date) -> Resource:
    """The request. Raises NotUnderstood with what to write instead."""
    viewed = wanted.hook == "patient-view"
    if viewed == bool(wanted.drafts):
        raise NotUnderstood(
            "patient-view has no orders being written: leave --draft out."
            if viewed
            else f"{wanted.hook} is about orders being written: name one with --draft."
        )
    since = (today - LISTED_FOR).isoformat()
    drafts = [
        _order(words, f"draft-{n}", "draft", today.isoformat(), library) for n, words in enumerate(wanted.drafts, 1)
    ]
    context: dict[str, Any] = {"userId": "Practitioner/synthetic-prescriber", "patientId": PATIENT}
    if wanted.hook == "order-select":
        context["selections"] = [f"MedicationRequest/{draft['id']}" for draft in drafts]
    if not viewed:
        entries = [{"resource": draft} for draft in drafts]
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return {
        "hook": wanted.hook,
        "hookInstance": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{wanted.hook}/{wanted.name}")),
        "context": context,
        "prefetch": {
            "patient": _patient(wanted.patient, today),
            "medications": _found(
                [_order(words, f"listed-{n}", "active", since, library) for n, words in enumerate(wanted.listed, 1)]
            ),
            "statements": _found([]),
            "conditions": _found([_condition(words, n, library) for n, words in enumerate(wanted.conditions, 1)]),
            "allergies": _found([]),
            "observations": _found(
                [_observation(words, n, today, library) for n, words in enumerate(wanted.observations, 1)]
            ),
        },
    }


def _found(resources: Sequence[Resource]) -> Resource:
    entries = {"entry": [{"resource": resource} for resource in resources]} if resources else {}
    return {"resourceType": "Bundle", "type": "searchset", "total": len(resources), **entries}


def _patient(words: str, today: date) -> Resource:
    person = _PERSON.fullmatch(words.strip())
    if person is None or int(person[1]) > _OLDEST:
        raise NotUnderstood(f"--patient {words}: write age and sex, such as 72/female (or male, other, unknown).")
    born = date(today.year - int(person[1]), today.month, 1).isoformat()
    return {"resourceType": "Patient", "id": PATIENT, "gender": person[2], "birthDate": born}


def _order(words: str, id_: str, status: str, written: str, library: Library) -> Resource:
    """An order of "DRUG: DIRECTIONS". The drug's words stay the label; its code is the terminology's."""
    label, _, said = (part.strip() for part in words.partition(":"))
    code = _code(label, library)
    dosage = {"dosageInstruction": [{"text": said}]} if said else {}
    order = {
        "resourceType": "MedicationRequest",
        "id": id_,
        "status": status,
        "intent": "order",
        "medicationCodeableConcept": {
            "coding": [{"system": code.system.uri, "code": code.code, "display": code.display}],
            "text": label,
        },
        "subject": {"reference": f"Patient/{PATIENT}"},
        "authoredOn": written,
        **dosage,
    }
    if said:
        _check_dose(order, label, said, code.drug, library)
    return order


def _code(label: str, library: Library) -> DrugCode:
    """The code of the product that a label names: of its strength where there is one, else of the drug."""
    terminology = library.terminology.terminology
    drugs = sorted(terminology.drugs_in_text(label))
    if len(drugs) > 1:
        raise NotUnderstood(
            f"'{label}' names several drugs ({', '.join(drugs)}). Name one, and its directions after ':'."
        )
    if not drugs:
        near = get_close_matches(label.split()[0].lower() if label else "", library.terminology.titles, 3, 0.7)
        meant = f" Did you mean {' or '.join(near)}?" if near else ""
        raise NotUnderstood(
            f"'{label}' is not a drug of cards/terminology/drugs.{meant} Write 'DRUG: DIRECTIONS',"
            " such as 'amitriptyline 25 mg tablet: 1 tablet at bedtime'."
        )
    known = [code for code in terminology.codes_of(drugs[0]) if not code.topical and not code.combination]
    strengths = set(strengths_in_text(label))
    of_strength = [code for code in known if code.strength in strengths]
    return min(of_strength or [code for code in known if code.strength is None] or known, key=lambda c: c.system.rank)


def _check_dose(order: Resource, label: str, said: str, drug: str, library: Library) -> None:
    """Raises NotUnderstood where the service would not read the dose."""
    if directions(said) is None:
        raise NotUnderstood(
            f"'{said}' is not understood in full. Write dose and frequency, such as '1 tablet at bedtime',"
            " '25 mg twice a day' or '1-0-1' (docs/doses.md), or leave the directions out."
        )
    identity = identify(order, {}, library.terminology.terminology)
    dose = daily_dose(read_dosages(order), Product(drug, identity.recognition, identity.label, identity.strengths))
    if isinstance(dose, NotComputed):
        raise NotUnderstood(
            f"'{label}: {said}' gives no daily dose ({dose.reason}). Write the strength beside the drug,"
            " such as 'tolperisone 150 mg tablet', or the dose in mg."
        )


def _condition(words: str, number: int, library: Library) -> Resource:
    """A problem: a value set of conditions, SYSTEM|CODE, or words as a clinician writes them."""
    sets = library.terminology.terminology.concept_sets
    named = {summary.id for summary in library.terminology.sets if summary.kind == "conditions"}
    if words in named:
        chosen = sets[words]
        system, code = min(chosen.codes or chosen.prefixes)
        concept: Resource = {"coding": [{"system": system, "code": code}], "text": chosen.title}
    elif "|" in words:
        system, _, code = words.rpartition("|")
        if library.terminology.terminology.systems.of(system) is None or not code:
            raise NotUnderstood(
                f"--condition {words}: write SYSTEM|CODE with a system of cards/terminology/systems.yaml."
            )
        concept = {"coding": [{"system": system, "code": code}]}
    elif re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", words):
        near = get_close_matches(words, named, 3, 0.5)
        raise NotUnderstood(
            f"--condition {words}: no such set in cards/terminology/conditions. Near: {', '.join(near)}."
        )
    else:
        concept = {"text": words}
    status = "http://terminology.hl7.org/CodeSystem/condition-"
    return {
        "resourceType": "Condition",
        "id": f"condition-{number}",
        "clinicalStatus": {"coding": [{"system": f"{status}clinical", "code": "active"}]},
        "verificationStatus": {"coding": [{"system": f"{status}ver-status", "code": "confirmed"}]},
        "code": concept,
        "subject": {"reference": f"Patient/{PATIENT}"},
    }


def _observation(words: str, number: int, today: date, library: Library) -> Resource:
    """A measurement: a value set of observations with a value and its UCUM unit, or with words."""
    named = {summary.id for summary in library.terminology.sets if summary.kind == "observations"}
    parts = _MEASURED.fullmatch(words.strip())
    if parts is None or parts[1] not in named:
        near = get_close_matches(words.split()[0] if words.strip() else "", named, 3, 0.4)
        raise NotUnderstood(
            f"--observation '{words}': write a set of cards/terminology/observations, value and unit, such as"
            f" 'qtc-bazett 480 ms'. Near: {', '.join(near) or ', '.join(sorted(named))}."
        )
    system, code = min(library.terminology.terminology.concept_sets[parts[1]].codes)
    value: Resource = {"valueCodeableConcept": {"text": parts[4]}}
    if parts[2]:
        unit = {"unit": parts[3], "system": "http://unitsofmeasure.org", "code": parts[3]} if parts[3] else {}
        value = {"valueQuantity": {"value": float(parts[2]), **unit}}
    return {
        "resourceType": "Observation",
        "id": f"observation-{number}",
        "status": "final",
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": {"reference": f"Patient/{PATIENT}"},
        "effectiveDateTime": today.isoformat(),
        **value,
    }
