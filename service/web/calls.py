"""What an EHR sends: ``POST /cds-services/{id}`` calls a hook, ``…/feedback`` says what clinicians made of cards."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from flask import Blueprint, Response, abort, current_app, request

from service.cdshooks.feedback import read_feedback
from service.cdshooks.messages import Response as CdsResponse
from service.cdshooks.services import Service
from service.decide import Decision, decide
from service.engine.quiet import Once
from service.errors import NotKept
from service.jsonio import encode
from service.records import DatabaseUnavailable, Records
from service.records.kept import Exchange, Observer, OutcomeObserver, Reasons, kept_outcome, shown, unchecked
from service.server_timing import timed
from service.trust.callers import Caller
from service.web.auth import caller
from service.web.middleware import call_of

JSON_TYPES = frozenset({"application/json", "application/fhir+json", "application/json+fhir"})
"""The last is DSTU2's."""

CHARSETS = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
"""UTF-8, and what is part of it."""

Observe = Callable[[CdsResponse, str, Caller, float, Once | None], None]
"""Is called with an answer, its hook, who asked, the milliseconds it took, and what stayed quiet."""

Keep = Callable[[bytes], None]
"""Keeps a feedback body whole. Raises NotParsable and NotConformant for what it is not, NotKept when it cannot."""

log = structlog.get_logger()


def json_body() -> bytes:
    """The raw body of the present request.

    Ends the request with 415 when its headers say that it is no JSON, is in another character set than UTF-8 or
    compressed, and with 413 when it is larger than ``MAX_CONTENT_LENGTH``, whether or not its length was announced.
    """
    environ = request.environ
    if environ.get("CONTENT_TYPE") != "application/json":
        charset = request.mimetype_params.get("charset", "utf-8")
        if request.mimetype not in JSON_TYPES or charset.lower() not in CHARSETS:
            abort(415)
    if environ.get("HTTP_CONTENT_ENCODING", "").strip().lower() not in ("", "identity"):
        abort(415)
    limit: int = current_app.config["MAX_CONTENT_LENGTH"]
    announced = request.content_length
    if announced is not None and announced > limit:
        abort(413)
    # Without a length, the stream of the server ends with the body. One byte more tells what is too large.
    body: bytes = request.environ["wsgi.input"].read(limit + 1 if announced is None else announced)
    if len(body) > limit:
        abort(413)
    return body


def observing(decision: Decision, now: Callable[[], datetime], observers: Sequence[Observer]) -> Observe:
    """The function that notifies every observer of an answered call."""

    def observe(answer: CdsResponse, hook: str, calling: Caller, milliseconds: float, once: Once | None) -> None:
        exchange = Exchange(
            at=now(),
            client=calling.client.name,
            tenant=calling.tenant,
            hook=hook,
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


def answered_before(records: Records | None, now: Callable[[], datetime], calling: Caller) -> Once | None:
    """The look-up of cards that a clinician of the caller has answered before; None where that is not kept."""
    quiet = records.quiet if records is not None else None
    if quiet is None:
        return None
    client = (calling.client.name, calling.tenant)
    return Once(lambda user, patient, texts: quiet.look_up((*client, user, patient), texts, now()))


def invoke(
    services: tuple[Service, ...], decision: Decision, observe: Observe, new_once: Callable[[Caller], Once | None]
) -> Blueprint:
    """The blueprint of the services. ``new_once`` knows what a caller has answered before."""
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
        observe(answer, hook, calling, round((time.perf_counter() - started) * 1000, 1), once)
        return Response(encode(answer), mimetype="application/json")

    return blueprint


def keeping(
    records: Records | None,
    now: Callable[[], datetime],
    observers: Sequence[OutcomeObserver],
    reasons: Reasons,
    *,
    keep_comments: bool,
) -> Keep:
    """The function that stores feedback, logs how many entries of each outcome, and notifies every observer of them.

    ``reasons`` are those that cards offer; no other code is kept.
    """

    def keep(body: bytes) -> None:
        sent = read_feedback(body).feedback
        received = now()
        entries = [kept_outcome(entry, received, reasons, keep_comment=keep_comments) for entry in sent]
        try:
            if records is None:
                raise DatabaseUnavailable("no records")
            records.keep(entries)
        except DatabaseUnavailable:
            raise NotKept("The feedback could not be kept. Send the same again later: nothing is kept twice.") from None
        log.info("feedback kept", **Counter(entry.outcome for entry in entries))
        for observer in observers:
            observer(entries)

    return keep


def feedback(services: tuple[Service, ...], keep: Keep) -> Blueprint:
    """The blueprint of feedback. An answer 200 means that all entries are kept."""
    blueprint = Blueprint("feedback", __name__)
    known = {service.id for service in services}

    @blueprint.post("/cds-services/<service_id>/feedback")
    def call(service_id: str) -> Response:
        if service_id not in known:
            abort(404)
        keep(json_body())
        return Response(b"{}", mimetype="application/json")

    return blueprint
