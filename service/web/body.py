"""The body of a call: JSON by its headers, whole, and within the size that the service accepts."""

from flask import abort, request

JSON_TYPES = frozenset({"application/json", "application/fhir+json"})
CHARSETS = frozenset({"utf-8", "utf8"})


def json_body() -> bytes:
    """The raw body of the present request.

    Ends the request with 415 when its headers say that it is no JSON, is in another character set than UTF-8 or
    compressed, and with 413 when it is larger than ``MAX_CONTENT_LENGTH``, whether or not its length was announced.
    """
    charset = request.mimetype_params.get("charset", "utf-8")
    if request.mimetype not in JSON_TYPES or charset.lower() not in CHARSETS or request.content_encoding:
        abort(415)
    limit = request.max_content_length
    if limit is not None:
        # A body sent in pieces is cut at the limit in silence. One byte more tells it from one that ends there.
        request.max_content_length = limit + 1
    body = request.get_data(cache=False)
    if limit is not None and len(body) > limit:
        abort(413)
    return body
