"""A FHIR server on 127.0.0.1 that answers over HTTP, keeps a list of what it was asked, and misbehaves on demand."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOST = "127.0.0.1"
TOKEN = "the-token-of-this-very-call"
LONG = 20
"""Seconds after which something that should happen soon counts as not happening."""

TYPES = {
    "patient": "Patient",
    "medications": "MedicationRequest",
    "statements": "MedicationStatement",
    "conditions": "Condition",
    "allergies": "AllergyIntolerance",
    "observations": "Observation",
}
"""The resource type under which each prefetch key is asked for."""


class Handler(BaseHTTPRequestHandler):
    """Notes the request and answers as its type of resource is set up."""

    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_GET(self) -> None:
        ehr = self.server.ehr
        kind = self.path.removeprefix("/fhir").lstrip("/").partition("?")[0].partition("/")[0]
        with ehr.lock:
            ehr.asked.append(ClientOrders(self.path, kind, dict(self.headers.items()), time.monotonic()))
            ehr.open += 1
        try:
            ehr.answers.get(kind, status(404))(self)
        finally:
            with ehr.lock:
                ehr.open -= 1

    def log_message(self, *args: Any) -> None:
        """Prints nothing."""

    def send(self, code: int, body: bytes, kind: str = "application/fhir+json", **headers: str) -> None:
        """A whole answer."""
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


Behaviour = Callable[[Handler], None]


@dataclass(frozen=True)
class ClientOrders:
    """One request that came."""

    path: str
    kind: str
    headers: dict[str, str]
    at: float


@dataclass
class Ehr:
    """What the server answers for each type of resource, and what it was asked."""

    url: str = ""
    answers: dict[str, Behaviour] = field(default_factory=dict)
    asked: list[ClientOrders] = field(default_factory=list)
    open: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def kinds(self) -> list[str]:
        """The types of resources that were asked for, in alphabetical order."""
        return sorted(asked.kind for asked in self.asked)

    def serve(self, prefetch: Mapping[str, Any]) -> None:
        """Answers every query with what a request has in its prefetch; null is an empty searchset."""
        for key, value in prefetch.items():
            self.answers[TYPES[key]] = resource(value if value is not None else {"resourceType": "Bundle"})

    def all(self, behaviour: Behaviour) -> None:
        """Answers everything alike."""
        self.answers = dict.fromkeys((*TYPES.values(), "Medication", ""), behaviour)

    def left_alone(self) -> bool:
        """True as soon as no request is being answered: the other side has hung up."""
        until = time.monotonic() + LONG
        while self.open and time.monotonic() < until:
            time.sleep(0.02)
        return not self.open


class _Server(ThreadingHTTPServer):
    ehr: Ehr

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The other side hung up, as it should on some of these answers."""


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[Ehr]:
    """A running server without any resource."""
    server = _Server((HOST, 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.ehr = Ehr(f"{'https' if tls is not None else 'http'}://{HOST}:{server.server_port}/fhir")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.ehr
    finally:
        server.ehr.stop.set()
        server.shutdown()
        server.server_close()
        thread.join(LONG)


def resource(value: Any, kind: str = "application/fhir+json") -> Behaviour:
    """Answers with a resource."""
    return lambda to: to.send(200, json.dumps(value).encode(), kind)


def status(code: int, body: bytes = b"", **headers: str) -> Behaviour:
    """Answers with a status."""
    return lambda to: to.send(code, body, **headers)


def raw(body: bytes, kind: str = "application/fhir+json", **headers: str) -> Behaviour:
    """Answers 200 with these bytes."""
    return lambda to: to.send(200, body, kind, **headers)


def cut_off(to: Handler) -> None:
    """Promises more than it sends."""
    to.send_response(200)
    to.send_header("Content-Length", "1000")
    to.end_headers()
    to.wfile.write(b'{"resourceType": "Bundle", "entry": [')
    to.close_connection = True


def hang(to: Handler) -> None:
    """Never answers."""
    to.server.ehr.stop.wait(2 * LONG)
    to.close_connection = True


def hang_up(to: Handler) -> None:
    """Closes the connection instead of answering."""
    to.close_connection = True


def drip(start: bytes, drop: bytes = b" ") -> Behaviour:
    """Sends some bytes and then one drop after another, for longer than anybody should wait."""

    def answer(to: Handler) -> None:
        until = time.monotonic() + 2 * LONG
        to.wfile.write(start)
        with suppress(OSError):
            while not to.server.ehr.stop.wait(0.05) and time.monotonic() < until:
                to.wfile.write(drop)
        to.close_connection = True

    return answer


DRIPPING = {
    "in the status line": drip(b"HTTP/1.1 200 O", b"K"),
    "in the headers": drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "in one header": drip(b"HTTP/1.1 200 OK\r\nX: ", b"y"),
    "with endless 100 Continue": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "in the body": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"),
    "in chunks": drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "in the length of a chunk": drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
}


def pages(*bundles: Any, link: str = "?page={}") -> Behaviour:
    """Answers with one bundle after another, each linked to the next one."""

    def answer(to: Handler) -> None:
        number = int(to.path.partition("page=")[2] or 1)
        bundle = dict(bundles[number - 1])
        if number < len(bundles):
            bundle["link"] = [{"relation": "next", "url": link.format(number + 1)}]
        to.send(200, json.dumps(bundle).encode())

    return answer


def endless(bundle: Any) -> Behaviour:
    """Answers every page with the same resources and a link to one more."""

    def answer(to: Handler) -> None:
        number = int(to.path.partition("page=")[2] or 1)
        following = {**bundle, "link": [{"relation": "next", "url": f"?page={number + 1}"}]}
        to.send(200, json.dumps(following).encode())

    return answer
