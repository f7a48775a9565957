"""The one place that turns anything that went wrong into an OperationOutcome (C-107)."""

from http import HTTPStatus

import structlog
from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from service.cdshooks.messages import operation_outcome
from service.errors import ServiceError, place_of
from service.web.pages import hardened

log = structlog.get_logger()

ADVICE = {
    400: (
        "structure",
        "The request is not one that this service understands. Check the client or the proxy in front.",
    ),
    404: (
        "not-found",
        "There is nothing at this address. Discovery is at GET /cds-services and lists every service.",
    ),
    405: (
        "not-supported",
        "This address does not support this method. Services are called with POST, discovery with GET.",
    ),
    413: (
        "too-long",
        "The request body is larger than this service accepts. Send only the prefetch that discovery asks for.",
    ),
    415: (
        "not-supported",
        "Send the request as JSON in UTF-8, not compressed: Content-Type: application/json, no Content-Encoding.",
    ),
}
"""Of what HTTP itself refuses: the code of the OperationOutcome, and what to do."""


PAGE_ADVICE = {404: "There is no page at this address. The home page lists what there is."}
"""The same for who reads a page."""


def _browser_asks() -> bool:
    """True for a browser that looks for a page, not for a client of a service."""
    wanted = request.accept_mimetypes.best_match(["application/json", "text/html"])
    reads = request.method == "GET" and not request.path.startswith("/cds-services")
    return wanted == "text/html" and (reads or request.blueprint == "playground")


def _answer(status: int, code: str, message: str, expression: str = "", *, heading: str, words: str = "") -> Response:
    """The HTTP answer of an error: an OperationOutcome, or a page with a heading and other words."""
    if _browser_asks():
        return hardened(Response(render_template("error.html", heading=heading, message=words or message), status))
    return Response(operation_outcome(code, message, expression), status, mimetype="application/json")


def register_errors(app: Flask) -> None:
    """Registers the handlers of all errors with the application."""

    def service_error(error: ServiceError) -> Response:
        heading = HTTPStatus(error.status).phrase
        response = _answer(error.status, error.code, error.message, error.expression, heading=heading)
        response.headers.update(error.headers)
        return response

    def http_error(error: HTTPException) -> Response:
        status = error.code or 500
        code, message = ADVICE.get(status, ("processing", error.name))
        response = _answer(status, code, message, heading=error.name, words=PAGE_ADVICE.get(status, ""))
        for name, value in error.get_headers(request.environ):
            if name.lower() == "allow":
                response.headers[name] = value
        return response

    def unexpected(error: Exception) -> Response:
        # Type and place only: the message of an exception may repeat what the request held.
        log.error("unexpected error", error=type(error).__name__, place=place_of(error))
        message = "The service failed; nothing was checked. The failure has been logged."
        words = "The failure has been logged. Cards are given all the same."
        return _answer(500, "exception", message, heading="This page failed", words=words)

    app.register_error_handler(ServiceError, service_error)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, unexpected)
