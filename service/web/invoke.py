"""``POST /cds-services/{id}``: a hook is called."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime

from flask import Blueprint, Response, abort, request

from service.cdshooks.messages import Response as CdsResponse
from service.cdshooks.services import Service
from service.decide import Decision, decide
from service.jsonio import encode
from service.records.exchange import Exchange, Observer, shown, unchecked
from service.timing import timed
from service.trust.tokens import Caller
from service.web.access import caller
from service.web.body import json_body
from service.web.middleware import call_of

Observe = Callable[[CdsResponse, str, str, Caller, float], None]
"""Is called with an answer, its hook and service, who asked, and the milliseconds it took."""


def observing(decision: Decision, now: Callable[[], datetime], observers: Sequence[Observer]) -> Observe:
    """What tells every observer of an answered call."""

    def observe(answer: CdsResponse, hook: str, service: str, calling: Caller, milliseconds: float) -> None:
        exchange = Exchange(
            at=now(),
            client=calling.client.name,
            tenant=calling.tenant,
            hook=hook,
            service=service,
            guidance=decision.for_client(calling.client).library.version,
            cards=shown(answer.cards),
            unchecked=unchecked(answer.cards),
            milliseconds=milliseconds,
        )
        call_of(request.environ).exchange = exchange
        for observer in observers:
            observer(exchange)

    return observe


def invoke(services: tuple[Service, ...], decision: Decision, observe: Observe) -> Blueprint:
    """The blueprint of the services."""
    blueprint = Blueprint("invoke", __name__)
    hooks = {service.id: service.hook for service in services}

    @blueprint.post("/cds-services/<service_id>")
    def call(service_id: str) -> Response:
        started = time.perf_counter()
        hook = hooks.get(service_id)
        if hook is None:
            abort(404)
        calling = caller()
        body = json_body()
        with timed("decide"):
            answer = decide(body, hook, decision, calling.client)
        observe(answer, hook, service_id, calling, round((time.perf_counter() - started) * 1000, 1))
        return Response(encode(answer), mimetype="application/json")

    return blueprint
