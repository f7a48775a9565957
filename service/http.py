"""One bounded GET for everything that is fetched: FHIR, key sets, expansions.

The other side may be slow, huge, or lead elsewhere. The time given is for the whole answer: a server that sends a byte
a second does not win time, be it in the TLS handshake, in the headers or in the body. No redirect is looked at, no
cookie kept, nothing compressed unpacked, and every certificate checked. Which addresses may be asked is the caller's
to decide; looking up a host's name has no limit here, so a caller that must not wait asks in a thread.
"""

import logging
import os
import socket
import ssl
import threading
import time
from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import certifi
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, ProtocolError, ReadTimeoutError
from urllib3.util import Timeout
from urllib3.util.ssl_ import create_urllib3_context

HOSTS = 16
"""Servers to which connections are kept open."""

_CHUNK = 64 * 1024


class Fault(StrEnum):
    """Why there is no answer, in words that complete "it …"."""

    TIMEOUT = "did not answer in time"
    CERTIFICATE = "has a certificate that is not trusted"
    UNREACHABLE = "cannot be reached, or closed the connection"
    TOO_LARGE = "answered with more than this service reads"
    BROKE_OFF = "broke off its answer"
    COMPRESSED = "sent its answer compressed"


class NotAnswered(Exception):
    """A GET brought nothing that can be used; the message repeats nothing of what was answered."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Received:
    """A status, and the body where one was wanted for that status."""

    status: int
    body: bytes


class Allowance:
    """Bytes that several answers may have together, whichever thread reads them."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Whether there was room for that many more."""
        with self._lock:
            self._left -= size
            return self._left >= 0


def get(
    session: requests.Session,
    url: str,
    headers: Mapping[str, str],
    *,
    until: float,
    most_bytes: int,
    allowance: Allowance | None = None,
    bodies: Container[int] = (200,),
    kept: bool = False,
) -> Received:
    """The answer of an address, all of it before a moment (``time.monotonic``). Raises NotAnswered.

    ``allowance`` bounds this answer and others together. ``bodies`` are the statuses whose body is read. ``kept`` says
    that the session keeps connections for long: where the server has closed one meanwhile, nothing was answered, and
    the address is asked once more on a new one.
    """
    try:
        try:
            return _once(session, url, headers, until, most_bytes, allowance, bodies)
        except requests.ConnectionError as error:
            closed = bool(error.args) and isinstance(error.args[0], ProtocolError)
            if not (kept and closed) or time.monotonic() >= until:
                raise
        return _once(session, url, headers, until, most_bytes, allowance, bodies)
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        raise NotAnswered(_fault(error, until)) from None


def _once(
    session: requests.Session,
    url: str,
    headers: Mapping[str, str],
    until: float,
    most: int,
    allowance: Allowance | None,
    bodies: Container[int],
) -> Received:
    left = until - time.monotonic()
    if left <= 0:
        raise NotAnswered(Fault.TIMEOUT)
    timeout: Any = Timeout(total=left)  # the types of requests do not know that it takes urllib3's own
    plain = {**headers, "Accept-Encoding": "identity"}
    with session.get(url, headers=plain, timeout=timeout, stream=True, allow_redirects=False) as answer:
        if answer.status_code not in bodies:
            return Received(answer.status_code, b"")
        # Nothing compressed was asked for: what is sent so may unpack to any size.
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise NotAnswered(Fault.COMPRESSED)
        body = bytearray()
        for chunk in answer.iter_content(_CHUNK):
            body += chunk
            if len(body) > most or not (allowance is None or allowance.take(len(chunk))):
                raise NotAnswered(Fault.TOO_LARGE)
        return Received(answer.status_code, bytes(body))


def _fault(error: Exception, until: float) -> Fault:
    """What an exception stands for; ``requests`` says "connection error" of a body that came too slowly."""
    slow = isinstance(error, requests.Timeout | TimeoutError) or any(
        isinstance(cause, ReadTimeoutError) for cause in error.args
    )
    if slow or time.monotonic() >= until:
        return Fault.TIMEOUT
    if isinstance(error, requests.exceptions.SSLError):
        return Fault.CERTIFICATE
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return Fault.BROKE_OFF
    return Fault.UNREACHABLE


class _TotalTimeout(socket.socket):
    """A socket whose timeout is for everything received after it was set, not for each packet anew."""

    _until: float | None = None

    def settimeout(self, value: float | None) -> None:
        self._until = None if value is None else time.monotonic() + value
        super().settimeout(value)

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        if self._until is not None:
            left = self._until - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            super().settimeout(left)
        return super().recv_into(*args, **kwargs)


class _TlsTotalTimeout(_TotalTimeout, ssl.SSLSocket):
    """The same for TLS; Python's handshake keeps to its timeout as a whole by itself."""


def _refuse_late(connection: HTTPConnection, started: float) -> None:
    """Raises before a token is sent on a connection that took longer than there was time."""
    allowed = connection.timeout
    if allowed is not None and time.monotonic() - started >= allowed:
        connection.close()
        raise ConnectTimeoutError(connection, "connected too late")


class _Connection(HTTPConnection):
    def connect(self) -> None:
        started = time.monotonic()
        super().connect()
        plain = self.sock
        self.sock = _TotalTimeout(plain.family, plain.type, plain.proto, plain.detach())
        self.sock.settimeout(self.timeout)
        _refuse_late(self, started)


class _TlsConnection(HTTPSConnection):
    def connect(self) -> None:
        started = time.monotonic()
        super().connect()
        _refuse_late(self, started)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Adapter(HTTPAdapter):
    def __init__(self, authorities: str, connections: int) -> None:
        self._context = create_urllib3_context()
        self._context.sslsocket_class = _TlsTotalTimeout
        self._context.load_verify_locations(authorities)
        super().__init__(pool_connections=HOSTS, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._context, **pool)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def proxy_manager_for(self, proxy: str, **given: Any) -> Any:
        """A proxy leads to the same checks."""
        return super().proxy_manager_for(proxy, ssl_context=self._context, **given)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ARG002  (requests' signature)
        """Every certificate is checked, by the authorities that were loaded once."""
        conn.cert_reqs = "CERT_REQUIRED"


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002  (requests' signature)
        """No redirect is ever looked at; ``requests`` would read its whole body to prepare for it."""
        return


def new_session(ca_file: Path | None, connections: int, *, environment: bool = False) -> requests.Session:
    """A session that keeps up to that many connections to each server open.

    ``ca_file`` has the certificates (PEM) of the authorities to trust, instead of the public ones. ``environment``
    lets the environment say proxies, and authorities (``REQUESTS_CA_BUNDLE``). Raises OSError when the authorities
    cannot be used.
    """
    # urllib3 logs addresses, and in them is the patient's id.
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
    session = _Session()
    session.trust_env = environment
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    named = os.environ.get("REQUESTS_CA_BUNDLE") if environment else None
    adapter = _Adapter(str(ca_file or named or certifi.where()), connections)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
