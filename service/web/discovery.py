"""``GET /cds-services``: what this service offers."""

from flask import Blueprint, Response

from service.cdshooks.services import Discovery, Service
from service.jsonio import encode


def discovery(services: tuple[Service, ...]) -> Blueprint:
    """The blueprint of discovery; the answer never changes while the service runs."""
    blueprint = Blueprint("discovery", __name__)
    body = encode(Discovery(services))

    @blueprint.get("/cds-services")
    def list_services() -> Response:
        return Response(body, mimetype="application/json")

    return blueprint
