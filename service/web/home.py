"""The home page: what this is, a card at once, and the way to everything else."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from flask import current_app, render_template, request

from service.cdshooks.services import Service
from service.decide import Decision
from service.engine.rendering import LOCAL
from service.web.demo import ADDRESS, introduced, sandbox_link
from service.web.examples import answered
from service.web.fixtures import fixtures

TILES = {
    "Playground": "Send a request and see its cards as an EHR shows them; accept, override, leave prefetch out.",
    "Guidance": "Every card with the article against its sources, its numbers, and when it stays silent.",
    "Insights": "Which cards are shown, accepted and overridden, and why. No patient data.",
    "API": "Every address of the service, described and to try out.",
}
OPERATIONS = (
    ("Discovery", "/cds-services", "what an EHR reads first"),
    ("OpenAPI", "/openapi.json", "every address of the service"),
    ("Schemas", "/schemas/", "JSON Schemas of every message"),
    ("Health", "/readyz", "ready, degraded or not ready, and why"),
    ("Metrics", "/metrics", "counts in Prometheus' text format"),
)


def home(
    services: Sequence[Service],
    using: Decision,
    public_url: str,
    menu: Sequence[tuple[str, str]],
    *,
    token_required: bool,
) -> Callable[[], str]:
    """The view of the home page. ``menu`` names the pages that this service shows, with their addresses."""
    plan = using.library.plan

    @lru_cache(maxsize=1)
    def first_card() -> dict[str, Any] | None:
        first = fixtures().get(plan.example)
        return next(iter(answered(first, using)), None) if first is not None else None

    def view() -> str:
        base = request.host_url.rstrip("/") if public_url == LOCAL else public_url
        patients = list(introduced(base)) if "demo" in current_app.blueprints else []
        return render_template(
            "home.html",
            title=f"{plan.title}, at order entry",
            services=services,
            base=base,
            sandbox="" if token_required else patients[0].link if patients else sandbox_link(base),
            patients=patients,
            fhir=ADDRESS,
            first=plan.example,
            drug=using.library.terminology.titles[plan.subjects[0]],
            example=first_card(),
            tiles=[(name, address, TILES[name]) for name, address in menu],
            operations=OPERATIONS,
        )

    return view
