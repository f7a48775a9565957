"""The published contract: JSON Schemas (2020-12) of every message, generated from the typed messages.

What types cannot say is added here by the name of the message. Requests are described as this service reads them,
which is more than the specification allows a client to send; answers as it sends them, in every dialect.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from service.cdshooks.feedback import FeedbackRequest
from service.cdshooks.messages import CONTEXTS, EXTENSION, HookRequest, OperationOutcome, Response
from service.cdshooks.services import Discovery

Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"

_REFERENCE = "^[A-Za-z]+/.+$"
_RESOURCE = {
    "type": "object",
    "required": ["resourceType"],
    "properties": {"resourceType": {"type": "string", "minLength": 1}},
}
_FILLED = {"type": "array", "minItems": 1}
_ANSWERS = {
    *("Discovery", "Service", "Response", "Card", "Source", "Link", "Suggestion", "Action", "Coding"),
    *("OperationOutcome", "Issue"),
}
"""What this service sends. Members may be added to it in time, and none is ever null or empty (C-004, C-005)."""

_OWN_EXTENSION = {
    "description": "What a program may want to know about a card.",
    "type": "object",
    "properties": {
        "card": {"type": "string", "description": "Id of the card."},
        "rule": {"type": "string", "description": "Its rule."},
        "rules": {"type": "array", "minItems": 2, "items": {"type": "string"}, "description": "All, where several."},
        "statements": {"type": "array", "minItems": 1, "items": {"type": "string"}},
        "guidance": {"type": "string", "description": "Version and digest of the guidance."},
        "orders": {"type": "array", "minItems": 1, "items": {"type": "string"}, "description": "As Type/id."},
        "notChecked": {"type": "array", "minItems": 1, "items": {"type": "string"}, "description": "Why not."},
    },
    "required": ["card", "rule", "guidance"],
}

_RULES: dict[str, Schema] = {
    "Card": {
        "$comment": "Suggestions and selectionBehavior stand together (cds-resp-6).",
        "dependentRequired": {"suggestions": ["selectionBehavior"], "selectionBehavior": ["suggestions"]},
        "properties": {"extension": {"type": "object", "minProperties": 1, "properties": {EXTENSION: _OWN_EXTENSION}}},
    },
    "Link": {"required": ["label", "url", "type"]},
    "Service": {"required": ["hook", "id", "title", "description", "prefetch", "usageRequirements", "version"]},
    "Action": {
        "$comment": "A delete names its order in resourceId; in resource for clients of CDS Hooks 1.0.",
        "oneOf": [
            {
                "properties": {"type": {"enum": ["create", "update"]}, "resource": _RESOURCE, "resourceId": False},
                "required": ["resource"],
            },
            {
                "properties": {
                    "type": {"const": "delete"},
                    "resource": False,
                    "resourceId": {"type": "string", "pattern": _REFERENCE},
                },
                "required": ["resourceId"],
            },
            {
                "properties": {
                    "type": {"const": "delete"},
                    "resource": {"type": "string", "pattern": _REFERENCE},
                    "resourceId": False,
                },
                "required": ["resource"],
            },
        ],
    },
    "HookRequest": {
        "$comment": "A token belongs to a server (cds-r-1).",
        "if": {"properties": {"fhirAuthorization": {"type": "object"}}, "required": ["fhirAuthorization"]},
        "then": {"properties": {"fhirServer": {"type": "string", "minLength": 1}}, "required": ["fhirServer"]},
    },
    "Feedback": {
        "$comment": "An acceptance names what was accepted (cds-fb-2).",
        "if": {"properties": {"outcome": {"const": "accepted"}}},
        "then": {"properties": {"acceptedSuggestions": _FILLED}, "required": ["acceptedSuggestions"]},
    },
    "OverrideReason": {
        "$comment": "A reason, words of the clinician, or both (cds-fb-3).",
        "anyOf": [
            {"properties": {"reason": {"type": "object"}}, "required": ["reason"]},
            {"properties": {"userComment": {"type": "string", "minLength": 1}}, "required": ["userComment"]},
        ],
    },
    "OrderBundle": {"properties": {"resourceType": {"enum": ["Bundle", None], "default": None}}},
}


@dataclass(frozen=True, slots=True)
class Message:
    """A published message: the file it is in, its definition, and the types it is made of."""

    file: str
    definition: str
    types: tuple[Any, ...]
    hook: str = ""


def request_definition(hook: str) -> str:
    """The name of the definition of a hook's request, such as ``OrderSelectRequest``."""
    return CONTEXTS[hook].__name__.replace("Context", "Request")


MESSAGES = (
    Message("discovery", "Discovery", (Discovery,)),
    *(
        Message(f"request-{hook}", request_definition(hook), (HookRequest, context), hook)
        for hook, context in CONTEXTS.items()
    ),
    Message("response", "Response", (Response,)),
    Message("feedback", "FeedbackRequest", (FeedbackRequest,)),
    Message("operation-outcome", "OperationOutcome", (OperationOutcome,)),
)


def schemas(base: str = "") -> dict[str, Schema]:
    """Every schema by its file's name. ``base`` is the address before that name; without it ``$id`` is relative."""
    return {message.file: _document(message, base) for message in MESSAGES}


def definitions(reference: str) -> dict[str, Schema]:
    """The definitions of all messages, for use in another document; ``reference`` is the form of ``$ref``."""
    found: dict[str, Schema] = {}
    for message in MESSAGES:
        found |= _definitions(message, reference)
    return found


def _document(message: Message, base: str) -> Schema:
    return {
        "$schema": DRAFT,
        "$id": f"{base}{message.file}.json",
        "$ref": f"#/$defs/{message.definition}",
        "$defs": _definitions(message, "#/$defs/{name}"),
    }


def _definitions(message: Message, reference: str) -> dict[str, Schema]:
    _, found = msgspec.json.schema_components(message.types, ref_template=reference)
    refined = {name: _refined(name, schema) for name, schema in found.items()}
    if message.hook:
        envelope = refined.pop(HookRequest.__name__)
        refined[message.definition] = _request(message, envelope, reference)
    return dict(sorted(refined.items()))


def _request(message: Message, envelope: Schema, reference: str) -> Schema:
    """The envelope of a hook's call, with the hook and its context in place."""
    context = CONTEXTS[message.hook]
    within = {
        "hook": {"const": message.hook},
        "context": {"$ref": reference.format(name=context.__name__)},
    }
    return {
        **envelope,
        "title": message.definition,
        "description": f"The call of {message.hook}, as this service reads it.",
        "properties": envelope["properties"] | within,
    }


def _refined(name: str, schema: Schema) -> Schema:
    """A definition with what its type cannot say."""
    rules = _RULES.get(name, {})
    refined = {**schema, **rules, "properties": schema["properties"] | rules.get("properties", {})}
    if "description" in schema:  # the docstring, which an interpreter without them (-OO) has not
        refined["description"] = " ".join(schema["description"].replace("``", "`").split())
    if "patientId" in refined["properties"]:
        refined["properties"]["patientId"] |= {"not": {"const": "Patient/"}}
    if name in _ANSWERS:
        refined["additionalProperties"] = {"not": {"enum": [None, "", [], {}]}}
    return refined
