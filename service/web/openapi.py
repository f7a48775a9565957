"""The OpenAPI 3.1 description of everything this service answers, made from the same types as the schemas."""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from service.cdshooks.schemas import definitions, request_definition, schemas
from service.cdshooks.services import Service
from service.engine.library import Library
from service.errors import ServiceError
from service.web.ehr import called_for
from service.web.errors import ADVICE

Part = dict[str, Any]

JSON = "application/json"


def openapi(services: tuple[Service, ...], library: Library, public_url: str, *, token_required: bool) -> Part:
    """The description. ``public_url`` is where clients find this service."""
    sample = library.sample_request
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tolami",
            "summary": f"CDS Hooks service. {library.plan.title}.",
            "description": "Its content is not clinically reviewed. An answer without cards never means: safe.",
            "version": version("tolami"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url}],
        "security": [{"jwt": []}] if token_required else [{"jwt": []}, {}],
        "paths": {
            "/cds-services": {"get": _read("Services", "discovery", "List the services", _json("Discovery"))},
            **{f"/cds-services/{service.id}": {"post": _call(service, sample)} for service in services},
            **{f"/cds-services/{service.id}/feedback": {"post": _feedback(service)} for service in services},
            **{path: {"get": {**operation, "security": []}} for path, operation in _PUBLIC.items()},
        },
        "tags": [
            {"name": "Services", "description": "What an EHR calls"},
            {"name": "Feedback", "description": "What clinicians made of the cards; any address will do"},
            {"name": "Contract", "description": "What this service promises, for programs"},
            {"name": "Pages", "description": "For people"},
            {"name": "Operation", "description": "For those who run it"},
        ],
        "components": {
            "schemas": definitions("#/components/schemas/{name}"),
            "responses": {str(status): _failure(text) for status, text in _failures()},
            "securitySchemes": {
                "jwt": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The client's identity as CDS Hooks describes it (ES384 or RS384).",
                }
            },
        },
    }


def _json(definition: str) -> Part:
    return {JSON: {"schema": {"$ref": f"#/components/schemas/{definition}"}}}


def _read(tag: str, name: str, summary: str, content: Part, parameter: Part | None = None) -> Part:
    """A GET that answers with a document, perhaps the one that a parameter of the path names."""
    given = {"parameters": [{**parameter, "in": "path", "required": True}]} if parameter else {}
    missing = {"404": {"$ref": "#/components/responses/404"}} if parameter else {}
    found = {"description": "The document.", "content": content}
    responses = {"200": found, **missing, "default": _OTHERWISE}
    return {"operationId": name, "summary": summary, "tags": [tag], **given, "responses": responses}


def _send(tag: str, body: Part, answer: Part, never: int, **operation: str) -> Part:
    """A POST with all its error answers but one. Its body may also be labelled as FHIR's JSON, which is the same."""
    failures = (str(status) for status, _ in _failures() if status != never)
    return {
        **operation,
        "tags": [tag],
        "requestBody": {"required": True, "content": body | {"application/fhir+json": body[JSON]}},
        "responses": {
            "200": answer,
            **{status: {"$ref": f"#/components/responses/{status}"} for status in failures},
            "default": _OTHERWISE,
        },
    }


def _call(service: Service, sample: Part | None) -> Part:
    example = {"example": called_for(sample, service.hook)} if sample else {}
    body = {JSON: _json(request_definition(service.hook))[JSON] | example}
    answer = {"description": "Cards; an empty list when there is nothing to say.", "content": _json("Response")}
    labels = {"operationId": service.id, "summary": service.title, "description": service.description}
    return _send("Services", body, answer, 503, **labels)


def _feedback(service: Service) -> Part:
    answer = {"description": "All of it is kept.", "content": _OBJECT}
    labels = {"operationId": f"{service.id}-feedback", "summary": "Report what became of cards"}
    return _send("Feedback", _json("FeedbackRequest"), answer, 412, **labels)


def _failures() -> Iterator[tuple[int, str]]:
    """Every status of an error and what it means, from the tree of errors and from HTTP's own."""
    texts = {status: advice for status, (_, advice) in ADVICE.items()}
    texts |= {error.status: error.meaning for error in ServiceError.__subclasses__()}
    yield from sorted(texts.items())


def _failure(description: str) -> Part:
    return {"description": description, "content": _json("OperationOutcome")}


_OTHERWISE = _failure("Any other error.")
_HTML = {"text/html": {"schema": {"type": "string"}}}
_OBJECT = {JSON: {"schema": {"type": "object"}}}
_TEXT = {"text/plain": {"schema": {"type": "string"}}}
_SCHEMA = {"application/schema+json": {"schema": {"type": "object"}}}
_MESSAGE = {"name": "name", "description": "Name of a message.", "schema": {"enum": sorted(schemas())}}
_CARD = {"name": "card_id", "description": "Id of a card, as in its extension.", "schema": {"type": "string"}}
_PUBLIC = {
    "/guidance": _read("Pages", "guidance", "All cards and statements", _HTML),
    "/guidance/{card_id}": _read("Pages", "card", "What is behind a card", _HTML, _CARD),
    "/schemas/": _read("Contract", "schemas", "The addresses of all schemas", _OBJECT),
    "/schemas/{name}.json": _read("Contract", "schema", "The JSON Schema of a message", _SCHEMA, _MESSAGE),
    "/openapi.json": _read("Contract", "openapi", "This description", _OBJECT),
    "/healthz": _read("Operation", "alive", "Whether the service is alive", _OBJECT),
    "/readyz": _read("Operation", "ready", "Whether calls can be sent, each check named; 503 when not", _OBJECT),
    "/metrics": _read("Operation", "metrics", "What was counted, in Prometheus' text format", _TEXT),
}
"""What anybody may read: it holds nothing of a patient."""
