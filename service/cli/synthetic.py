"""Synthetic orders, problems and hook requests, and those of a whole population (``cards/population.yaml``)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from service.engine.loading import FOLDER
from service.fhir.gaps import CONDITIONS, LISTS, MEDICATIONS, PATIENT
from service.fhir.resources import Resource, reference
from service.files import load_table, schema

USER = "Practitioner/synthetic-prescriber"
SOMEBODY = "synthetic-patient"
LISTED_FOR = timedelta(days=90)
"""How long an order on the list has been there."""
_CONDITION = "http://terminology.hl7.org/CodeSystem/condition-"
_ICD = "http://hl7.org/fhir/sid/icd-10"


def hook_request(
    hook: str, instance: str, patient: Resource, drafts: Sequence[Resource], lists: Mapping[str, Sequence[Resource]]
) -> Resource:
    """The call of a hook for a patient with an id; a list that is not among ``lists`` is sent as empty."""
    context: dict[str, Any] = {"userId": USER, "patientId": patient["id"]}
    if hook == "order-select":
        context["selections"] = [reference(draft) for draft in drafts]
    if drafts:
        entries = [{"resource": draft} for draft in drafts]
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    prefetch = {PATIENT: patient, **{key: _found(lists.get(key, ())) for key in LISTS}}
    return {"hook": hook, "hookInstance": instance, "context": context, "prefetch": prefetch}


def _found(resources: Sequence[Resource]) -> Resource:
    entries = {"entry": [{"resource": resource} for resource in resources]} if resources else {}
    return {"resourceType": "Bundle", "type": "searchset", "total": len(resources), **entries}


def order(id_: str, status: str, written: date, concept: Resource, dosage: Resource | None) -> Resource:
    """An order for the drug of a CodeableConcept."""
    return {
        "resourceType": "MedicationRequest",
        "id": id_,
        "status": status,
        "intent": "order",
        "medicationCodeableConcept": concept,
        "subject": {"reference": f"Patient/{SOMEBODY}"},
        "authoredOn": written.isoformat(),
        **({"dosageInstruction": [dosage]} if dosage else {}),
    }


def condition(number: int, concept: Resource) -> Resource:
    """An active problem."""
    return {
        "resourceType": "Condition",
        "id": f"condition-{number}",
        "clinicalStatus": {"coding": [{"system": f"{_CONDITION}clinical", "code": "active"}]},
        "verificationStatus": {"coding": [{"system": f"{_CONDITION}ver-status", "code": "confirmed"}]},
        "code": concept,
        "subject": {"reference": f"Patient/{SOMEBODY}"},
    }


def shares_in(folder: Path) -> Mapping[str, Any]:
    """The population of a folder of cards. Raises FaultyLibrary."""
    shares: Mapping[str, Any] = load_table(folder, "population.yaml", schema(FOLDER, "population.schema.json"))
    return shares


def population(size: int, seed: int, today: date) -> Iterator[bytes]:
    """So many orders about to be signed, each of another patient, as bodies of order-sign: the same for a seed.

    Raises FaultyLibrary when the table of the population cannot be used.
    """
    shares = shares_in(FOLDER)
    chance = Random(seed)  # noqa: S311  (a population, not a secret)
    for number in range(size):
        yield json.dumps(_order_of_somebody(shares, chance, number, today)).encode()


def _order_of_somebody(shares: Mapping[str, Any], chance: Random, number: int, today: date) -> Resource:
    age = _age(shares["ages"], chance)
    wanted, *_ = chance.choices(shares["ordered"], [drug["share"] for drug in shares["ordered"]])
    older = age >= shares["older"]
    taken = _some(shares["taken"], chance, older=older)
    known = chance.random() < wanted["known"]
    others = [drug for drug in taken if drug["drug"] != wanted["drug"]]
    problems = _some(shares["conditions"], chance, older=older)
    born = today - timedelta(days=int(age * 365.25) + chance.randrange(1, 365))
    gender = "female" if chance.random() < shares["female"] else "male"
    draft = _in_words(wanted, 0, "draft", today)
    if known:
        draft["priorPrescription"] = {"reference": "MedicationRequest/rx-1"}
    listed = enumerate([wanted, *others] if known else others, 1)
    codes = ({"coding": [{"system": _ICD, "code": one["code"]}], "text": one["words"]} for one in problems)
    return hook_request(
        "order-sign",
        f"00000000-0000-4000-8000-{number:012}",
        {"resourceType": "Patient", "id": SOMEBODY, "gender": gender, "birthDate": born.isoformat()},
        [draft],
        {
            MEDICATIONS: [_in_words(drug, n, "active", today - LISTED_FOR) for n, drug in listed],
            CONDITIONS: [condition(n, concept) for n, concept in enumerate(codes, 1)],
        },
    )


def _age(spans: Mapping[str, int], chance: Random) -> int:
    (span,) = chance.choices(list(spans), weights=list(spans.values()))
    youngest, _, oldest = span.partition("-")
    return chance.randint(int(youngest), int(oldest))


def _some(entries: list[dict[str, Any]], chance: Random, *, older: bool) -> list[dict[str, Any]]:
    """The entries that a patient happens to have."""
    share = "share_older" if older else "share"
    return [one for one in entries if chance.random() < one.get(share, one["share"])]


def _in_words(drug: Mapping[str, Any], number: int, status: str, day: date) -> Resource:
    """An order whose drug is words only, as any client may write it."""
    dosage = {
        "timing": {"repeat": {"frequency": drug["times"], "period": 1, "periodUnit": "d"}},
        "doseAndRate": [{"doseQuantity": {"value": drug["mg"], "unit": "mg"}}],
    }
    return order(f"rx-{number}", status, day, {"text": f"{drug['drug']} {drug['mg']} mg"}, dosage)
