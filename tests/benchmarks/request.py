"""A realistic order-sign request of about 95 KB: 1 draft, 15 medications, 20 conditions, 10 observations."""

import json
from typing import Any

AMITRIPTYLINE = ("856834", "amitriptyline hydrochloride 25 MG Oral Tablet")
AMOXICILLIN = ("308191", "Amoxicillin 500 MG Oral Capsule")
OTHERS = (
    ("314076", "lisinopril 10 MG Oral Tablet"),
    ("860975", "24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet"),
    ("617312", "atorvastatin 20 MG Oral Tablet"),
    ("197361", "amlodipine 5 MG Oral Tablet"),
    ("198211", "simvastatin 40 MG Oral Tablet"),
)
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SUBJECT = {"reference": "Patient/ilona-varga", "display": "Varga, Ilona"}
NARRATIVE = "<div xmlns='http://www.w3.org/1999/xhtml'><p>Synthetic entry of a record.</p></div>"


def body(drug: tuple[str, str]) -> bytes:
    """The request with a draft for the drug; tolperisone stands on the medication list."""
    medications = [_medication(n, OTHERS[n % len(OTHERS)]) for n in range(14)]
    tolperisone = {"coding": [{"system": "http://www.whocc.no/atc", "code": "M03BX04"}], "text": "Tolperison 150 mg"}
    medications.append({**_medication(14, OTHERS[0]), "medicationCodeableConcept": tolperisone})
    request = {
        "hook": "order-sign",
        "hookInstance": "8e0b3f4a-5f6c-4a38-9a3b-0d6e0a6f1c11",
        "fhirServer": "https://fhir.example.org/r4",
        "context": {
            "userId": "Practitioner/dr-kovacs",
            "patientId": "ilona-varga",
            "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": _draft(drug)}]},
        },
        "prefetch": {
            "patient": {"resourceType": "Patient", "id": "ilona-varga", "birthDate": "1961-04-02", "gender": "female"},
            "medications": _bundle(medications),
            "statements": _bundle([]),
            "conditions": _bundle([_condition(n) for n in range(20)]),
            "allergies": _bundle([]),
            "observations": _bundle([_observation(n) for n in range(10)]),
        },
    }
    return json.dumps(request).encode()


def _draft(drug: tuple[str, str]) -> dict[str, Any]:
    draft = _medication(99, drug)
    del draft["text"]
    return {**draft, "id": "rx-draft", "status": "draft"}


def _common(kind: str, n: int) -> dict[str, Any]:
    """What servers put on every resource: metadata, identifiers, extensions, provenance."""
    base = "https://fhir.example.org/r4"
    return {
        "meta": {
            "versionId": "3",
            "lastUpdated": "2026-10-01T08:30:00.000Z",
            "profile": [f"{base}/StructureDefinition/ward-{kind.lower()}"],
            "tag": [{"system": f"{base}/tags", "code": f"t{i}"} for i in range(3)],
        },
        "text": {"status": "generated", "div": NARRATIVE},
        "identifier": [
            {
                "use": "official",
                "system": f"{base}/ids/{i}",
                "value": f"{kind}-{n}-{i}",
                "period": {"start": "2026-01-01"},
            }
            for i in range(3)
        ],
        "extension": [{"url": f"{base}/StructureDefinition/x{i}", "valueInteger": i} for i in range(4)],
        "note": [{"time": "2026-05-04T10:00:00Z", "text": "Synthetic note."}],
        "encounter": {"reference": f"Encounter/e{n}", "display": "Outpatient clinic"},
    }


def _codings(system: str, code: str, display: str) -> list[dict[str, str]]:
    local = [
        {"system": f"https://ehr.example.org/codes/{i}", "code": f"L{i}-{code}", "display": display} for i in range(2)
    ]
    return [{"system": system, "code": code, "display": display}, *local]


def _medication(n: int, drug: tuple[str, str]) -> dict[str, Any]:
    code, name = drug
    return {
        "resourceType": "MedicationRequest",
        "id": f"rx-{n}",
        **_common("MedicationRequest", n),
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"coding": _codings(RXNORM, code, name), "text": name},
        "subject": SUBJECT,
        "authoredOn": "2026-05-04",
        "requester": {"reference": "Practitioner/dr-kovacs", "display": "Dr. Kovács"},
        "dosageInstruction": [
            {
                "text": "1 at night",
                "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                "doseAndRate": [
                    {
                        "doseQuantity": {
                            "value": 1,
                            "unit": "tablet",
                            "system": "http://unitsofmeasure.org",
                            "code": "{tbl}",
                        }
                    }
                ],
            }
        ],
    }


def _condition(n: int) -> dict[str, Any]:
    status = "http://terminology.hl7.org/CodeSystem/condition-"
    return {
        "resourceType": "Condition",
        "id": f"c-{n}",
        **_common("Condition", n),
        "clinicalStatus": {"coding": [{"system": f"{status}clinical", "code": "active"}]},
        "verificationStatus": {"coding": [{"system": f"{status}ver-status", "code": "confirmed"}]},
        "code": {
            "coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": f"M54.{n % 10}"}],
            "text": "Back pain",
        },
        "subject": SUBJECT,
        "recordedDate": "2026-02-11",
    }


def _observation(n: int) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"o-{n}",
        **_common("Observation", n),
        "status": "final",
        "code": {"coding": _codings("http://loinc.org", "8480-6", "Systolic blood pressure")},
        "subject": SUBJECT,
        "effectiveDateTime": "2026-11-01T09:00:00Z",
        "valueQuantity": {"value": 128 + n, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"},
    }


def _bundle(resources: list[dict[str, Any]]) -> dict[str, Any]:
    entries = [
        {"fullUrl": f"https://fhir.example.org/r4/{r['resourceType']}/{r['id']}", "resource": r} for r in resources
    ]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}
