"""An EHR for the tests: keys made on the spot, tokens signed with them, and a key set served over HTTP."""

import base64
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from threading import Event, Thread
from threading import enumerate as running_threads
from typing import Any
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from service.trust.keys import ALGORITHMS, PublicKey
from service.trust.remote import THREAD

ISSUER = "https://ehr.example.org"
DAY = timedelta(days=1)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SIGN = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
SIGN.max_header_length = 10_000


def ec(kid: str = "ec", curve: str = "P-384", **members: Any) -> ECKey:
    return ECKey.generate_key(curve, {"kid": kid, **members})  # type: ignore[arg-type]


@cache
def rsa(kid: str = "rsa", bits: int = 2048) -> RSAKey:
    return RSAKey.generate_key(bits, {"kid": kid})


def key_set(*keys: PublicKey | dict[str, Any]) -> bytes:
    """The JWK Set of the public parts of keys, or of members as they are."""
    entries = [key if isinstance(key, dict) else key.as_dict(private=False) for key in keys]
    return json.dumps({"keys": entries}).encode()


def b64(content: bytes | dict[str, Any]) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass(frozen=True)
class Ehr:
    """A client with one key. Header and claims are complete; a test changes what it is about."""

    key: PublicKey = field(default_factory=ec)
    alg: str = "ES384"
    issuer: str = ISSUER
    now: datetime = NOW

    def header(self, **changes: Any) -> dict[str, Any]:
        return _changed({"alg": self.alg, "typ": "JWT", "kid": self.key.kid}, changes)

    def claims(self, url: str, **changes: Any) -> dict[str, Any]:
        at = int(self.now.timestamp())
        whole = {"iss": self.issuer, "aud": url, "iat": at, "exp": at + 300, "jti": str(uuid4())}
        return _changed(whole, changes)

    def token(self, url: str, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A token for an address; a change to ``...`` leaves the member out."""
        return self.signed(self.header(**(header or {})), json.dumps(self.claims(url, **changes)).encode())

    def signed(self, header: dict[str, Any], payload: bytes) -> str:
        return jws.serialize_compact(header, payload, self.key, registry=SIGN)

    def today(self) -> "Ehr":
        """The same EHR at the present time, for a service with a real clock."""
        return replace(self, now=datetime.now(UTC))


def _changed(whole: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (whole | changes).items() if value is not ...}


def trusting(folder: Path, *ehrs: Ehr) -> dict[str, str]:
    """Settings that require tokens of these EHRs, their keys pinned in files of this folder."""
    entries = []
    for number, ehr in enumerate(ehrs, 1):
        (folder / f"{number}.jwks.json").write_bytes(key_set(ehr.key))
        lines = (
            "[[client]]",
            f'name = "EHR {number}"',
            f'issuer = "{ehr.issuer}"',
            f'jwks_file = "{number}.jwks.json"',
        )
        entries.append("\n".join(lines))
    file = folder / "trust.toml"
    file.write_text("\n".join(entries), encoding="utf-8")
    return {"auth": "required", "public_url": "https://cds.example.org", "trust_file": str(file)}


STOPPED = Event()
Answering = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class KeyServer:
    """A running server of one key set. ``answering`` may be replaced while it runs; ``asked`` counts requests."""

    answering: Answering
    url: str = ""
    asked: int = 0


def sends(body: bytes, status: int = 200, **headers: str) -> Answering:
    def answering(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answering


def drips(before: bytes, piece: bytes, pause: float, pieces: int) -> Answering:
    """Sends a first part, and then a piece after every pause; no pauses when servers are being stopped."""

    def answering(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(before)
        for _ in range(pieces):
            STOPPED.wait(pause)
            handler.wfile.write(piece)

    return answering


def self_signed(folder: Path) -> ssl.SSLContext:
    """What a server on this machine needs for TLS; the certificate is ``ca.pem`` in the folder."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    alternative = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    today = datetime.now(UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), today, today + DAY)
    certificate = (
        built.add_extension(alternative, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    (folder / "ca.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    unencrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.pem").write_bytes(unencrypted + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


@contextmanager
def serving_keys(answering: Answering, tls: ssl.SSLContext | None = None) -> Iterator[KeyServer]:
    server = KeyServer(answering)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked += 1
            try:
                server.answering(self)
            except OSError:
                return  # the caller has hung up, which some tests are about

        def log_message(self, *args: Any) -> None:
            """Nothing is printed."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    http.block_on_close = False
    if tls is not None:
        http.socket = tls.wrap_socket(http.socket, server_side=True)
    thread = Thread(target=http.serve_forever, args=(0.05,))
    thread.start()
    server.url = f"{'https' if tls else 'http'}://127.0.0.1:{http.server_port}/jwks.json"
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
        STOPPED.set()
        fetches_end()
        STOPPED.clear()


def fetches_end() -> None:
    """Waits until no key set is being fetched any more."""
    for fetching in [thread for thread in running_threads() if thread.name == THREAD]:
        fetching.join(30)
