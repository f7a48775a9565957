"""The body of a call: JSON by its headers, whole, and within the size that the service accepts."""

from flask import abort, current_app, request

JSON_TYPES = frozenset({"application/json", "application/fhir+json", "application/json+fhir"})
"""The last is DSTU2's."""

CHARSETS = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
"""UTF-8, and what is part of it."""


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
