"""The smallest valid request of every hook, about amitriptyline, with what it needs and nothing else."""

import json
from copy import deepcopy
from typing import Any, Protocol

import requests

Json = dict[str, Any]

PATIENT = {"resourceType": "Patient", "id": "1288992", "birthDate": "1961-04-12", "gender": "female"}
AMITRIPTYLINE = {
    "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "856853"}],
    "text": "amitriptyline hydrochloride 75 MG Oral Tablet",
}
AMOXICILLIN = {
    "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "308191"}],
    "text": "amoxicillin 500 MG Oral Capsule",
}
DAILY = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
ONE = {"value": 1, "unit": "tablet", "system": "http://unitsofmeasure.org", "code": "{tbl}"}


class Called(Protocol):
    """Posts a request; the service is that of the request's hook unless another one is named."""

    def __call__(self, request: Any, service_id: str = "", **headers: str) -> requests.Response: ...


def order(number: str = "rx-1", **changes: Any) -> Json:
    """An R4 draft of amitriptyline 75 mg a day."""
    return {
        "resourceType": "MedicationRequest",
        "id": number,
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": AMITRIPTYLINE,
        "subject": {"reference": "Patient/1288992"},
        "dosageInstruction": [{"timing": DAILY, "doseAndRate": [{"doseQuantity": ONE}]}],
    } | changes


def stu3_order(number: str = "rx-1") -> Json:
    """The same in STU3."""
    return order(number, dosageInstruction=[{"timing": DAILY, "doseQuantity": ONE}])


def dstu2_order(number: str = "rx-1") -> Json:
    """The same in DSTU2."""
    return {
        "resourceType": "MedicationOrder",
        "id": number,
        "status": "draft",
        "patient": {"reference": "Patient/1288992"},
        "medicationCodeableConcept": AMITRIPTYLINE,
        "dosageInstruction": [
            {"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnits": "d"}}, "doseQuantity": ONE}
        ],
    }


def bundle(*orders: Json) -> Json:
    """Orders as the context holds them."""
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in orders]}


def request(hook: str, *orders: Json, selections: list[str] | None = None, **context: Any) -> Json:
    """A request of a hook with its orders and the patient."""
    drafts = bundle(*(orders or (order(),)))
    of_hook: dict[str, Json] = {
        "patient-view": {},
        "order-select": {"selections": selections or ["MedicationRequest/rx-1"], "draftOrders": drafts},
        "order-sign": {"draftOrders": drafts},
        "medication-prescribe": {"medications": drafts},
        "medication-refill": {"medications": drafts},
    }
    return {
        "hook": hook,
        "hookInstance": "0f0e6f7a-2f0c-4f0e-9f43-6b2b4d0c1a01",
        "context": {"userId": "Practitioner/123", "patientId": "1288992"} | of_hook[hook] | context,
        "prefetch": {"patient": PATIENT, "medications": None},
    }


HOOKS = ("medication-prescribe", "order-select", "order-sign", "medication-refill", "patient-view")
ORDERING = HOOKS[:4]


def without(sent: Json, *path: str) -> Json:
    """The request without one member."""
    changed = deepcopy(sent)
    holder = changed
    for step in path[:-1]:
        holder = holder[step]
    del holder[path[-1]]
    return changed


def having(sent: Json, value: Any, *path: str) -> Json:
    """The request with one member set."""
    changed = deepcopy(sent)
    holder = changed
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return changed


def said(answer: requests.Response) -> list[tuple[str, str, str]]:
    """What an answer's cards say, identifiers apart."""
    assert answer.status_code == 200, answer.text
    cards = answer.json()["cards"]
    return [(card["summary"], card["indicator"], json.dumps(card.get("detail"))) for card in cards]


def ids(answer: requests.Response) -> list[str]:
    """The cards of an answer by the id of their file."""
    assert answer.status_code == 200, answer.text
    return [card["extension"]["io.github.tolami"]["card"] for card in answer.json()["cards"]]


def rules(answer: requests.Response) -> list[str]:
    """The rules that an answer's cards speak for, those that are only a line included."""
    assert answer.status_code == 200, answer.text
    origins = [card["extension"]["io.github.tolami"] for card in answer.json()["cards"]]
    return [rule for origin in origins for rule in origin.get("rules", [origin["rule"]])]
