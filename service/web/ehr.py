"""What an EHR does, for the playground: it calls another hook about its orders, and carries out a suggestion."""

import uuid
from typing import Any

Json = dict[str, Any]


def called_for(body: Json, hook: str) -> Json:
    """The same orders in the context of another hook."""
    context = body.get("context")
    held = context if isinstance(context, dict) else {}
    orders = held.get("draftOrders") or held.get("medications") or {"resourceType": "Bundle", "entry": []}
    new = {key: held[key] for key in ("userId", "patientId", "encounterId") if key in held}
    if hook in ("order-select", "order-sign"):
        new["draftOrders"] = orders
    elif hook != "patient-view":
        new["medications"] = orders
    if hook == "order-select":
        resources = [entry.get("resource", {}) for entry in entries_of(orders)]
        new["selections"] = [
            f"{r['resourceType']}/{r['id']}" for r in resources if r.get("id") and r.get("resourceType")
        ]
    return {**body, "hook": hook, "context": new}


def entries_of(orders: Any) -> list[Json]:
    """The entries of a Bundle, or the members of a list; what is neither has none."""
    entries = orders.get("entry") if isinstance(orders, dict) else orders
    return [entry for entry in entries or () if isinstance(entry, dict)]


def apply(action: Json, body: Json) -> None:
    """Carries out one action of a suggestion on the orders of a request."""
    context = body.get("context", {})
    orders = context.get("draftOrders") or context.get("medications")
    entries = orders.setdefault("entry", []) if isinstance(orders, dict) else orders
    if not isinstance(entries, list):
        return
    resource = action.get("resource")
    named = resource if isinstance(resource, str) else action.get("resourceId") or ""
    if isinstance(resource, dict):
        named = f"{resource.get('resourceType')}/{resource.get('id')}"
    places = [n for n, entry in enumerate(entries) if _names(entry, named)]
    if action.get("type") == "create" and isinstance(resource, dict):
        entries.append({"resource": {"id": str(uuid.uuid4()), **resource}})
    elif action.get("type") == "update" and places:
        entries[places[0]] = {**entries[places[0]], "resource": resource}
    elif action.get("type") == "delete":
        for place in reversed(places):
            del entries[place]
        selections = context.get("selections")
        if isinstance(selections, list):
            context["selections"] = [pointer for pointer in selections if pointer != named]


def _names(entry: Any, reference: str) -> bool:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    return isinstance(resource, dict) and f"{resource.get('resourceType')}/{resource.get('id')}" == reference
