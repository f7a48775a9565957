"""Wires the rooms together. Everything that varies is handed in: settings, clock, id generator."""

import os
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask

from service.cdshooks.services import Service, prefetch_templates, services
from service.dates import utc_now
from service.decide import Decision
from service.engine.editions import EVERYBODY, Editions, policies_of
from service.engine.finding import Rule
from service.engine.guideline import Guideline
from service.engine.library import OVERRIDE_REASONS, Library
from service.engine.loading import load
from service.engine.rendering import CODE_SYSTEMS, LOCAL
from service.fhir.access import WAITING, FhirAccess
from service.fhir.fetch_errors import Failure
from service.fhir.prefetch import State
from service.guidance.registry import RULES
from service.metrics import Metrics
from service.records import Records
from service.settings import Settings
from service.trust.callers import Caller, Reason
from service.trust.clients import clients_of
from service.trust.used_tokens import SeenEverywhere, SeenInMemory
from service.web.auth import guard, token_check
from service.web.calls import answered_before, feedback, invoke, keeping, observing
from service.web.contract import api, contract, discovery
from service.web.demo import demo
from service.web.errors import register_errors
from service.web.insights import insights
from service.web.middleware import Middleware
from service.web.operations import Check, operations
from service.web.pages import pages
from service.web.playground import playground


def new_uuid() -> str:
    """A fresh identifier for a card or a suggestion: a UUID that begins with the time (RFC 9562, version 7).

    Cards that are shown one after the other so lie side by side in the database; random ones would be written to as
    many places as there are cards.
    """
    moment, chance = f"{time.time_ns() // 1_000_000:012x}", os.urandom(10).hex()
    variant = "89ab"[int(chance[3], 16) % 4]
    return f"{moment[:8]}-{moment[8:]}-7{chance[:3]}-{variant}{chance[4:7]}-{chance[7:19]}"


def records_of(settings: Settings) -> Records:
    """The records that the settings name; nothing is opened yet."""
    quiet_for = timedelta(days=settings.quiet_days)
    return Records(settings.database_url, settings.spill_file, utc_now, new_uuid, quiet_for)


def create_app(
    settings: Settings,
    library: Library | None = None,
    today: Callable[[], date] = date.today,
    new_id: Callable[[], str] = new_uuid,
    now: Callable[[], datetime] = utc_now,
    records: Records | None = None,
    counts: Path | None = None,
    rules: tuple[Rule, ...] = RULES,
    waiting: int = WAITING,
) -> Flask:
    """The WSGI application for a guideline: a library and its rules.

    ``waiting`` is how many calls may wait for FHIR servers at once: fewer than there are threads.
    ``counts`` is the folder in which several processes keep their counts; by default each counts for itself.

    Without records it keeps nothing, answers feedback with 503, and remembers used tokens for this process alone.
    Raises FaultyLibrary when the cards cannot be used as they are, FaultyTrustFile when the clients cannot, and
    SettingsError when settings do not go together.
    """
    library = library or load()
    app = Flask("tolami", static_folder=None)
    app.url_map.strict_slashes = False  # a slash at the end of an address means the same address
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["MAX_FORM_MEMORY_SIZE"] = settings.max_body_bytes
    published = services(library.plan.services, library.terminology.loinc)
    public_url = settings.public_url or LOCAL
    metrics = Metrics(closed_sets(library, published), counts)
    metrics.serving(library.version)
    hooks = {service.id: service.hook for service in published}
    in_the_open = settings.auth == "open"
    app.wsgi_app = Middleware(  # type: ignore[method-assign]
        app=app.wsgi_app,
        metrics=metrics,
        hooks=hooks,
        new_id=new_uuid,
        prefix=urlsplit(public_url).path.rstrip("/"),
        private_network=in_the_open,
    )
    fhir = FhirAccess(
        prefetch_templates(library.terminology.loinc),
        settings.fhir_deadline,
        loopback=settings.http_loopback,
        ca_file=settings.fhir_ca_file,
        observers=[metrics.fetched],
        waiting=waiting,
    )
    clients = clients_of(settings.trust_file)
    editions = Editions(Guideline(library, rules), public_url, policies_of(settings.policy, clients, library))
    guideline, renderer = editions.of(EVERYBODY, today())
    decision = Decision(guideline, renderer, today, new_id, settings.jurisdiction, fhir, editions=editions)
    used = SeenInMemory(now) if records is None else SeenEverywhere(records.tokens, SeenInMemory(now))
    tokens = token_check(settings, clients, used, now, time.monotonic)
    opened = ("/insights", "/insights.csv") if settings.open_pages else ()
    guard(app, Caller(clients.without_token), tokens, settings.public_url, metrics.refused, opened)
    app.extensions["decision"] = decision
    app.extensions["metrics"] = metrics
    app.register_blueprint(discovery(published))
    if records is not None:
        records.writer.observers.append(metrics.recorded)
    recording = [] if records is None else [records.writer.add]
    observe = observing(decision, now, [metrics.exchanged, *recording])
    reasons = offered_reasons(library, public_url)
    keep_for = partial(keeping, records, now, reasons=reasons, keep_comments=settings.keep_comments)
    app.register_blueprint(invoke(published, decision, observe, partial(answered_before, records, now)))
    app.register_blueprint(feedback(published, keep_for([metrics.feedback_kept])))
    shown = [("Guidance", "/guidance"), ("API", "/api")]
    if settings.auth == "open" or settings.open_pages:
        shown = [("Playground", "/playground"), shown[0], ("Insights", "/insights"), shown[1]]
        app.register_blueprint(playground(decision, keep_for([]), observing(decision, now, recording)))
    app.register_blueprint(pages(published, decision, public_url.rstrip("/"), shown, token_required=not in_the_open))
    app.register_blueprint(insights(records, library, today))
    app.register_blueprint(api())
    if settings.demo and settings.auth == "open" and (patients := library.patients):
        app.register_blueprint(demo(patients))
    app.register_blueprint(contract(published, library, public_url, token_required=settings.auth == "required"))
    app.register_blueprint(operations(checks_of(library, records), library.version, metrics))
    register_errors(app)
    return app


def offered_reasons(library: Library, public_url: str) -> dict[str, frozenset[str]]:
    """The override reasons that cards may offer, by their system."""
    own = f"{public_url.rstrip('/')}{CODE_SYSTEMS}/{OVERRIDE_REASONS}"
    return {
        library.override_system: frozenset(library.override_reasons),
        own: frozenset(library.code_systems[OVERRIDE_REASONS].displays),
    }


def checks_of(library: Library, records: Records | None) -> list[Check]:
    """What the service rests on. Without its database it still gives cards."""
    guidance = Check("guidance", lambda: "" if library.cards else "no card is loaded")
    if records is None:
        return [guidance]
    return [guidance, Check("database", lambda: "" if records.database.available() else "cannot be used", needed=False)]


def closed_sets(library: Library, published: Sequence[Service]) -> dict[str, frozenset[str]]:
    """The values of metric labels that the guidance and the services determine."""
    return {
        "hook": frozenset(service.hook for service in published),
        "card": frozenset(library.cards),
        "reason": frozenset(library.cards["not-checked"].reasons),
        "refusal": frozenset(Reason),
        "key": frozenset(key for service in published for key in service.prefetch) | {"Medication"},
        "fetched": frozenset(Failure) | frozenset(State),
    }
