"""Feedback bodies for the tests of what clients send and what is kept of it."""

import json
from typing import Any

Json = dict[str, Any]

MARKER = "Zx9-marker-Quux"

OVERRIDDEN: Json = {
    "card": "bc1e3ac1-c27d-44ec-b72c-2c2678629522",
    "outcome": "overridden",
    "outcomeTimestamp": "2026-11-23T08:00:00Z",
}
ACCEPTED: Json = {
    "card": "096d3737-42f9-4039-8320-a4737c2b3abe",
    "outcome": "accepted",
    "acceptedSuggestions": [{"id": "9623d7cf-a9ae-4a34-a544-99c7001d9a88"}],
    "outcomeTimestamp": "2026-11-23T09:30:00Z",
}


def entry(**changes: Any) -> Json:
    """An override, changed; a member that is set to ``...`` is left out."""
    return {name: value for name, value in (OVERRIDDEN | changes).items() if value is not ...}


def feedback(*entries: Json) -> bytes:
    """The body of a feedback call."""
    return json.dumps({"feedback": entries}).encode()
