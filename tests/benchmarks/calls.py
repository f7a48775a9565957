"""CPU of a call beside a bare Flask route that parses the same body and answers a constant.

All three are called through their WSGI interface in this process, in interleaved rounds, so that the machine's
load falls on all alike; the ratio is what counts.
"""

import json
import statistics
import time
from collections.abc import Callable
from datetime import date
from io import BytesIO
from typing import Any

import structlog
from flask import Flask, Response, request

from service.app import create_app
from service.server import warmed
from service.settings import Settings
from tests.benchmarks.request import AMITRIPTYLINE, AMOXICILLIN, body

ROUNDS = 30
CALLS = 20
AIM = {"unrelated draft": 0.5, "amitriptyline draft": 4.0}


def bare() -> Flask:
    """The route every Flask service starts from, and one that does not even read what was sent."""
    app = Flask("bare")

    @app.post("/cds-services/order-sign")
    def answer() -> Response:
        json.loads(request.get_data())
        return Response('{"cards": []}', mimetype="application/json")

    @app.post("/nothing")
    def nothing() -> Response:
        return Response('{"cards": []}', mimetype="application/json")

    return app


def call(app: Flask, content: bytes, token: str = "") -> bytes:
    """One call through WSGI, without a client library in between."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/cds-services/order-sign",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(content),
        "wsgi.errors": BytesIO(),
    }
    if token:
        environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    statuses: list[str] = []

    def start_response(status: str, headers: object, exc_info: object = None) -> Callable[[bytes], None]:
        statuses.append(status)
        return lambda data: None  # noqa: ARG005  (WSGI's write callable)

    answer = b"".join(app(environ, start_response))
    if not statuses[0].startswith("200"):
        raise RuntimeError(f"the call was answered {statuses[0]}")
    return answer


def microseconds(app: Flask, content: bytes) -> float:
    """CPU of one call, averaged over a round."""
    started = time.process_time_ns()
    for _ in range(CALLS):
        call(app, content)
    return (time.process_time_ns() - started) / CALLS / 1000


def main() -> None:
    """Prints the medians and their ratios to the bare route."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    # As the server does it: warmed up, what is loaded frozen, collections rare. This helps the bare route as well.
    app = warmed(create_app(Settings(), today=lambda: date(2026, 11, 23)))
    related, unrelated = body(AMITRIPTYLINE), body(AMOXICILLIN)
    cases = {
        "bare route": (bare(), related),
        "unrelated draft": (app, unrelated),
        "amitriptyline draft": (app, related),
    }
    print(f"request {len(related) / 1000:.0f} KB; cards: {len(json.loads(call(app, related))['cards'])} and"
          f" {len(json.loads(call(app, unrelated))['cards'])}")  # fmt: skip
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, (target, content) in cases.items():
            times[name].append(microseconds(target, content))
    floor = statistics.median(times["bare route"])
    for name, values in times.items():
        median = statistics.median(values)
        aim = f" (aim at most {AIM[name]})" if name in AIM else ""
        print(f"{name:<20} {median:7.0f} µs  {median / floor:5.2f} × bare{aim}")


if __name__ == "__main__":
    main()
