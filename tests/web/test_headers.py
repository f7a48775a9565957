"""Every answer forbids guessing, embedding, referring and keeping."""

import pytest
from flask.testing import FlaskClient

from tests.calls import SAMPLE

ADDRESSES = [
    ("GET", "/cds-services"),
    ("GET", "/guidance"),
    ("GET", "/nowhere"),
    ("GET", "/healthz"),
    ("POST", "/metrics"),
]


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
def test_an_answer_is_neither_guessed_nor_embedded_nor_referred_to(client: FlaskClient, method: str, path: str) -> None:
    headers = client.open(path, method=method).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_an_answer_about_a_patient_is_kept_by_no_cache(client: FlaskClient) -> None:
    answer = client.post("/cds-services/order-select", data=SAMPLE.read_bytes(), content_type="application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.post("/cds-services/order-select", data=b"{").headers["Cache-Control"] == "no-store"


def test_a_page_may_be_kept_for_a_while_but_not_that_it_is_missing(client: FlaskClient) -> None:
    assert "max-age" in client.get("/guidance").headers["Cache-Control"]
    assert client.get("/guidance/nothing").headers["Cache-Control"] == "no-store"
