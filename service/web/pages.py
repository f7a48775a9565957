"""The pages that explain the service: home, guidance, and the page behind every card. Plain HTML, no script."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.metadata import version as release_of
from typing import Any

from flask import Blueprint, Response, abort, current_app, render_template, request
from markdown_it import MarkdownIt
from markupsafe import Markup

from service.cdshooks.services import Service
from service.decide import Decision
from service.engine.catalogue import in_order, statements
from service.engine.concerns import Concern, concerns_of
from service.engine.editions import EVERYBODY
from service.engine.finding import Threshold
from service.engine.rendering import CODE_SYSTEMS, LOCAL
from service.engine.review import open_reason
from service.jsonio import encode
from service.web.demo import ADDRESS, introduced, sandbox_link
from service.web.fixtures import EXPRESSION, Examples, answered, examples_of, fixtures

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

POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self';" + (
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


def markdown(text: str) -> Markup:
    """The detail of a card as HTML. HTML inside it stays text."""
    return Markup(_markdown.render(text))  # noqa: S704  (the renderer escapes everything but Markdown)


def amount(threshold: Threshold) -> str:
    """A threshold with its unit in words: "35 days"."""
    one, many = UNITS.get(threshold.unit, (threshold.unit, threshold.unit))
    number = str(replace(threshold, unit=""))
    return f"{number} {one if threshold.value == 1 else many}".strip()


def pages(
    services: Sequence[Service],
    using: Decision,
    public_url: str,
    menu: Sequence[tuple[str, str]],
    *,
    token_required: bool,
) -> Blueprint:
    """The blueprint of the pages. ``menu`` names the other pages that this service shows, with their addresses."""
    blueprint = Blueprint("pages", __name__, template_folder="templates", static_folder="static")
    library = using.library
    changes = using.editions.policies.get(EVERYBODY, ()) if using.editions is not None else ()

    @cache
    def examples(card_id: str) -> Examples:
        return examples_of(library.cards[card_id], using)

    @blueprint.app_context_processor
    def common() -> dict[str, Any]:
        return {
            "version": library.version,
            "release": release_of("tolami"),
            "menu": menu,
            "notice": library.plan.notice,
            "compared": bool(library.statements),
            "playground": "playground" in current_app.blueprints,
        }

    for convert in (markdown, amount):
        blueprint.add_app_template_filter(convert)

    blueprint.add_url_rule("/", "home", home(services, using, public_url, token_required=token_required))

    @blueprint.get("/favicon.ico")
    def icon() -> Response:
        return blueprint.send_static_file("favicon.svg")

    @blueprint.get("/guidance", strict_slashes=False)
    def guidance() -> str:
        ordered = in_order(library)
        rows = [(card, examples(card.id).most_urgent) for card in ordered]
        subjects = list(dict.fromkeys(card.file.partition("/")[0] for card in ordered))
        return render_template("guidance.html", cards=rows, subjects=subjects, statements=list(statements(library)))

    @blueprint.get("/guidance/<card_id>", strict_slashes=False)
    def card(card_id: str) -> str:
        found = library.cards.get(card_id)
        if found is None:
            abort(404)
        shipped = fixtures(library)
        return render_template(
            "card.html",
            card=found,
            evidence=found.sections.get("evidence", ""),
            open=open_reason(using.guideline, card_id, using.today()),
            policy=[change for change in changes if change.card == card_id],
            examples=examples(card_id),
            raised_by=[
                (_found(kind, found.reasons[kind]), _urgency(row))
                for kind, row in concerns_of(found.thresholds).items()
            ],
            numbers=[(library.number_words[card_id][name], number) for name, number in found.thresholds.items()],
            sources=[library.sources[key] for key in found.sources],
            statements=[library.statements[key] for key in found.statements],
            silent=[fixture for path in found.examples.get("silent", ()) if (fixture := shipped.get(path))],
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


def home(services: Sequence[Service], using: Decision, public_url: str, *, token_required: bool) -> Callable[[], str]:
    """The view of the home page: what this is, a card at once, and the way to everything else."""
    library, plan = using.library, using.library.plan

    @cache
    def first_card() -> dict[str, Any] | None:
        first = fixtures(library).get(plan.example)
        return next(iter(answered(first, using)), None) if first is not None else None

    def view() -> str:
        base = request.host_url.rstrip("/") if public_url == LOCAL else public_url
        folder = library.patients if "demo" in current_app.blueprints else None
        patients = list(introduced(folder, base)) if folder else []
        openable = not token_required and "order-select" in plan.services
        return render_template(
            "home.html",
            title=f"{plan.title}, at order entry",
            description=plan.description,
            services=services,
            base=base,
            token_required=token_required,
            sandbox="" if not openable else patients[0].link if patients else sandbox_link(base),
            sample=library.sample,
            sample_hook=(library.sample_request or {}).get("hook"),
            patients=patients,
            fhir=ADDRESS,
            first=plan.example,
            drug=using.library.terminology.titles[plan.subjects[0]],
            example=first_card(),
        )

    return view


def hardened(response: Response) -> Response:
    """The headers of a page: nothing from elsewhere, no frame around it."""
    response.headers.setdefault("Content-Security-Policy", POLICY)
    if response.status_code == 200 and request.method == "GET":
        response.headers.setdefault("Cache-Control", "public, max-age=300")
    return response


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
