"""Identifies the caller from the address and headers alone, before the body is read (C-134).

With ``auth = required`` every address needs a token, even one that does not exist, but for the few of
``WITHOUT_TOKEN``. Forgetting to list a new address there keeps it closed.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import structlog
from flask import Flask, g, request

from service.dates import utc_now
from service.engine.rendering import CODE_SYSTEMS
from service.errors import NotTrusted
from service.server_timing import timed
from service.settings import Settings, SettingsError
from service.trust.callers import Caller, Reason, Refused
from service.trust.clients import Clients, clients_of, is_loopback
from service.trust.used_tokens import SeenInMemory, SeenTokens
from service.web.middleware import call_of

if TYPE_CHECKING:
    from service.trust.tokens import TokenCheck

PAGES = ("/", "/favicon.ico", "/static", "/api", "/playground", "/guidance")
WITHOUT_TOKEN = (*PAGES, CODE_SYSTEMS, "/schemas", "/openapi.json", "/healthz", "/readyz", "/metrics")
"""Addresses, with all below them, that anybody may read: they hold nothing of any call but counts."""

_FEEDBACK = re.compile(r"(/cds-services/[^/]+)/feedback/?")

log = structlog.get_logger()


def token_check(
    settings: Settings,
    clients: Clients,
    seen: SeenTokens,
    now: Callable[[], datetime],
    clock: Callable[[], float],
) -> "TokenCheck | None":
    """The check of tokens; None where none are required. ``clock`` gives the age of fetched keys.

    Raises SettingsError when a setting that it needs is missing or wrong, FaultyTrustFile when a client's keys
    cannot be used or nobody could call.
    """
    if settings.auth == "open":
        return None
    # Here, because what checks signatures takes a while to import.
    from service.trust.keyring import open_keyring
    from service.trust.remote import RemoteKeys, fetch
    from service.trust.tokens import TokenCheck

    if not settings.trust_file:
        raise SettingsError("TOLAMI_AUTH is required, so TOLAMI_TRUST_FILE must name the clients; see docs/trust.md")
    address = urlsplit(settings.public_url)
    if address.scheme != "https" and not is_loopback(address.hostname or ""):
        raise SettingsError(
            "TOLAMI_AUTH is required, so TOLAMI_PUBLIC_URL must be the https address that clients call:"
            " their tokens name it"
        )
    algorithms = settings.token_algorithms
    remote = RemoteKeys(clock, partial(fetch, ca_file=settings.jwks_ca_file))
    keys = open_keyring(clients, remote, algorithms, loopback=settings.http_loopback)
    used = seen if settings.jwt_replay_check else None
    return TokenCheck(clients, keys.key, used, now, settings.jwt_leeway, algorithms)


def check_access(settings: Settings) -> None:
    """Raises SettingsError or FaultyTrustFile where ``create_app`` would, without making an application."""
    token_check(settings, clients_of(settings.trust_file), SeenInMemory(utc_now), utc_now, lambda: 0.0)


def guard(
    app: Flask,
    without_token: Caller,
    tokens: "TokenCheck | None",
    public_url: str,
    note_refusal: Callable[[Reason], None],
    opened: Sequence[str] = (),
) -> None:
    """Has every request checked; without ``tokens`` everybody is ``without_token``.

    ``note_refusal`` must not raise or block; ``opened`` are further addresses that anybody may read.
    """

    def check() -> None:
        call = call_of(request.environ)
        call.endpoint = request.blueprint or "none"
        call.service = (request.view_args or {}).get("service_id", "")
        if tokens is None:
            g.caller = without_token
            return
        # A browser asks first, and cannot send a token with that (L-28). Nothing but the answer to it is behind.
        if request.method == "OPTIONS" or _is_open((*WITHOUT_TOKEN, *opened)):
            return
        try:
            with timed("token"):
                g.caller = tokens.caller(request.headers.getlist("Authorization"), audiences(public_url, request.path))
        except Refused as refused:
            address = request.url_rule.rule if request.url_rule else ""
            log.warning("token refused", reason=refused.reason.value, address=address, **refused.facts)
            note_refusal(refused.reason)
            raise NotTrusted from None

    app.before_request(check)


def caller() -> Caller:
    """Who sent the request that is being answered."""
    return cast(Caller, g.caller)


def audiences(public_url: str, path: str) -> list[str]:
    """What ``aud`` may be for a path: its URL as clients know it, with or without one slash at the end.

    For feedback, the URL of the service is accepted as well, since the specification does not say which (L-23).
    """
    feedback = _FEEDBACK.fullmatch(path)
    paths = (path.rstrip("/"), feedback[1]) if feedback else (path.rstrip("/"),)
    urls = [public_url.rstrip("/") + path for path in paths]
    return [form for url in urls for form in (url, f"{url}/")]


def _is_open(addresses: Sequence[str]) -> bool:
    """True for an existing address that needs no token, by its route and not by what the path looks like."""
    rule = request.url_rule.rule if request.url_rule else ""
    return any(rule == address or rule.startswith(f"{address}/") for address in addresses)
