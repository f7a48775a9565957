"""A ``requests`` session for servers that may be slow, huge, or lead elsewhere.

It uses nothing of the environment (no proxy, no netrc), keeps no cookies, looks at no redirect and checks every
certificate. The time given for a request is for all of it together: a server that sends a byte a second does not
win time, be it in the TLS handshake, in the headers or in the body.
"""

import logging
import socket
import ssl
import time
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import certifi
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError
from urllib3.util.ssl_ import create_urllib3_context

HOSTS = 16
"""Servers to which connections are kept open."""


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

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ARG002  (requests' signature)
        """Every certificate is checked, by the authorities that were loaded once."""
        conn.cert_reqs = "CERT_REQUIRED"


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002  (requests' signature)
        """No redirect is ever looked at; ``requests`` would read its whole body to prepare for it."""
        return


def new_session(ca_file: Path | None, connections: int) -> requests.Session:
    """A session that keeps up to so many connections to each server.

    ``ca_file`` has the certificates (PEM) of the authorities to trust, instead of the public ones. Raises OSError
    when it cannot be used.
    """
    # urllib3 logs addresses, and in them is the patient's id.
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
    session = _Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = _Adapter(str(ca_file) if ca_file is not None else certifi.where(), connections)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
