"""``tolami serve`` with tokens required: two processes, called over HTTP by an EHR with keys of its own."""

import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from service.server import SAMPLE
from tests.trust.ehr import ISSUER, Ehr, KeyServer, ec, key_set, rsa, sends, serving_keys
from tests.web.test_server import CALL, COMMAND, HOST, START, STOP, environment, free_port, session

PUBLIC = "https://cds.example.org"
SELECT = f"{PUBLIC}/cds-services/order-select"


@dataclass(frozen=True)
class Required:
    """A running service that requires tokens, and the EHR that it trusts."""

    url: str
    ehr: Ehr
    keys: KeyServer
    log: Path

    def post(self, token: str | None, body: bytes | None = None) -> requests.Response:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        with session() as client:
            return client.post(
                f"{self.url}/cds-services/order-select",
                data=SAMPLE.read_bytes() if body is None else body,
                headers=headers,
                timeout=CALL,
            )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Required]:
    folder, port, ehr = tmp_path_factory.mktemp("required"), free_port(), Ehr(ec("first"))
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
        arguments = [str(COMMAND), "serve", "--host", HOST, "--port", str(port), "--workers", "2"]
        log = folder / "log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                arguments, stdout=out, stderr=subprocess.STDOUT, env=environment() | settings, cwd=folder
            )
        try:
            running = Required(f"http://{HOST}:{port}", ehr, keys, log)
            wait_for(running, process)
            yield running
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP)


def wait_for(running: Required, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        assert process.poll() is None, running.log.read_text(encoding="utf-8")
        with suppress(requests.ConnectionError):
            if running.post(None).status_code == 401:
                return
        time.sleep(0.1)
    pytest.fail(f"no answer within {START} s: {running.log.read_text(encoding='utf-8')}")


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
            served.ehr.today().token(f"{served.url}/cds-services/order-select"),
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
        url = f"{served.url}/cds-services/order-select"
        assert client.post(url, data=b"{}", headers=headers, timeout=CALL).status_code == 401


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
    log = served.log.read_text(encoding="utf-8")
    assert '"reason": "audience"' in log
    assert "Ilona" not in log
    assert not any(part in log for part in token.split("."))


def test_the_start_says_that_tokens_are_needed(served: Required) -> None:
    log = served.log.read_text(encoding="utf-8")
    assert f"Discovery: {PUBLIC}/cds-services" in log
    assert "Every call needs a token" in log
    assert "curl" not in log
