"""A FHIR server that takes seconds is the matter of the calls that need it; all others are answered as before."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.calls import SAMPLE
from tests.fhir.ehr import TOKEN, Handler
from tests.fhir.ehr import serving as serving_fhir
from tests.serving import JSON, Served, serving, session

CALLERS, ROUNDS = 40, 4
SLOW = 4.0
URL = "/cds-services/order-select"


def taking(seconds: float) -> Callable[[Handler], None]:
    def answer(to: Handler) -> None:
        to.server.ehr.stop.wait(seconds)
        to.send(200, b'{"resourceType": "Bundle", "type": "searchset"}')

    return answer


Found = list[tuple[int, float, Any]]
"""Status, seconds and body of answers."""


def called(running: Served, body: dict[str, Any], times: int, found: Found) -> list[threading.Thread]:
    """Callers at once, each of which calls so many times."""
    sent = json.dumps(body).encode()

    def caller() -> None:
        with session() as client:
            for _ in range(times):
                started = time.monotonic()
                answer = client.post(running.url + URL, data=sent, headers=JSON, timeout=60)
                found.append((answer.status_code, time.monotonic() - started, answer.json()))

    threads = [threading.Thread(target=caller) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    return threads


def p99(found: Found) -> float:
    return sorted(seconds for _, seconds, _ in found)[len(found) * 99 // 100]


def test_forty_callers_on_a_slow_server_refuse_nobody_and_slow_nobody_else_down(tmp_path: Path) -> None:
    whole: dict[str, Any] = json.loads(SAMPLE.read_bytes())
    with serving_fhir() as fhir, serving(tmp_path) as running:
        fhir.all(taking(SLOW))
        access = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, "scope": "x", "subject": "x"}
        lacking = {**whole, "fhirServer": fhir.url, "fhirAuthorization": access}
        lacking["prefetch"] = {"patient": whole["prefetch"]["patient"]}
        alone: Found = []
        for thread in called(running, whole, ROUNDS, alone):
            thread.join()
        slow: Found = []
        beside: Found = []
        waiting = called(running, lacking, 1, slow)
        for thread in called(running, whole, ROUNDS, beside):
            thread.join()
        for thread in waiting:
            thread.join()
        fhir.stop.set()
        with session() as client:
            metrics = client.get(f"{running.url}/metrics", timeout=20).text
    assert {status for status, _, _ in (*slow, *beside)} == {200}
    assert (len(slow), len(beside)) == (CALLERS, CALLERS * ROUNDS)
    assert p99(beside) < 2 * p99(alone) + 0.5, "half a second for a machine that does other things as well"
    assert all("not-checked" in str(answer) for _, _, answer in slow)
    assert 'outcome="fhir-busy"' in metrics
