"""The pages that explain the service: home, guidance, and the page behind every card. Plain HTML, no script."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from importlib.metadata import version as release_of
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, abort, current_app, render_template, request
from markdown_it import MarkdownIt
from markupsafe import Markup

from service.cdshooks.messages import EXTENSION
from service.cdshooks.services import Service
from service.decide import Decision, decide
from service.engine.catalogue import in_order, statements
from service.engine.editions import EVERYBODY
from service.engine.finding import Concern, Threshold, concerns_of
from service.engine.library import CardFile
from service.engine.rendering import CODE_SYSTEMS, LOCAL
from service.engine.review import open_reason
from service.jsonio import encode
from service.web.fixtures import Fixture, fixtures

LABELS = {
    "drugs": "Drugs",
    "consequence": "What can happen",
    "seriousness": "How serious",
    "classification": "Class of action",
    "action": "Recommended",
    "mechanism": "Why it happens",
    "modifying_factors": "What changes the risk",
    "evidence": "Evidence",
    "exposure_frequency": "How often both are given",
    "harm_frequency": "How often harm follows",
}
"""PDDI's items in words, in the order in which they are shown."""

UNITS = {
    "d": ("day", "days"),
    "wk": ("week", "weeks"),
    "mo": ("month", "months"),
    "a": ("year", "years"),
    "h": ("hour", "hours"),
    "mm[Hg]": ("mmHg", "mmHg"),
    "meq/L": ("mEq/L", "mEq/L"),
    "mg/kg": ("mg per kg", "mg per kg"),
}
"""UCUM units in words, for one and for many."""

READ = {
    "whole": "read in whole",
    "part": "read in part",
    "copy": "read in a copy on another site",
    "not opened": "not opened; quoted from general knowledge",
}

SANDBOX = "https://sandbox.cds-hooks.org/?serviceDiscoveryURL={}&hook=order-select&screen=rx-view"
FIRST = "order-select/amitriptyline-25-mg-for-patient-on-tolperisone"
"""The fixture that a newcomer sees first: it raises the card about the pair."""

POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self';" + (
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
EXPRESSION = re.compile(r"{{.*?}}")
INDICATORS = ("info", "warning", "critical")
MOST_EXAMPLES = 6
"""Examples of a card that its page answers and shows."""

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


def markdown(text: str) -> Markup:
    """The detail of a card as HTML. HTML inside it stays text."""
    return Markup(_markdown.render(text))  # noqa: S704  (the renderer escapes everything but Markdown)


def amount(threshold: Threshold) -> str:
    """A threshold with its unit in words: "35 days"."""
    one, many = UNITS.get(threshold.unit, (threshold.unit, threshold.unit))
    number = str(replace(threshold, unit=""))
    return f"{number} {one if threshold.value == 1 else many}".strip()


def pages(services: Sequence[Service], using: Decision, public_url: str, menu: Sequence[tuple[str, str]]) -> Blueprint:
    """The blueprint of the pages. ``menu`` names the other pages that this service shows, with their addresses."""
    blueprint = Blueprint("pages", __name__, template_folder="templates", static_folder="static")
    library = using.library
    changes = using.editions.policies.get(EVERYBODY, ()) if using.editions is not None else ()
    live = lru_cache(maxsize=None)(partial(_live, using))

    @blueprint.app_context_processor
    def common() -> dict[str, Any]:
        return {"version": library.version, "menu": menu}

    for convert in (markdown, amount):
        blueprint.add_app_template_filter(convert)

    @blueprint.get("/")
    def home() -> str:
        base = request.host_url.rstrip("/") if public_url == LOCAL else public_url
        return render_template(
            "home.html",
            title=f"{library.plan.title}, at order entry",
            services=services,
            base=base,
            sandbox=SANDBOX.format(quote(f"{base}/cds-services", safe="")),
            playground="playground" in current_app.blueprints,
            first=FIRST,
            release=release_of("tolami"),
            tiles=[(name, address, TILES[name]) for name, address in menu] + OPERATIONS,
        )

    @blueprint.get("/favicon.ico")
    def icon() -> Response:
        return blueprint.send_static_file("favicon.svg")

    @blueprint.get("/guidance", strict_slashes=False)
    def guidance() -> str:
        ordered = in_order(library)
        rows = [(card, _most_urgent(live(card.id))) for card in ordered]
        return render_template(
            "guidance.html", cards=rows, subjects=_subjects(ordered), statements=list(statements(library))
        )

    @blueprint.get("/guidance/<card_id>", strict_slashes=False)
    def card(card_id: str) -> str:
        found = library.cards.get(card_id)
        if found is None:
            abort(404)
        return render_template(
            "card.html",
            card=found,
            evidence=found.sections.get("evidence", ""),
            open=open_reason(using.guideline, card_id, using.today()),
            policy=[change for change in changes if change.card == card_id],
            live=live(card_id),
            raised_by=[
                (_found(kind, found.reasons[kind]), _urgency(row))
                for kind, row in concerns_of(found.thresholds).items()
            ],
            numbers=[(library.numbers.of(card_id, name), number) for name, number in found.thresholds.items()],
            labels=LABELS,
            read=READ,
            sources=[library.sources[key] for key in found.sources],
            statements=[library.statements[key] for key in found.statements],
            silent=[fixture for path in found.examples.get("silent", ()) if (fixture := fixtures().get(path))],
        )

    @blueprint.get(f"{CODE_SYSTEMS}/<name>")
    def code_system(name: str) -> Response:
        system = library.code_systems.get(name)
        if system is None:
            abort(404)
        address = f"{public_url}{CODE_SYSTEMS}/{name}"
        return Response(encode({**system.resource, "url": address}), content_type="application/fhir+json")

    blueprint.after_request(hardened)
    return blueprint


TILES = {
    "Playground": "Send a request, see its cards as an EHR shows them, accept, override, drop prefetch.",
    "Guidance": "Every card with the article against its sources, its numbers, and when it stays silent.",
    "Insights": "Which cards are shown, accepted and overridden, and why. No patient data.",
    "API": "The OpenAPI description, documented and to try out.",
}
OPERATIONS = [
    ("Discovery", "/cds-services", "What an EHR reads first."),
    ("Schemas", "/schemas/", "JSON Schemas of every message."),
    ("Health", "/readyz", "Ready, degraded or not ready, and why."),
]


def hardened(response: Response) -> Response:
    """The headers of a page: nothing from elsewhere, no frame around it."""
    response.headers.setdefault("Content-Security-Policy", POLICY)
    if response.status_code == 200 and request.method == "GET":
        response.headers.setdefault("Cache-Control", "public, max-age=300")
    return response


def _live(using: Decision, card_id: str) -> list[tuple[Fixture, dict[str, Any]]]:
    """What the service answers now to the fixtures that raise a card: those cards, each text once."""
    card = using.library.cards.get(card_id)
    shown: dict[str, tuple[Fixture, dict[str, Any]]] = {}
    for path in card.examples.get("fires", ()) if card else ():
        fixture = fixtures().get(path)
        if fixture is None:
            continue
        for given in _cards(using, fixture):
            own = given["extension"][EXTENSION]
            if own["card"] == card_id:
                shown.setdefault(given["summary"], (fixture, given))
    return list(shown.values())[:MOST_EXAMPLES]


def _cards(using: Decision, fixture: Fixture) -> list[dict[str, Any]]:
    given = replace(using, today=lambda: fixture.day or using.today(), fhir=None)
    answer: dict[str, Any] = json.loads(encode(decide(fixture.text.encode(), fixture.hook, given)))
    return list(answer["cards"])


def _most_urgent(shown: Sequence[tuple[Fixture, dict[str, Any]]]) -> str:
    """The most urgent indicator among a card's examples; empty without one."""
    return max((given["indicator"] for _, given in shown), key=INDICATORS.index, default="")


def _urgency(row: Concern) -> str:
    """How urgent what a row names is: everywhere, then where it is otherwise, as in "critical; US: warning"."""
    by_place = [f"{place.upper()}: {indicator.word}" for place, indicator in row.urgency.items() if place]
    milder = [
        f"{place.upper()}: warning for {' or '.join(map(named, sorted(kinds)))}"
        for place, kinds in sorted(row.milder.items())
    ]
    return "; ".join([row.urgency[""].word, *by_place, *milder])


def named(key: str) -> str:
    """A key of a file in words: "heart-block" is "heart block"."""
    return key.replace("-", " ")


def _found(kind: str, row: Mapping[str, Any]) -> str:
    """What a row names, as its card does; what depends on the patient is left open."""
    return EXPRESSION.sub("…", row.get("short", named(kind)))


def _subjects(cards: Sequence[CardFile]) -> list[str]:
    return list(dict.fromkeys(card.file.partition("/")[0] for card in cards))
