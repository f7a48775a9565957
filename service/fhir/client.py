"""One FHIR server with the token of one call: which addresses of it may be read, and the reading of one of them.

CDS Hooks 2.0.1 "FHIR Resource Access". The addresses come from requests, so nobody is believed: an address must lie
within what the trust file allows for the client and within ``fhirServer``, or the token is not sent there.
"""

import re
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urljoin

import requests
from urllib3.exceptions import HTTPError, ProtocolError, ReadTimeoutError
from urllib3.util import Timeout

from service.fhir.fetch_errors import Failure, Unfetched
from service.fhir.resources import Resource, resource
from service.trust.clients import Client, lies_within

MOST_BYTES = 4 * 1024 * 1024
"""Bytes read of one answer."""

_CHUNK = 64 * 1024
_ID = re.compile(r"[A-Za-z0-9._~:=+@-]{1,255}")
"""Ids that may stand in an address: FHIR's and what real servers use; nothing that means something there."""

_PATIENT = "{{context.patientId}}"


def usable_id(identity: str) -> bool:
    """True for an id that can be part of an address without changing its meaning."""
    return _ID.fullmatch(identity) is not None and identity not in {".", ".."}


@dataclass(frozen=True, slots=True)
class FhirServer:
    """The server at ``base``, called for a client. ``loopback`` allows plain http to this machine."""

    base: str
    token: str = field(repr=False)
    client: Client
    loopback: bool
    session: requests.Session = field(repr=False)

    @property
    def allowed(self) -> bool:
        """True when the server may be called for the client at all."""
        return not set("?#") & set(self.base) and self.may_read(self.base)

    def may_read(self, url: str) -> bool:
        """True when the token may be sent to this address: below the server, and allowed for the client."""
        return lies_within(url, self.base) and self.client.may_fetch(url, loopback=self.loopback)

    def query(self, template: str, patient_id: str) -> str:
        """The address of a prefetch template for a patient."""
        relative = quote(template, safe="/?&=,:{}").replace(_PATIENT, quote(patient_id, safe=""))
        return f"{self.base.rstrip('/')}/{relative}"

    def medication(self, target: str) -> str:
        """The address of the Medication that a reference names; empty unless it is one of this server."""
        root = f"{self.base.rstrip('/')}/"
        kind, _, rest = target.removeprefix(root).partition("/")
        identity = rest.partition("/_history/")[0]
        return f"{root}Medication/{quote(identity, safe='')}" if kind == "Medication" and usable_id(identity) else ""

    def next_page(self, link: str, page: str) -> str:
        """The address of a ``next`` link, which may be relative to its page. Raises Unfetched."""
        try:
            url = urljoin(page, link)
        except ValueError:
            url = ""
        if not self.may_read(url):
            raise Unfetched(Failure.NEXT_ELSEWHERE)
        return url

    def read(self, url: str, until: float) -> Resource:
        """The resource at an address, all of it before a moment (``time.monotonic``). Raises Unfetched."""
        if not self.may_read(url):
            raise Unfetched(Failure.NOT_ALLOWED)
        found = resource(self._body(url, until))
        if found is None:
            raise Unfetched(Failure.UNREADABLE)
        return found

    def _body(self, url: str, until: float) -> bytes:
        try:
            return self._once(url, until)
        except requests.ConnectionError as error:
            # A kept connection that the server has closed meanwhile: nothing was answered, so ask on a new one.
            if not _closed(error) or time.monotonic() >= until:
                raise Unfetched(_failure(error, until)) from None
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise Unfetched(_failure(error, until)) from None
        try:
            return self._once(url, until)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise Unfetched(_failure(error, until)) from None

    def _once(self, url: str, until: float) -> bytes:
        left = until - time.monotonic()
        if left <= 0:
            raise Unfetched(Failure.TIMEOUT)
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/fhir+json",
            "Accept-Encoding": "identity",
        }
        timeout: Any = Timeout(total=left)  # the types of requests do not know that it takes urllib3's own
        with self.session.get(url, headers=headers, timeout=timeout, stream=True, allow_redirects=False) as answer:
            if answer.status_code != requests.codes.ok:
                raise Unfetched(Failure.of_status(answer.status_code))
            # Nothing compressed was asked for: what is sent so may unpack to any size.
            if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise Unfetched(Failure.UNREADABLE)
            return _bounded(answer)


def _bounded(answer: requests.Response) -> bytes:
    body = bytearray()
    for chunk in answer.iter_content(_CHUNK):
        body += chunk
        if len(body) > MOST_BYTES:
            raise Unfetched(Failure.LIMIT)
    return bytes(body)


def _closed(error: requests.RequestException) -> bool:
    return bool(error.args) and isinstance(error.args[0], ProtocolError)


def _failure(error: Exception, until: float) -> Failure:
    """The failure that an exception stands for; ``requests`` says "connection error" of a body that came too slowly."""
    slow = isinstance(error, requests.Timeout | TimeoutError) or any(
        isinstance(cause, ReadTimeoutError) for cause in error.args
    )
    if slow or time.monotonic() >= until:
        return Failure.TIMEOUT
    if isinstance(error, requests.exceptions.SSLError):
        return Failure.CERTIFICATE
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return Failure.UNREADABLE
    return Failure.UNREACHABLE
