"""A page behind every card, and the list of all cards and statements: plain HTML, printable, without script."""

from flask import Blueprint, Response, abort, render_template

from service.engine.catalogue import in_order, statements
from service.engine.library import Library
from service.engine.rendering import CODE_SYSTEMS
from service.guidance.registry import RULES
from service.jsonio import encode

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

READ = {
    "whole": "read in whole",
    "part": "read in part",
    "copy": "read in a copy on another site",
    "not opened": "not opened; quoted from general knowledge",
}


def pages(library: Library, public_url: str) -> Blueprint:
    """The blueprint of the pages and the code systems of cards; what they show changes only with the guidance."""
    blueprint = Blueprint("pages", __name__, template_folder="templates")

    @blueprint.get("/guidance")
    def index() -> str:
        return render_template(
            "guidance.html",
            cards=[(card, card.raised_when) for card in in_order(library, RULES)],
            statements=list(statements(library)),
            version=library.version,
        )

    @blueprint.get("/guidance/<card_id>")
    def card(card_id: str) -> str:
        found = library.cards.get(card_id) or library.line_cards.get(card_id)
        if found is None:
            abort(404)
        return render_template(
            "card.html",
            card=found,
            when=found.raised_when,
            labels=LABELS,
            read=READ,
            sources=[library.sources[key] for key in found.sources],
            statements=[library.statements[key] for key in found.statements],
            version=library.version,
        )

    @blueprint.get(f"{CODE_SYSTEMS}/<name>")
    def code_system(name: str) -> Response:
        found = library.code_systems.get(name)
        if found is None:
            abort(404)
        address = f"{public_url}{CODE_SYSTEMS}/{name}"
        return Response(encode({**found.resource, "url": address}), content_type="application/fhir+json")

    @blueprint.after_request
    def harden(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
        )
        if response.status_code == 200:
            response.headers["Cache-Control"] = "public, max-age=300"
        return response

    return blueprint
