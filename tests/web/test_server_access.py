"""``tolami serve`` with tokens required: two processes, called over HTTP by an EHR with keys of its own."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.calls import SAMPLE
from tests.serving import CALL, Served, serving, session
from tests.trust.ehr import ISSUER, Ehr, KeyServer, ec, key_set, rsa, sends, serving_keys

PUBLIC = "https://cds.example.org"
SELECT = f"{PUBLIC}/cds-services/order-select"


@dataclass(frozen=True)
class Required:
    """A running service that requires tokens, and the EHR that it trusts."""

    service: Served
    ehr: Ehr
    keys: KeyServer

    @property
    def url(self) -> str:
        """Where it really listens: not the address that tokens name."""
        return f"{self.service.url}/cds-services/order-select"

    def post(self, token: str | None, body: bytes | None = None) -> requests.Response:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        sent = SAMPLE.read_bytes() if body is None else body
        with session() as client:
            return client.post(self.url, data=sent, headers=headers, timeout=CALL)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Required]:
    folder, ehr = tmp_path_factory.mktemp("required"), Ehr(ec("first"))
    with serving_keys(sends(key_set(ehr.key))) as keys:
        trust = folder / "trust.toml"
        trust.write_text(f'[[client]]\nname = "EHR"\nissuer = "{ISSUER}"\njku = ["{keys.url}"]\n', encoding="utf-8")
        settings = {
            "TOLAMI_AUTH": "required",
            "TOLAMI_PUBLIC_URL": PUBLIC,
            "TOLAMI_TRUST_FILE": str(trust),
            "TOLAMI_ALLOW_HTTP_LOOPBACK": "true",
            "TOLAMI_LOG_LEVEL": "debug",
        }
        with serving(folder, settings=settings) as service:
            yield Required(service, ehr, keys)


def test_only_a_call_with_a_good_token_gets_cards(served: Required) -> None:
    good = served.post(served.ehr.today().token(SELECT))
    assert good.status_code == 200
    assert good.json()["cards"]
    refused = [
        served.post(token)
        for token in (
            None,
            "rubbish",
            served.ehr.token(SELECT, iat=1_311_280_970, exp=1_422_568_860),
            Ehr(ec("first")).today().token(SELECT),
            Ehr(rsa("first"), "RS384").today().token(SELECT),
            served.ehr.today().token(served.url),
        )
    ]
    assert {answer.status_code for answer in refused} == {401}
    assert len({answer.content for answer in refused}) == 1
    assert {answer.headers["WWW-Authenticate"] for answer in refused} == {"Bearer"}


def test_a_bad_token_goes_before_a_bad_body(served: Required) -> None:
    for body in (b"{", b"", b'{"hook":'):
        assert served.post("rubbish", body).status_code == 401
        assert served.post(served.ehr.today().token(SELECT), body).status_code == 400


def test_headers_that_are_sent_twice_are_refused(served: Required) -> None:
    token = served.ehr.today().token(SELECT)
    headers: Any = {"Content-Type": "application/json", "Authorization": f"Bearer {token}, Bearer {token}"}
    with session() as client:
        assert client.post(served.url, data=b"{}", headers=headers, timeout=CALL).status_code == 401


def test_a_flood_of_unknown_keys_asks_the_address_seldom_and_good_calls_go_on(served: Required) -> None:
    assert served.post(served.ehr.today().token(SELECT)).status_code == 200
    unknown = Ehr(ec("unknown")).today()
    before, started = served.keys.asked, time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        statuses = set(pool.map(lambda _: served.post(unknown.token(SELECT)).status_code, range(60)))
    took = time.monotonic() - started
    assert statuses == {401}
    assert served.keys.asked - before <= 2 * (took / 10 + 1), "one request in 10 s for each of the two processes"
    assert served.post(served.ehr.today().token(SELECT)).status_code == 200


def test_the_log_has_the_reasons_and_no_token(served: Required) -> None:
    token = served.ehr.today().token(f"{PUBLIC}/cds-services/order-sign", sub="Ilona Szabó")
    assert served.post(token).status_code == 401
    log = served.service.logged()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert "audience" in [line.get("reason") for line in lines]
    assert "Ilona" not in log
    assert not any(part in log for part in token.split("."))


def test_the_start_says_that_tokens_are_needed(served: Required) -> None:
    log = served.service.logged()
    assert f"Discovery: {PUBLIC}/cds-services" in log
    assert "Every call needs a token" in log
    assert "curl" not in log
