"""A FHIR terminology server on 127.0.0.1 that knows a few invented descendants, and can misbehave."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from service.terminology.query import PRODUCT, SNOMED

VERSION = "http://snomed.info/sct/900000000000207008/version/20260101"
Json = dict[str, Any]


def entry(code: str, **more: Any) -> Json:
    """One entry of an expansion."""
    return {"system": SNOMED, "code": code, "display": f"invented {code}", **more}


def value_set(entries: list[Json], total: int | None = None, version: str = VERSION, **more: Any) -> Json:
    """An expanded ValueSet."""
    expansion: Json = {"identifier": "urn:uuid:1", "timestamp": "2026-11-23T08:00:00Z", "contains": entries, **more}
    if total is not None:
        expansion["total"] = total
    if version:
        expansion["parameter"] = [{"name": "version", "valueUri": f"{SNOMED}|{version}"}]
    return {"resourceType": "ValueSet", "status": "active", "expansion": expansion}


@dataclass
class Terminology:
    """What the server knows and how it behaves.

    A query is answered with its roots and their ``descendants``. ``instead`` answers a call in another way: it is
    handed the handler and the query, and returns True when it has answered.
    """

    url: str = ""
    descendants: dict[str, list[str]] = field(default_factory=dict)
    page_limit: int = 1000
    version: str = VERSION
    asked: list[dict[str, str]] = field(default_factory=list)
    instead: Callable[["Handler", dict[str, str]], bool] | None = None

    def codes(self, implicit: str) -> list[str]:
        """The roots in the first part of an expression, and what is below them."""
        roots = re.findall(r"<< (\d+)", implicit.partition(f" OR (< {PRODUCT}")[0])
        return list(dict.fromkeys([*roots, *(code for root in roots for code in self.descendants.get(root, []))]))


class Handler(BaseHTTPRequestHandler):
    """Answers $expand; anything else is 404."""

    terminology: Terminology

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.terminology.asked.append({"path": parts.path, **query})
        if self.terminology.instead is not None and self.terminology.instead(self, query):
            return
        if parts.path != "/fhir/ValueSet/$expand":
            self.send(404, outcome("no such address"))
            return
        offset, count = int(query["offset"]), min(int(query["count"]), self.terminology.page_limit)
        codes = self.terminology.codes(query["url"])
        page = [entry(code) for code in codes[offset : offset + count]]
        self.send(200, value_set(page, len(codes), self.terminology.version, offset=offset))

    def send(self, status: int, body: Json | bytes, **headers: str) -> None:
        """Sends an answer; headers have underscores for hyphens."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        chosen = {"Content_Type": "application/fhir+json", "Content_Length": str(len(content)), **headers}
        for name, value in chosen.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the name is that of the base class)
        """Keeps the output of the tests free of it."""


Behaviour = Callable[[Handler, dict[str, str]], bool]


def answering(status: int, body: Any, **headers: str) -> Behaviour:
    """A server that answers every call in one way."""

    def answer(handler: Handler, asked: dict[str, str]) -> bool:
        handler.send(status, body, **headers)
        return True

    return answer


def outcome(diagnostics: str) -> Json:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "diagnostics": diagnostics}]}


class Quiet(ThreadingHTTPServer):
    """Says nothing of clients that hang up."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


@contextmanager
def serving(terminology: Terminology) -> Iterator[Terminology]:
    """The server, running until the end of the block."""
    handler = type("Bound", (Handler,), {"terminology": terminology})
    server = Quiet(("127.0.0.1", 0), handler)
    running = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    running.start()
    terminology.url = f"http://127.0.0.1:{server.server_port}/fhir"
    try:
        yield terminology
    finally:
        server.shutdown()
        running.join()
        server.server_close()
