"""What this service publishes for programs: discovery, JSON Schemas, and the OpenAPI description with its viewer."""

from importlib.resources import files
from pathlib import Path

from flask import Blueprint, Response, abort, render_template, send_from_directory

from service.cdshooks.schemas import schemas
from service.cdshooks.services import Discovery, Service
from service.engine.library import Library
from service.jsonio import encode
from service.web.openapi import JSON, openapi
from service.web.pages import POLICY

SCHEMA_JSON = "application/schema+json"

VIEWER = Path(str(files("flask_swagger_ui") / "dist"))
SERVED = ("swagger-ui-bundle.js", "swagger-ui.css")

VIEWER_POLICY = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace(
    "img-src 'self'", "img-src 'self' data:"
)
"""The viewer styles its elements one by one and draws with data addresses; scripts stay those of this service."""


def discovery(services: tuple[Service, ...]) -> Blueprint:
    """The blueprint of discovery; the answer never changes while the service runs."""
    blueprint = Blueprint("discovery", __name__)
    body = encode(Discovery(services))

    @blueprint.get("/cds-services")
    def list_services() -> Response:
        return Response(body, mimetype="application/json")

    return blueprint


def contract(services: tuple[Service, ...], library: Library, public_url: str, *, token_required: bool) -> Blueprint:
    """The blueprint of the contract; its answers never change while the service runs."""
    blueprint = Blueprint("contract", __name__)
    base = f"{public_url.rstrip('/')}/schemas/"
    documents = {name: encode(schema) for name, schema in schemas(base).items()}
    index = encode({"schemas": {name: f"{base}{name}.json" for name in documents}})
    description = encode(openapi(services, library, public_url, token_required=token_required))

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


def api() -> Blueprint:
    """The blueprint of the viewer."""
    blueprint = Blueprint("api", __name__, template_folder="templates")

    @blueprint.get("/api", strict_slashes=False)
    def view() -> Response:
        page = Response(render_template("api.html"))
        page.headers["Content-Security-Policy"] = VIEWER_POLICY
        return page

    @blueprint.get(f"/api/<any({','.join(map(repr, SERVED))}):name>")
    def part(name: str) -> Response:
        return send_from_directory(VIEWER, name, max_age=86400)

    return blueprint
