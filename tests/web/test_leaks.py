"""Nothing of a request is left behind: no name, id, birth date, token or free text in any place that is kept.

Every fixture is sent with a mark on all that tells who it is about, and every error is provoked with it. Then the
places are searched for the mark and for the birth dates. A new place that keeps something belongs into ``places``.
"""

import io
import json
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient

from service import decide
from service.app import create_app, records_of
from service.engine.library import Library
from service.logs import catch_strays, configure_logs
from service.records import Records
from service.settings import Settings
from tests.calls import SAMPLE, Json, without
from tests.conftest import FIXTURES, TODAY
from tests.trust.ehr import NOW, Ehr, trusting

MARK = "qx7leak"
REQUESTS = sorted(path for path in FIXTURES.glob("requests/*/*.json") if ".expected" not in path.name)
IDS = frozenset({"id", "patientId", "userId", "encounterId", "hookInstance", "reference", "selections"})
NAMES = frozenset({"family", "given", "valueString"})
WORDS = frozenset({"text", "display"})

TOKEN = f"eyJhbGciOiJFUzM4NCJ9.{MARK}.{MARK}"
HEADERS = {
    "Authorization": f"Bearer {TOKEN}",
    "X-Request-ID": f"Ilona {MARK}",
    "User-Agent": MARK,
    "Referer": f"https://ehr.example.org/patient/{MARK}",
    "Cookie": f"session={MARK}",
}


def marked(value: Any, keys: frozenset[str], key: str = "") -> Any:
    """The value with a mark at the end of every text under one of the keys; equal ids stay equal."""
    if isinstance(value, dict):
        return {name: marked(inner, keys, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [marked(inner, keys, key) for inner in value]
    joint = "-" if key in IDS else " "
    return f"{value}{joint}{MARK}" if key in keys and isinstance(value, str) else value


def sent(request: Json, keys: frozenset[str]) -> Json:
    """The request marked, with more about the patient than a service should want."""
    changed: Json = marked(request, keys)
    token = {
        "access_token": TOKEN,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": MARK,
    }
    changed |= {"fhirServer": f"https://fhir.example.org/{MARK}", "fhirAuthorization": token}
    patient = changed.get("prefetch", {}).get("patient")
    if isinstance(patient, dict):
        patient |= {
            "identifier": [{"system": "https://hospital.example.org/mrn", "value": MARK}],
            "telecom": [{"system": "phone", "value": MARK}],
            "address": [{"line": [MARK], "city": MARK}],
        }
    return changed


def birth_dates() -> set[str]:
    """The birth dates of all fixtures that are dates in full."""
    patients = (json.loads(path.read_text(encoding="utf-8")).get("prefetch", {}).get("patient") for path in REQUESTS)
    return {patient["birthDate"] for patient in patients if patient and len(patient.get("birthDate", "")) == 10}


@dataclass(frozen=True)
class Watched:
    """A service whose traces are looked through. ``places`` are all the places where one could be left."""

    app: Flask
    log: io.StringIO
    records: Records
    folder: Path

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    @property
    def places(self) -> dict[str, Callable[[], str]]:
        return {
            "log": self.log.getvalue,
            "metrics": lambda: self.client.get("/metrics").text,
            "files": self.written,
        }

    def written(self) -> str:
        """Every file of the database and beside it, once all that waits to be written is."""
        assert self.records.writer.flush(30)
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return "".join(f"{path.name} {path.read_bytes().decode('latin-1')}" for path in files)

    def leaks(self) -> list[str]:
        """The places in which something of a request is found."""
        secrets = {MARK, *birth_dates()}
        texts = {place: read().lower() for place, read in self.places.items()}
        return [f"{place}: {secret}" for place, text in texts.items() for secret in secrets if secret in text]


@pytest.fixture(params=["json", "console"])
def watched(request: pytest.FixtureRequest, library: Library, logged: list[Any], tmp_path: Path) -> Iterator[Watched]:
    """A service with a log of its own, everything logged, the lines of libraries included."""
    root, hook, configured = logging.getLogger(), threading.excepthook, structlog.get_config()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logs(Settings(log_format=request.param, log_level="debug"), stream)
    catch_strays()
    folder = tmp_path / "kept"
    folder.mkdir()
    kept = {"database_url": f"sqlite:///{folder}/tolami.db", "spill_file": folder / "waiting.jsonl"}
    settings = Settings.model_validate(kept)
    records = records_of(settings)
    app = create_app(settings, library, lambda: TODAY, records=records)
    yield Watched(app, stream, records, folder)
    records.close()
    logging.captureWarnings(capture=False)
    structlog.configure(**configured)
    root.handlers[:], threading.excepthook = handlers, hook
    root.setLevel(level)


def post(client: FlaskClient, service: str, body: Json | bytes, **kwargs: Any) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    options = {"content_type": "application/json", "headers": HEADERS} | kwargs
    return client.post(f"/cds-services/{service}", data=data, **options)


@pytest.mark.parametrize(
    ("watched", "keys"),
    [("json", IDS | NAMES), ("json", IDS | NAMES | WORDS), ("console", IDS | NAMES | WORDS)],
    ids=["who", "who and what", "who and what, on a console"],
    indirect=["watched"],
)
def test_no_fixture_leaves_a_trace(watched: Watched, keys: frozenset[str]) -> None:
    statuses, repeated = set(), False
    for path in REQUESTS:
        body = sent(json.loads(path.read_text(encoding="utf-8")), keys)
        answer = post(watched.client, body["hook"], body)
        statuses.add(answer.status_code)
        repeated |= answer.status_code == 200 and MARK in answer.text
    assert {200, 412} <= statuses
    assert repeated, "the mark has to come far enough to be on a card"
    assert watched.log.getvalue().count("status") >= len(REQUESTS)
    assert "tolperisone-with-amitriptyline" in watched.written(), "what may be kept is kept"
    assert watched.leaks() == []


def errors(client: FlaskClient, sample: Json) -> Iterator[Any]:
    """The answers to one request for each thing that can go wrong."""
    body = json.dumps(sample).encode()
    yield post(client, "order-select", body[:-30])
    yield post(client, "order-select", MARK.encode())
    yield post(client, "order-select", f'{{"{MARK}": }}'.encode())
    yield post(client, "order-select", body.replace(MARK.encode(), MARK.encode() + b"\xf3"))
    yield post(client, "order-select", b'{"%b": %b' % (MARK.encode(), b"[" * 5000))
    yield post(client, "order-sign", body)
    yield post(client, "order-select", sample | {"hookInstance": {MARK: MARK}})
    yield post(client, "order-select", sample | {"context": {**sample["context"], "selections": [MARK]}})
    yield post(client, "order-select", without(sample, "prefetch", "patient"))
    yield post(client, "order-select", sample | {"fhirServer": None})
    yield post(client, "order-select", body + b" " * Settings().max_body_bytes)
    yield post(client, "order-select", body, content_type=f"text/{MARK}")
    yield post(client, MARK, body)
    yield post(client, f"order-select/{MARK}", body)
    yield post(client, f"order-select/feedback?patient={MARK}", {"feedback": [{"card": MARK, "outcome": MARK}]})
    for method in ("GET", "PUT", "DELETE", "OPTIONS"):
        yield client.open(f"/cds-services/order-select?patient={MARK}", method=method, headers=HEADERS)
    for address in ("", "cds-services/", "guidance/", "metrics?", "healthz/", "readyz?"):
        yield client.get(f"/{address}{MARK}", headers=HEADERS)


def test_no_error_leaves_a_trace(watched: Watched) -> None:
    sample = sent(json.loads(SAMPLE.read_bytes()), IDS | NAMES | WORDS)
    statuses = {answer.status_code for answer in errors(watched.client, sample)}
    assert {200, 400, 404, 405, 412, 413, 415, 422} <= statuses
    assert watched.leaks() == []


def test_no_feedback_leaves_a_trace(watched: Watched) -> None:
    override = {"reason": {"code": f"Ilona {MARK}", "display": MARK}, "userComment": f"As {MARK} wishes."}
    entry = {"card": MARK, "outcome": "overridden", "outcomeTimestamp": "2026-11-23T10:00:00Z"}
    answer = post(watched.client, "order-sign/feedback", {"feedback": [entry | {"overrideReason": override}]})
    assert answer.status_code == 200
    assert 'tolami_feedback_total{outcome="overridden"} 1.0' in watched.client.get("/metrics").text
    assert watched.leaks() == []


def test_no_failure_of_the_service_leaves_a_trace(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> str:
        raise ValueError(MARK)

    watched.app.add_url_rule("/broken", view_func=broken)
    assert watched.client.get("/broken").status_code == 500
    for part in ("evaluate", "ChartReader"):
        monkeypatch.setattr(decide, part, broken)
        answer = post(watched.client, "order-select", sent(json.loads(SAMPLE.read_bytes()), IDS | NAMES))
        assert "service-failed" in answer.text
    assert "ValueError" in watched.log.getvalue()
    assert watched.leaks() == []


def tokens(ehr: Ehr, url: str) -> Iterator[str]:
    """Tokens that are refused for one reason or another, and one that is not; each with the mark in it."""
    stranger = replace(ehr, issuer=f"https://ehr.example.org/{MARK} of the patient")
    yield TOKEN
    yield f"{MARK} {MARK}"
    yield ehr.token(url, sub=MARK, exp=1)
    yield ehr.token(f"{url}/{MARK}", sub=MARK)
    yield ehr.token(url, {"kid": f"{MARK} {MARK}"}, sub=MARK)
    yield ehr.token(url, {"jku": f"https://keys.example.org/{MARK}"}, sub=MARK)
    yield stranger.token(url, sub=MARK)
    good = ehr.token(url, sub=MARK, jti="5f0e6f7a-2f0c-4f0e-9f43-0000000000aa", name=MARK)
    yield from (good[:-8] + "AAAAAAAA", good, good)


def test_no_token_leaves_a_trace(watched: Watched, library: Library, tmp_path: Path) -> None:
    ehr = Ehr()
    settings = Settings.model_validate(trusting(tmp_path, ehr))
    app = create_app(settings, library, lambda: TODAY, now=lambda: NOW, records=watched.records)
    guarded = replace(watched, app=app)
    sample = sent(json.loads(SAMPLE.read_bytes()), IDS | NAMES)
    url = f"{settings.public_url}/cds-services/order-select"
    sent_tokens = list(tokens(ehr, url))
    statuses = [
        post(
            guarded.client, "order-select", sample, headers={**HEADERS, "Authorization": f"Bearer {token}"}
        ).status_code
        for token in sent_tokens
    ]
    assert statuses == [401] * (len(statuses) - 2) + [200, 401]
    assert guarded.leaks() == []
    kept = "".join(read() for read in guarded.places.values())
    parts = {part for token in sent_tokens for part in token.split(".") if len(part) > 20}
    assert [part for part in parts if part in kept] == []
    assert 'tolami_refused_tokens_total{reason="expired"} 1.0' in guarded.client.get("/metrics").text


def test_what_is_left_behind_is_found(watched: Watched) -> None:
    assert birth_dates()
    assert watched.leaks() == []
    structlog.get_logger().info("careless", born=min(birth_dates()))
    logging.getLogger("library").warning("harmless")
    watched.app.extensions["metrics"].serving(MARK.upper())
    (watched.folder / "careless").write_text(MARK, encoding="utf-8")
    assert sorted(watched.leaks()) == sorted([f"log: {min(birth_dates())}", f"metrics: {MARK}", f"files: {MARK}"])


def test_every_fixture_is_searched() -> None:
    assert len(REQUESTS) > 100
    assert all(isinstance(json.loads(Path(path).read_text(encoding="utf-8")), dict) for path in REQUESTS)
