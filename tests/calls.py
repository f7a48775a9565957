"""Requests changed a little and answered in process, for the tests of what is said and done."""

import json
from copy import deepcopy
from typing import Any

from service.cdshooks.reading import read_request
from service.decide import Decision, decide
from service.engine import loading
from service.jsonio import encode

Json = dict[str, Any]

NEW_START = "requests/order-sign/amitriptyline-75-mg-new-start"
"""An adult is to start amitriptyline 75 mg; nothing else is taken. A change to 10 mg is offered."""

PAIR = "requests/order-select/amitriptyline-25-mg-for-patient-on-tolperisone"
"""Amitriptyline 25 mg is selected for somebody who takes tolperisone."""

CRITICAL = "requests/order-sign/tolperisone-900-mg-a-day"

SAMPLE = loading.FOLDER / loading.SAMPLE
"""The request that is shown everywhere, for order-select. It raises cards."""

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"


def draft(request: Json, number: int = 0) -> Json:
    """One of the orders being written."""
    order: Json = request["context"]["draftOrders"]["entry"][number]["resource"]
    return order


def listed(request: Json, number: int = 0) -> Json:
    """One of the orders on the patient's list."""
    order: Json = request["prefetch"]["medications"]["entry"][number]["resource"]
    return order


def drafted_too(request: Json, **changes: Any) -> Json:
    """The request with one more draft: the first, changed."""
    changed = deepcopy(request)
    order = {**deepcopy(draft(request)), **changes}
    changed["context"]["draftOrders"]["entry"].append({"resource": order})
    return changed


def without(request: Json, *path: str) -> Json:
    """The request without one member."""
    changed = deepcopy(request)
    *parents, last = path
    holder = changed
    for step in parents:
        holder = holder[step]
    del holder[last]
    return changed


RAW = "here stands raw JSON"


def with_raw(request: Json, token: bytes) -> bytes:
    """The request as a body, the value RAW replaced by bytes that no encoder would write."""
    return json.dumps(request).encode().replace(json.dumps(RAW).encode(), token)


def answered(request: Json | bytes, decision: Decision, hook: str = "") -> list[Json]:
    """The cards of the answer as a client gets them."""
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    answer = encode(decide(body, hook or read_request(body).hook, decision))
    cards: list[Json] = json.loads(answer)["cards"]
    return cards


def by_id(cards: list[Json]) -> dict[str, Json]:
    """Cards by the id of their file."""
    return {card["extension"]["io.github.tolami"]["card"]: card for card in cards}
