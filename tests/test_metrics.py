"""What is counted, under labels of which there is a known number."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.metrics import OTHER, Metrics
from service.records.kept import Exchange, ShownCard, StoredFeedback

KNOWN = {
    "hook": frozenset({"order-sign"}),
    "card": frozenset({"pain-score"}),
    "reason": frozenset({"dose-missing"}),
    "key": frozenset({"patient"}),
    "fetched": frozenset({"ok"}),
    "refusal": frozenset({"expired"}),
}
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
STRANGE = "Ilona Example"


def value(metrics: Metrics, name: str, **labels: str) -> float:
    """The value of one series in the exposition; 0 when there is none."""
    families = text_string_to_metric_families(metrics.exposition().decode())
    found = [s.value for family in families for s in family.samples if s.name == name and s.labels == labels]
    assert len(found) <= 1
    return found[0] if found else 0


def outcome(said: str) -> StoredFeedback:
    return StoredFeedback("0000", said, NOON, NOON)


def exchange(card: str, indicator: str, reason: str) -> Exchange:
    shown = (ShownCard("0000", card, indicator),)
    return Exchange(NOON, "anybody", "", "order-sign", "1", shown, (reason,), 3.0)


def test_requests_are_counted_and_timed_by_endpoint_hook_and_status() -> None:
    metrics = Metrics(KNOWN)
    metrics.answered("invoke", "order-sign", 200, 0.02)
    metrics.answered("invoke", "order-sign", 200, 7.0)
    metrics.answered("invoke", "order-sign", 412, 0.02)
    of_hook = {"endpoint": "invoke", "hook": "order-sign"}
    assert value(metrics, "tolami_requests_total", **of_hook, status="200") == 2
    assert value(metrics, "tolami_requests_total", **of_hook, status="412") == 1
    assert value(metrics, "tolami_request_seconds_count", **of_hook) == 3
    assert value(metrics, "tolami_request_seconds_bucket", **of_hook, le="5.0") == 2


def test_what_is_being_worked_on_goes_up_and_down() -> None:
    metrics = Metrics(KNOWN)
    metrics.began()
    metrics.began()
    metrics.ended()
    assert value(metrics, "tolami_requests_running") == 1


def test_everything_has_a_counter_of_its_own() -> None:
    metrics = Metrics(KNOWN)
    metrics.exchanged(exchange("pain-score", "info", "dose-missing"))
    metrics.fetched("patient", "ok", 0.2)
    metrics.refused("expired")
    metrics.feedback_kept([outcome("overridden")])
    metrics.recorded("spilled", 3)
    metrics.dropped("slow")
    metrics.serving("1.2.3")
    assert value(metrics, "tolami_cards_total", card="pain-score", indicator="info") == 1
    assert value(metrics, "tolami_not_checked_total", reason="dose-missing") == 1
    assert value(metrics, "tolami_fhir_fetches_total", key="patient", outcome="ok") == 1
    assert value(metrics, "tolami_fhir_fetch_seconds_sum", key="patient") == 0.2
    assert value(metrics, "tolami_refused_tokens_total", reason="expired") == 1
    assert value(metrics, "tolami_feedback_total", outcome="overridden") == 1
    assert value(metrics, "tolami_records_total", outcome="spilled") == 3
    assert value(metrics, "tolami_connections_dropped_total", reason="slow") == 1
    assert value(metrics, "tolami_guidance_info", version="1.2.3") == 1


def test_what_is_not_known_beforehand_is_counted_as_other_and_never_shown() -> None:
    metrics = Metrics(KNOWN)
    metrics.answered("invoke", STRANGE, 200, 0.1)
    metrics.exchanged(exchange(STRANGE, STRANGE, STRANGE))
    metrics.fetched(STRANGE, STRANGE, 0.1)
    metrics.refused(STRANGE)
    metrics.feedback_kept([outcome(STRANGE)])
    metrics.recorded(STRANGE)
    metrics.dropped(STRANGE)
    assert STRANGE not in metrics.exposition().decode()
    assert value(metrics, "tolami_refused_tokens_total", reason=OTHER) == 1
    assert value(metrics, "tolami_cards_total", card=OTHER, indicator=OTHER) == 1


COUNTING = """
import os
from service.metrics import Metrics, process_ended, shared_counts
with shared_counts() as folder:
    metrics = Metrics({"hook": frozenset({"order-sign"})}, folder)
    metrics.serving("1")
    for calls in (2, 3):
        child = os.fork()
        if not child:
            metrics.began()
            for _ in range(calls):
                metrics.answered("invoke", "order-sign", 200, 0.01)
            raise SystemExit
        os.waitpid(child, 0)
        if calls == 3:
            process_ended(child, folder)
    print(metrics.exposition().decode())
print("left:", folder.exists())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_counts_of_all_processes_are_added_up_and_outlive_a_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", COUNTING]
    env = os.environ | {"TMPDIR": str(tmp_path)}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=env)
    assert 'tolami_requests_total{endpoint="invoke",hook="order-sign",status="200"} 5.0' in ended.stdout
    assert "tolami_requests_running 1.0" in ended.stdout, "of the two that ended at work, one was taken off"
    assert "left: False" in ended.stdout
    assert 'tolami_guidance_info{version="1"} 1.0' in ended.stdout
