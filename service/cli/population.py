"""A synthetic population (``cards/population.yaml``): its orders as hook requests, the same for the same seed."""

import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from service.engine.loading import FOLDER
from service.files import Fault, FaultyLibrary, load_yaml

OLDER = 65
_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_ICD = "http://hl7.org/fhir/sid/icd-10"


def read_population(folder: Path = FOLDER) -> Mapping[str, Any]:
    """The shares of a guideline's folder. Raises FaultyLibrary."""
    document = load_yaml("population.yaml", (folder / "population.yaml").read_text(encoding="utf-8"))
    if isinstance(document, Fault):
        raise FaultyLibrary([document])
    shares: Mapping[str, Any] = document.value
    return shares


def orders(population: Mapping[str, Any], size: int, seed: int, today: date) -> Iterator[bytes]:
    """So many orders about to be signed, each of another patient, as bodies of order-sign."""
    chance = Random(seed)  # noqa: S311  (a population, not a secret)
    for number in range(size):
        yield json.dumps(_request(population, chance, number, today)).encode()


def _request(population: Mapping[str, Any], chance: Random, number: int, today: date) -> dict[str, Any]:
    age = _age(population["ages"], chance)
    older = age >= OLDER
    wanted = _one(population["ordered"], chance)
    taken = [drug for drug in population["taken"] if chance.random() < _share(drug, older)]
    known = chance.random() < wanted["known"]
    others = [drug for drug in taken if drug["drug"] != wanted["drug"]]
    listed = [wanted, *others] if known else others
    conditions = [one for one in population["conditions"] if chance.random() < _share(one, older)]
    born = today - timedelta(days=int(age * 365.25) + chance.randrange(1, 365))
    return {
        "hook": "order-sign",
        "hookInstance": f"00000000-0000-4000-8000-{number:012}",
        "context": {
            "userId": "Practitioner/1",
            "patientId": "p",
            "draftOrders": _bundle([_order(wanted, "draft", today, 0, continues=known)]),
        },
        "prefetch": {
            "patient": {
                "resourceType": "Patient",
                "id": "p",
                "gender": "female" if chance.random() < population["female"] else "male",
                "birthDate": born.isoformat(),
            },
            "medications": _bundle(
                [_order(drug, "active", today - timedelta(days=90), n) for n, drug in enumerate(listed, 1)]
            ),
            "statements": _bundle([]),
            "conditions": _bundle([_condition(one) for one in conditions]),
            "allergies": _bundle([]),
            "observations": _bundle([]),
        },
    }


def _age(spans: Mapping[str, int], chance: Random) -> int:
    (span,) = chance.choices(list(spans), weights=list(spans.values()))
    youngest, _, oldest = span.partition("-")
    return chance.randint(int(youngest), int(oldest))


def _one(ordered: list[dict[str, Any]], chance: Random) -> dict[str, Any]:
    return chance.choices(ordered, weights=[drug["share"] for drug in ordered])[0]


def _share(entry: Mapping[str, Any], older: bool) -> float:
    share: float = entry.get("from_65", entry["share"]) if older else entry["share"]
    return share


def _order(drug: Mapping[str, Any], status: str, day: date, number: int, *, continues: bool = False) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": f"rx-{number}",
        "status": status,
        "intent": "order",
        "subject": {"reference": "Patient/p"},
        "authoredOn": day.isoformat(),
        "medicationCodeableConcept": {"text": f"{drug['drug']} {drug['mg']} mg"},
        "dosageInstruction": [
            {
                "timing": {"repeat": {"frequency": drug["times"], "period": 1, "periodUnit": "d"}},
                "doseAndRate": [{"doseQuantity": {"value": drug["mg"], "unit": "mg"}}],
            }
        ],
        **({"priorPrescription": {"reference": "MedicationRequest/rx-1"}} if continues else {}),
    }


def _condition(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "subject": {"reference": "Patient/p"},
        "clinicalStatus": {"coding": [{"system": _CLINICAL, "code": "active"}]},
        "code": {"coding": [{"system": _ICD, "code": one["code"]}], "text": one["words"]},
    }


def _bundle(resources: list[dict[str, Any]]) -> dict[str, Any]:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}
