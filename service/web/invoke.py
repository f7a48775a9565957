"""``POST /cds-services/{id}``: a hook is called."""

import time

import structlog
from flask import Blueprint, Response, abort, request

from service.cdshooks.services import Service
from service.decide import Decision, decide
from service.fhir.resources import encode
from service.trust.clients import Clients

JSON_TYPES = frozenset({"application/json", "application/fhir+json"})

log = structlog.get_logger()


def invoke(services: tuple[Service, ...], decision: Decision, clients: Clients) -> Blueprint:
    """The blueprint of the services."""
    blueprint = Blueprint("invoke", __name__)
    hooks = {service.id: service.hook for service in services}

    @blueprint.post("/cds-services/<service_id>")
    def call(service_id: str) -> Response:
        started = time.perf_counter()
        hook = hooks.get(service_id)
        if hook is None:
            abort(404)
        if request.mimetype not in JSON_TYPES:
            abort(415)
        answer = decide(request.get_data(cache=False), hook, decision, clients.without_token)
        log.info(
            "answered",
            service=service_id,
            cards=[card.extension["io.github.tolami"]["card"] for card in answer.cards],
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
        )
        return Response(encode(answer), mimetype="application/json")

    return blueprint
