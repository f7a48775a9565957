"""What a JSON file of unknown origin is, and the call that can be made of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.cdshooks.messages import CONTEXTS
from service.cli.answers import NotReplayable, Request
from service.fhir.as_r4 import subject_reference
from service.fhir.gaps import ALLERGIES, CONDITIONS, MEDICATIONS, OBSERVATIONS, PATIENT, STATEMENTS
from service.fhir.resources import Resource, as_resource, entries, relative
from service.fhir.versions import ORDER_TYPES, STATEMENT_TYPES

ANY_SERVICE = "order-sign"
"""The service that is sent what names no hook."""

OPENED = "patient-view"
_INSTANCE = "00000000-0000-4000-8000-000000000000"
_USER = "Practitioner/of-the-corpus"
_SOMEBODY = "somebody"

_KEYS = {
    "Patient": PATIENT,
    "Medication": MEDICATIONS,
    "Condition": CONDITIONS,
    "AllergyIntolerance": ALLERGIES,
    "Observation": OBSERVATIONS,
    **dict.fromkeys(ORDER_TYPES, MEDICATIONS),
    **dict.fromkeys(STATEMENT_TYPES, STATEMENTS),
}
"""The prefetch key that a resource is given under."""

_OTHER_MESSAGES = {
    "cards": "an answer",
    "services": "a discovery",
    "feedback": "feedback",
    "systemActions": "an answer",
}


@dataclass(frozen=True, slots=True)
class Material:
    """One file: what it is, its content (None when it is not JSON), and the call; None where none is meaningful.

    ``wrapped`` is true when the file is only a part of a call and the rest was added.
    """

    path: Path
    what: str
    content: Any = None
    call: Request | None = None
    wrapped: bool = False


def material(path: Path) -> Material:
    """What a file is. Raises NotReplayable when it cannot be opened."""
    try:
        body = path.read_bytes()
    except OSError as error:
        raise NotReplayable(f"{path}: {error.strerror or error}") from None
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return Material(path, "not JSON", call=Request(path, body, ANY_SERVICE, None))
    if not isinstance(content, dict):
        return Material(path, "a list of JSON" if isinstance(content, list) else "a JSON value", content)
    if "hook" in content or "hookInstance" in content:
        hook = content.get("hook")
        named = hook if isinstance(hook, str) else ANY_SERVICE
        return Material(path, "a request", content, Request(path, body, named, None))
    if isinstance(content.get("resourceType"), str):
        return _of_resource(path, content)
    context = content.get("context", content)
    if isinstance(context, dict) and "patientId" in context:
        return _of_context(path, content, context)
    what = next((name for member, name in _OTHER_MESSAGES.items() if member in content), "other JSON")
    return Material(path, what, content)


def _of_context(path: Path, content: Resource, context: Resource) -> Material:
    hook = _hook(path, context)
    if hook is None:
        return Material(path, "a context of a hook that is not served", content)
    call = _call(path, hook, context, {PATIENT: {"resourceType": "Patient"}})
    return Material(path, "a context", content, call, wrapped=True)


def _hook(path: Path, context: Resource) -> str | None:
    """The hook of a context: the one that the file is named after, else the one whose members it has."""
    name = path.stem.replace("_", "-")
    named = next((hook for hook in CONTEXTS if hook in name), None)
    if named is not None:
        return named
    if "draftOrders" in context:
        return "order-select" if "selections" in context else "order-sign"
    if "medications" in context:
        return "medication-prescribe"
    opened = "userId" in context and context.keys() <= {"userId", "patientId", "encounterId", "extension"}
    return OPENED if opened else None


def _of_resource(path: Path, resource: Resource) -> Material:
    """An order is signed; what is on record is prefetched when the chart is opened."""
    kind = resource["resourceType"]
    if kind in ORDER_TYPES:
        context = {"draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource}]}}
        subject = relative(subject_reference(resource)).rpartition("/")[2] or _SOMEBODY
        whole = {"userId": _USER, "patientId": subject, **context}
        call = _call(path, "order-sign", whole, {PATIENT: {"resourceType": "Patient"}})
        return Material(path, f"a {kind}", resource, call, wrapped=True)
    held = list(entries(resource)) if kind == "Bundle" else [resource]
    known = [one for one in held if one["resourceType"] in _KEYS]
    if not known:
        return Material(path, f"a resource that is not used here ({kind})", resource)
    prefetch = _prefetch(known)
    patient = as_resource(prefetch[PATIENT]) or {}
    references = (relative(subject_reference(one)).rpartition("/")[2] for one in known)
    named = str(patient.get("id") or next(filter(None, references), _SOMEBODY))
    opened = _call(path, OPENED, {"userId": _USER, "patientId": named}, prefetch)
    return Material(path, f"a {kind}", resource, opened, wrapped=True)


def _prefetch(resources: list[Resource]) -> dict[str, Any]:
    """The resources under their keys; what is not among them is none."""
    found: dict[str, Any] = {key: [] for key in _KEYS.values()}
    for resource in resources:
        found[_KEYS[resource["resourceType"]]].append({"resource": resource})
    patients = found.pop(PATIENT)
    bundles = {key: {"resourceType": "Bundle", "type": "searchset", "entry": held} for key, held in found.items()}
    return {PATIENT: patients[0]["resource"] if patients else {"resourceType": "Patient"}, **bundles}


def _call(path: Path, hook: str, context: Mapping[str, Any], prefetch: Mapping[str, Any]) -> Request:
    whole = {"hook": hook, "hookInstance": _INSTANCE, "context": context, "prefetch": prefetch}
    return Request(path, json.dumps(whole).encode(), hook, None)
