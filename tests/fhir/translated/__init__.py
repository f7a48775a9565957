"""Requests of the fixtures written in another FHIR version: the same clinical content in its own members.

Written from the published structures, apart from the code that reads them, so that one can prove the other.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from tests.fhir.translated.dstu2 import in_dstu2
from tests.fhir.translated.r4 import in_r4
from tests.fhir.translated.r5 import in_r5
from tests.fhir.translated.stu3 import in_stu3

Json = dict[str, Any]
Translator = Callable[[Json], Json]

VERSIONS: dict[str, Translator] = {"DSTU2": in_dstu2, "STU3": in_stu3, "R4": lambda resource: resource, "R5": in_r5}
"""A resource in R4 in each version. R4B has the same members as R4 in all that is read here."""


def resource_in(version: str, resource: Json) -> Json:
    """A resource of a fixture in another version."""
    return VERSIONS[version](in_r4(deepcopy(resource)))


def request_in(version: str, request: Json, prefetch_in: str = "") -> Json:
    """A request with its orders in one version and its prefetch in another (the same, when none is given)."""
    changed = deepcopy(request)
    context = changed.get("context", {})
    for member in ("draftOrders", "medications"):
        if member in context:
            context[member] = _bundle(version, context[member])
    if version == "DSTU2" and "selections" in context:
        context["selections"] = [s.replace("MedicationRequest/", "MedicationOrder/") for s in context["selections"]]
    if "prefetch" in changed:
        held = changed["prefetch"].items()
        changed["prefetch"] = {key: _whole(prefetch_in or version, value) for key, value in held}
    return changed


def alternating(request: Json, versions: list[str]) -> Json:
    """A request in which the resources are of the versions in turn; the same order is of one wherever it stands.

    Drafts of a request with selections keep their type, by which they are selected, so none of them is in DSTU2.
    """
    changed = deepcopy(request)
    turn: dict[str, str] = {}
    selecting = "selections" in changed.get("context", {})
    for bundle in (*changed.get("context", {}).values(), *changed.get("prefetch", {}).values()):
        for entry in bundle.get("entry", []) if isinstance(bundle, dict) else []:
            resource = entry["resource"]
            version = turn.setdefault(resource.get("id", ""), versions[len(turn) % len(versions)])
            entry["resource"] = resource_in("R5" if selecting and version == "DSTU2" else version, resource)
    return changed


def resources(request: Json) -> list[Json]:
    """Every resource of a request: of its bundles, and those that stand alone."""
    parts = (*request.get("context", {}).values(), *request.get("prefetch", {}).values())
    found = []
    for part in (part for part in parts if isinstance(part, dict) and "resourceType" in part):
        bundled = part["resourceType"] == "Bundle"
        found += [entry["resource"] for entry in part.get("entry", [])] if bundled else [part]
    return found


def _whole(version: str, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return _bundle(version, value) if value.get("resourceType") == "Bundle" else resource_in(version, value)


def _bundle(version: str, bundle: Any) -> Any:
    """A Bundle, or the array of resources that was sent before there was one."""
    if isinstance(bundle, list):
        return [resource_in(version, resource) for resource in bundle]
    entries = [{**entry, "resource": resource_in(version, entry["resource"])} for entry in bundle.get("entry", [])]
    return {**bundle, "entry": entries} if entries else bundle
