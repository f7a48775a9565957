"""The published contract: JSON Schemas under ``/schemas/`` and the OpenAPI description at ``/openapi.json``."""

from flask import Blueprint, Response, abort

from service.cdshooks.schemas import schemas
from service.cdshooks.services import Service
from service.jsonio import encode
from service.web.openapi import JSON, openapi

SCHEMA_JSON = "application/schema+json"


def contract(services: tuple[Service, ...], subject: str, public_url: str, *, token_required: bool) -> Blueprint:
    """The blueprint of the contract; its answers never change while the service runs."""
    blueprint = Blueprint("contract", __name__)
    base = f"{public_url.rstrip('/')}/schemas/"
    documents = {name: encode(schema) for name, schema in schemas(base).items()}
    index = encode({"schemas": {name: f"{base}{name}.json" for name in documents}})
    description = encode(openapi(services, subject, public_url, token_required=token_required))

    @blueprint.get("/schemas/", strict_slashes=False)
    def list_schemas() -> Response:
        return Response(index, mimetype=JSON)

    @blueprint.get("/schemas/<name>.json")
    def schema(name: str) -> Response:
        if name not in documents:
            abort(404)
        return Response(documents[name], mimetype=SCHEMA_JSON)

    @blueprint.get("/openapi.json")
    def describe() -> Response:
        return Response(description, mimetype=JSON)

    return blueprint
