"""Feedback bodies for the tests of what clients send and what is kept of it."""

import json
from typing import Any

Json = dict[str, Any]

MARKER = "Zx9-marker-Quux"

OVERRIDDEN: Json = {
    "card": "f6b95768-b1c8-40dc-8385-bf3504b82ffb",
    "outcome": "overridden",
    "outcomeTimestamp": "2026-11-23T08:00:00Z",
}
ACCEPTED: Json = {
    "card": "4e0a3a1e-3283-4575-ab82-028d55fe2719",
    "outcome": "accepted",
    "acceptedSuggestions": [{"id": "e56e1945-20b3-4393-8503-a1a20fd73152"}],
    "outcomeTimestamp": "2026-11-23T09:30:00Z",
}


def entry(**changes: Any) -> Json:
    """An override, changed; a member that is set to ``...`` is left out."""
    return {name: value for name, value in (OVERRIDDEN | changes).items() if value is not ...}


def feedback(*entries: Json) -> bytes:
    """The body of a feedback call."""
    return json.dumps({"feedback": entries}).encode()
