"""What an EHR does, for the playground: it calls another hook about its orders, and carries out a suggestion."""

import uuid
from typing import Any

from service.fhir.resources import as_resource, entries, reference

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
        bundle = orders if isinstance(orders, dict) else {"entry": orders}
        new["selections"] = list(filter(None, map(reference, entries(bundle))))
    return {**body, "hook": hook, "context": new}


def apply(action: Json, body: Json) -> None:
    """Carries out one action of a suggestion on the orders of a request."""
    context = body.get("context", {})
    orders = context.get("draftOrders") or context.get("medications")
    listed = orders.setdefault("entry", []) if isinstance(orders, dict) else orders
    if not isinstance(listed, list):
        return
    resource = as_resource(action.get("resource"))
    named = reference(resource) if resource else action.get("resource") or action.get("resourceId")
    places = [n for n, entry in enumerate(listed) if named and named in map(reference, entries({"entry": [entry]}))]
    if action.get("type") == "create" and resource:
        listed.append({"resource": {"id": str(uuid.uuid4()), **resource}})
    elif action.get("type") == "update" and places:
        listed[places[0]] = {**listed[places[0]], "resource": resource}
    elif action.get("type") == "delete":
        for place in reversed(places):
            del listed[place]
        selections = context.get("selections")
        if isinstance(selections, list):
            context["selections"] = [pointer for pointer in selections if pointer != named]
