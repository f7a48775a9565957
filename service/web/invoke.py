"""``POST /cds-services/{id}``: a hook is called."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime

from flask import Blueprint, Response, abort

from service.cdshooks.services import Service
from service.decide import Decision, decide
from service.jsonio import encode
from service.records.exchange import Exchange, Observer, shown, unchecked
from service.web.access import caller
from service.web.body import json_body


def invoke(
    services: tuple[Service, ...],
    decision: Decision,
    now: Callable[[], datetime],
    observers: Sequence[Observer],
) -> Blueprint:
    """The blueprint of the services. Every observer is told of every answered call."""
    blueprint = Blueprint("invoke", __name__)
    hooks = {service.id: service.hook for service in services}

    @blueprint.post("/cds-services/<service_id>")
    def call(service_id: str) -> Response:
        started = time.perf_counter()
        hook = hooks.get(service_id)
        if hook is None:
            abort(404)
        calling = caller()
        answer = decide(json_body(), hook, decision, calling.client)
        exchange = Exchange(
            at=now(),
            client=calling.client.name,
            tenant=calling.tenant,
            hook=hook,
            service=service_id,
            guidance=decision.library.version,
            cards=shown(answer.cards),
            unchecked=unchecked(answer.cards),
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
        )
        for observe in observers:
            observe(exchange)
        return Response(encode(answer), mimetype="application/json")

    return blueprint
