"""``/api``: the OpenAPI description, to read and to try in the browser, with the viewer that a package carries."""

from importlib.resources import files
from pathlib import Path

from flask import Blueprint, Response, render_template, send_from_directory

from service.web.pages import POLICY

VIEWER = Path(str(files("flask_swagger_ui") / "dist"))
SERVED = ("swagger-ui-bundle.js", "swagger-ui.css")

VIEWER_POLICY = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace(
    "img-src 'self'", "img-src 'self' data:"
)
"""The viewer styles its elements one by one and draws with data addresses; scripts stay those of this service."""


def api() -> Blueprint:
    """The blueprint of the viewer."""
    blueprint = Blueprint("api", __name__, template_folder="templates")

    @blueprint.get("/api", strict_slashes=False)
    def view() -> Response:
        page = Response(render_template("api.html"))
        page.headers["Content-Security-Policy"] = VIEWER_POLICY
        return page

    @blueprint.get(f"/api/<any({','.join(map(repr, SERVED))}):name>")
    def part(name: str) -> Response:
        return send_from_directory(VIEWER, name, max_age=86400)

    return blueprint
