"""What a JSON file of unknown origin is, and the call that can be made of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.cdshooks.messages import CONTEXTS
from service.cli.answers import Request
from service.cli.output import content_of
from service.cli.synthetic import SOMEBODY, hook_request
from service.fhir.as_r4 import subject_reference
from service.fhir.gaps import ALLERGIES, CONDITIONS, MEDICATIONS, OBSERVATIONS, PATIENT, STATEMENTS
from service.fhir.resources import Resource, entries, relative
from service.fhir.versions import ORDER_TYPES, STATEMENT_TYPES

ANY_SERVICE = "order-sign"
"""The service that is sent what names no hook."""

_INSTANCE = "00000000-0000-4000-8000-000000000000"

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

    what: str
    content: Any = None
    call: Request | None = None
    wrapped: bool = False


def material(path: Path) -> Material:
    """What a file is. Raises Refused when it cannot be opened."""
    body = content_of(path)
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return Material("not JSON", call=Request(path, body, ANY_SERVICE))
    if not isinstance(content, dict):
        return Material("a list of JSON" if isinstance(content, list) else "a JSON value", content)
    if "hook" in content or "hookInstance" in content:
        hook = content.get("hook")
        return Material("a request", content, Request(path, body, hook if isinstance(hook, str) else ANY_SERVICE))
    if isinstance(content.get("resourceType"), str):
        return _of_resource(path, content)
    context = content.get("context", content)
    if isinstance(context, dict) and "patientId" in context:
        return _of_context(path, content, context)
    what = next((name for member, name in _OTHER_MESSAGES.items() if member in content), "other JSON")
    return Material(what, content)


def _of_context(path: Path, content: Resource, context: Resource) -> Material:
    hook = _hook(path, context)
    if hook is None:
        return Material("a context of a hook that is not served", content)
    patient = {PATIENT: {"resourceType": "Patient"}}
    call = {"hook": hook, "hookInstance": _INSTANCE, "context": context, "prefetch": patient}
    return _wrapped(path, "a context", content, call)


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
    return "patient-view" if opened else None


def _of_resource(path: Path, resource: Resource) -> Material:
    """An order is signed; what is on record is prefetched when the chart is opened."""
    kind = resource["resourceType"]
    held = list(entries(resource)) if kind == "Bundle" else [resource]
    known = [one for one in held if one["resourceType"] in _KEYS]
    if not known:
        return Material(f"a resource that is not used here ({kind})", resource)
    subjects = (relative(subject_reference(one)).rpartition("/")[2] for one in known)
    somebody = {"resourceType": "Patient", "id": next(filter(None, subjects), SOMEBODY)}
    patient = somebody | next((one for one in known if one["resourceType"] == "Patient"), {})
    if kind in ORDER_TYPES:
        return _wrapped(path, f"a {kind}", resource, hook_request("order-sign", _INSTANCE, patient, [resource], {}))
    lists = {key: [one for one in known if _KEYS[one["resourceType"]] == key] for key in _KEYS.values()}
    return _wrapped(path, f"a {kind}", resource, hook_request("patient-view", _INSTANCE, patient, [], lists))


def _wrapped(path: Path, what: str, content: Resource, call: Mapping[str, Any]) -> Material:
    return Material(what, content, Request(path, json.dumps(call).encode(), call["hook"]), wrapped=True)
