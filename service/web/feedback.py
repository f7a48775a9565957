"""``POST /cds-services/{id}/feedback``: what clinicians made of cards."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from flask import Blueprint, Response, abort

from service.cdshooks.feedback import read_feedback
from service.cdshooks.services import Service
from service.errors import NotKept
from service.records import DatabaseUnavailable
from service.records.outcome import OutcomeObserver, Reasons, StoredFeedback, kept_outcome
from service.records.records import Records
from service.web.body import json_body

log = structlog.get_logger()


Keep = Callable[[bytes], None]
"""Keeps a feedback body whole. Raises NotParsable and NotConformant for what it is not, NotKept when it cannot."""


def keeping(
    records: Records | None,
    now: Callable[[], datetime],
    observers: Sequence[OutcomeObserver],
    reasons: Reasons,
    *,
    keep_comments: bool,
) -> Keep:
    """The function that stores feedback and notifies every observer of the stored entries.

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
            raise NotKept("The feedback could not be kept; none of it was. Send the same again later.") from None
        for observe in observers:
            observe(entries)

    return keep


def feedback(services: tuple[Service, ...], keep: Keep) -> Blueprint:
    """The blueprint of feedback. An answer 200 means that all entries are kept; any other, that none is."""
    blueprint = Blueprint("feedback", __name__)
    known = {service.id for service in services}

    @blueprint.post("/cds-services/<service_id>/feedback")
    def call(service_id: str) -> Response:
        if service_id not in known:
            abort(404)
        keep(json_body())
        return Response(b"{}", mimetype="application/json")

    return blueprint


def log_feedback(entries: Sequence[StoredFeedback]) -> None:
    """The log line of kept feedback: how many entries of each outcome."""
    log.info("feedback kept", **Counter(entry.outcome for entry in entries))
