"""``POST /cds-services/{id}``: a hook is called."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from flask import Blueprint, Response, abort, request

from service.cdshooks.messages import Response as CdsResponse
from service.cdshooks.services import Service
from service.decide import Decision, decide
from service.engine.quiet import Once
from service.jsonio import encode
from service.records.exchange import Exchange, Observer, shown, unchecked
from service.records.records import Records
from service.timing import timed
from service.trust.callers import Caller
from service.web.access import caller
from service.web.body import json_body
from service.web.middleware import call_of

Observe = Callable[[CdsResponse, str, str, Caller, float, Once | None], None]
"""Is called with an answer, its hook and service, who asked, the milliseconds it took, and what stayed quiet."""

NewOnce = Callable[[Caller], Once | None]
"""What a caller has answered before; None where nobody knows."""


def observing(decision: Decision, now: Callable[[], datetime], observers: Sequence[Observer]) -> Observe:
    """The function that notifies every observer of an answered call."""

    def observe(
        answer: CdsResponse, hook: str, service: str, calling: Caller, milliseconds: float, once: Once | None
    ) -> None:
        exchange = Exchange(
            at=now(),
            client=calling.client.name,
            tenant=calling.tenant,
            hook=hook,
            service=service,
            guidance=decision.for_client(calling.client).library.version,
            cards=shown(answer.cards, once.digests if once else {}),
            unchecked=unchecked(answer.cards),
            milliseconds=milliseconds,
            quiet=once.quiet if once else (),
        )
        call_of(request.environ).exchange = exchange
        for observer in observers:
            observer(exchange)

    return observe


def answered_before(records: Records | None, now: Callable[[], datetime]) -> NewOnce:
    """The function that looks up, per caller, which cards were answered before."""
    quiet = records.quiet if records is not None else None

    def once(calling: Caller) -> Once | None:
        if quiet is None:
            return None

        def look_up(user: str, patient: str, said: Mapping[str, str]) -> Mapping[str, tuple[str, bool]]:
            return quiet.look_up((calling.client.name, calling.tenant, user, patient), said, now())

        return Once(look_up)

    return once


def invoke(services: tuple[Service, ...], decision: Decision, observe: Observe, new_once: NewOnce) -> Blueprint:
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
            once = new_once(calling)
            answer = decide(body, hook, decision, calling.client, once)
        observe(answer, hook, service_id, calling, round((time.perf_counter() - started) * 1000, 1), once)
        return Response(encode(answer), mimetype="application/json")

    return blueprint
