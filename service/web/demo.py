"""A small FHIR R4 server of synthetic patients, read-only, so that the public Sandbox has somebody to prescribe for.

FHIR R4 "RESTful API": read, search by patient, code and id, as GET or as POST to ``_search``.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from service.cdshooks.messages import operation_outcome
from service.fhir.resources import Resource
from service.jsonio import encode

ADDRESS = "/demo/fhir"
SANDBOX = "https://sandbox.cds-hooks.org/?"
FHIR_JSON = "application/fhir+json"


def people(folder: Path) -> dict[str, Resource]:
    """Every resource of the synthetic patients in a folder by "Type/id", patient after patient."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        for entry in json.loads(path.read_text(encoding="utf-8"))["entry"]:
            resource = entry["resource"]
            found[f"{resource['resourceType']}/{resource['id']}"] = resource
    return found


@dataclass(frozen=True, slots=True)
class Introduction:
    """A synthetic patient in words, and the address that opens the Sandbox on them."""

    name: str
    born: str
    problems: tuple[str, ...]
    drugs: tuple[str, ...]
    link: str


def introduced(folder: Path, base: str) -> Iterator[Introduction]:
    """Every patient in a folder, for a service that clients find at ``base``."""
    held = people(folder)
    for reference, resource in held.items():
        if resource["resourceType"] == "Patient":
            own = [r for r in held.values() if r.get("subject", {}).get("reference") == reference]
            yield Introduction(
                f"{resource['name'][0]['given'][0]} {resource['name'][0]['family']}",
                resource["birthDate"][:4],
                tuple(r["code"]["text"] for r in own if r["resourceType"] == "Condition"),
                tuple(r["medicationCodeableConcept"]["text"] for r in own if r["resourceType"] == "MedicationRequest"),
                sandbox_link(base, fhirServiceUrl=base + ADDRESS, patientId=resource["id"]),
            )


def sandbox_link(base: str, **patient: str) -> str:
    """An address that opens the Sandbox on this service, at the screen for prescribing."""
    return SANDBOX + urlencode(
        {**patient, "serviceDiscoveryURL": f"{base}/cds-services", "hook": "order-select", "screen": "rx-view"}
    )


def demo(folder: Path) -> Blueprint:
    """The blueprint of the server of the patients in a folder."""
    blueprint = Blueprint("demo", __name__, url_prefix=ADDRESS)
    held = people(folder)
    capabilities = (folder / "server" / "capabilities.json").read_bytes()
    kinds = {one["type"] for one in json.loads(capabilities)["rest"][0]["resource"]}

    def missing() -> Response:
        outcome = operation_outcome("not-found", "There is no such resource among the synthetic patients.")
        return Response(outcome, 404, mimetype=FHIR_JSON)

    @blueprint.get("/metadata")
    def metadata() -> Response:
        return Response(capabilities, mimetype=FHIR_JSON)

    @blueprint.get("/<kind>/<id_>")
    def read(kind: str, id_: str) -> Response:
        resource = held.get(f"{kind}/{id_}")
        return missing() if resource is None else _answer(resource)

    @blueprint.get("/<kind>")
    @blueprint.route("/<kind>/_search", methods=["GET", "POST"])
    def search(kind: str) -> Response:
        if kind not in kinds:
            return missing()
        asked = request.values
        matches = [r for r in held.values() if r["resourceType"] == kind and _matches(r, asked)]
        base = request.url_root.rstrip("/") + ADDRESS
        entries = [{"fullUrl": f"{base}/{kind}/{r['id']}", "resource": r, "search": {"mode": "match"}} for r in matches]
        return _answer({"resourceType": "Bundle", "type": "searchset", "total": len(matches), "entry": entries})

    return blueprint


def _matches(resource: Resource, asked: Mapping[str, str]) -> bool:
    patient = (asked.get("patient") or asked.get("subject") or "").removeprefix("Patient/")
    if patient and resource.get("subject", {}).get("reference") != f"Patient/{patient}":
        return False
    if "_id" in asked and resource["id"] not in asked["_id"].split(","):
        return False
    codes = {pair.rpartition("|")[2] for pair in asked.get("code", "").split(",")} - {""}
    return not codes or not codes.isdisjoint(c.get("code") for c in resource.get("code", {}).get("coding", ()))


def _answer(resource: Resource) -> Response:
    return Response(encode(resource), mimetype=FHIR_JSON)
