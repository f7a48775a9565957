"""Wires the rooms together. Everything that varies is handed in: settings, clock, id generator."""

import time
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime

from flask import Flask
from flask_cors import CORS

from cards.library import Library, load
from cards.rendering import LOCAL, Renderer
from service.cdshooks.services import prefetch_templates, services
from service.decide import Decision
from service.fhir.access import FhirAccess
from service.records.records import Records
from service.settings import Settings
from service.trust.replay import SeenEverywhere, SeenInMemory
from service.trust.tokens import Caller
from service.web.access import clients_of, guard, token_check
from service.web.contract import contract
from service.web.discovery import discovery
from service.web.errors import register_errors
from service.web.feedback import feedback, log_feedback
from service.web.invoke import invoke, log_exchange
from service.web.pages import pages


def new_uuid() -> str:
    """A fresh random identifier for a card or a suggestion."""
    return str(uuid.uuid4())


def utc_now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


def records_of(settings: Settings) -> Records:
    """The records that the settings name; nothing is opened yet."""
    return Records(settings.database_url, settings.spill_file, utc_now, new_uuid)


def create_app(
    settings: Settings,
    library: Library | None = None,
    today: Callable[[], date] = date.today,
    new_id: Callable[[], str] = new_uuid,
    now: Callable[[], datetime] = utc_now,
    records: Records | None = None,
) -> Flask:
    """The WSGI application.

    Without records it keeps nothing, answers feedback with 503, and remembers used tokens for this process alone.
    Raises FaultyLibrary when the cards cannot be used as they are, FaultyTrustFile when the clients cannot, and
    SettingsError when settings do not go together.
    """
    library = library or load()
    app = Flask("tolami", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    published = services(library.terminology.loinc)
    public_url = settings.public_url or LOCAL
    fhir = FhirAccess(
        prefetch_templates(library.terminology.loinc),
        settings.fhir_deadline,
        loopback=settings.http_loopback,
        ca_file=settings.fhir_ca_file,
    )
    decision = Decision(library, Renderer.of(library, public_url), today, new_id, settings.jurisdiction, fhir)
    clients = clients_of(settings)
    used = SeenInMemory(now) if records is None else SeenEverywhere(records.tokens, SeenInMemory(now))
    tokens = token_check(settings, clients, used, now, time.monotonic)
    guard(app, Caller(clients.without_token), tokens, settings.public_url, observers=[])
    app.extensions["decision"] = decision
    app.register_blueprint(discovery(published))
    observers = [log_exchange] if records is None else [log_exchange, records.observe]
    app.register_blueprint(invoke(published, decision, now, observers))
    app.register_blueprint(feedback(published, records, now, [log_feedback], keep_comments=settings.keep_comments))
    app.register_blueprint(pages(library))
    app.register_blueprint(contract(published, public_url, token_required=settings.auth == "required"))
    register_errors(app)
    CORS(app, methods=["GET", "POST", "OPTIONS"], allow_headers=["Authorization", "Content-Type"], max_age=600)
    return app
