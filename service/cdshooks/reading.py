"""Reads the body of a call as a typed message, or says what is wrong with it and where, repeating no value."""

import re
from codecs import BOM_UTF8
from typing import TypeVar

import msgspec
from msgspec import Raw

from service.cdshooks.messages import CONTEXTS, Context, HookRequest
from service.errors import NotConformant, NotParsable
from service.jsonio import without_lone_surrogates

Message = TypeVar("Message")
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_SPLIT = re.compile(r"(.*?)(?: - at `\$([^`]*)`)?", re.DOTALL)
_ENUM = re.compile(r"Invalid enum value .*", re.DOTALL)
"""msgspec repeats a value that is not in an enumeration; our errors repeat nothing that was sent."""


def read_request(body: bytes) -> HookRequest:
    """The envelope of a call.

    Raises NotParsable when the body is not JSON, NotConformant when a required member is missing or of the
    wrong type, or fhirAuthorization came without fhirServer (cds-r-1); both name the member.
    """
    request = read_body(body, HookRequest)
    if request.fhirAuthorization is not None and not request.fhirServer:
        raise NotConformant(
            "fhirAuthorization came without fhirServer. Send the server that the token is for, or leave both out.",
            "$.fhirServer",
        )
    return request


def read_context(request: HookRequest, hook: str) -> Context:
    """The context of a call of this hook. Raises NotConformant when the request's hook is another one.

    A user that stands beside the context, as in drafts before version 1.0, is understood.
    """
    if request.hook != hook:
        raise NotConformant(
            f"This service answers the hook '{hook}'. Send the request to the service of its own hook;"
            " discovery lists them.",
            "$.hook",
        )
    try:
        return _decode(request.context, CONTEXTS[hook], "$.context")
    except NotConformant as refused:
        if refused.expression != "$.context.userId" or not isinstance(request.user, str):
            raise
        members = msgspec.json.decode(request.context, type=dict[str, Raw])
        if bytes(members.get("userId", b"null")) != b"null":
            raise
    whole = msgspec.json.encode({**members, "userId": request.user})
    return _decode(whole, CONTEXTS[hook], "$.context")


def read_body(body: bytes, message: type[Message]) -> Message:
    """The body of a call as a message of this type. Raises NotParsable and NotConformant."""
    body = body.removeprefix(BOM_UTF8)
    start = body.lstrip()[:1]
    if not start:
        raise NotParsable("The request has no body. Send the CDS Hooks request as a JSON object.")
    try:
        # What stays raw is not looked at now, and must not turn out later to be no text at all.
        body.decode()
    except UnicodeDecodeError as error:
        raise NotParsable(f"The request is not valid JSON: it is not UTF-8 (byte {error.start}).") from None
    if start != b"{":
        raise NotParsable("The request is not a JSON object. Send the CDS Hooks request as one.")
    try:
        return _decode(body, message, "$")
    except NotParsable:
        return _decode(without_lone_surrogates(body), message, "$")


def _decode(body: bytes | Raw, message: type[Message], root: str) -> Message:
    try:
        return msgspec.json.decode(body, type=message)
    except msgspec.ValidationError as error:
        problem, path = _SPLIT.fullmatch(str(error)).groups("")  # type: ignore[union-attr]  # matches any text
        where = root + path
        missing = _MISSING.fullmatch(problem)
        if missing is not None:
            where = f"{where}.{missing[1]}"
            raise NotConformant(f"The required member {where} is missing.", where) from None
        problem = _ENUM.sub("Expected one of the values that the specification lists", problem)
        raise NotConformant(f"{problem.replace('`', chr(39))}, at {where}.", where) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        reason = str(error).replace("`", "'")
        raise NotParsable(f"The request is not valid JSON: {reason}") from None
    except RecursionError:
        raise NotParsable("The request is nested too deeply to be read.") from None
