"""``docs/operations.md`` names every metric with its labels, and the limits that hold."""

import re

import pytest
from prometheus_client.metrics import MetricWrapperBase

from service import arriving, receiving
from service.fhir import chart_reader as reading
from service.fhir import prefetch, session
from service.metrics import CLOSED, Metrics
from service.server import LIMITS
from service.settings import Settings
from tests.conftest import ROOT

PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("## Metrics")[2].partition("###")[0]
ROWS = {match[1]: match[0] for match in re.finditer(r"^\| `(tolami_\w+)` \|.*$", TABLE, re.MULTILINE)}


def metrics() -> dict[str, tuple[str, ...]]:
    """Every metric with its labels, by the name under which it is asked for."""
    found = {}
    for collector in vars(Metrics({})).values():
        if isinstance(collector, MetricWrapperBase):
            (family,) = collector.describe()
            name = f"{family.name}_total" if family.type == "counter" else family.name
            found[name] = tuple(collector._labelnames)
    return found


def test_every_metric_has_its_row_with_its_labels_and_no_row_is_left_over() -> None:
    assert metrics().keys() == ROWS.keys()
    for name, labels in metrics().items():
        shown = ", ".join(f"`{label}`" for label in labels)
        assert ROWS[name].split("|")[2].strip() == shown, name


def test_only_metrics_that_exist_are_watched() -> None:
    assert set(re.findall(r"tolami_\w+", PAGE)) == metrics().keys()


def test_every_reason_for_dropping_a_connection_is_named() -> None:
    for reason in CLOSED["dropped"]:
        assert f"`{reason}`" in ROWS["tolami_connections_dropped_total"]


@pytest.mark.parametrize(
    ("what", "limit"),
    [
        ("Body", Settings().max_body_bytes // 1024**2),
        ("Head of a request", arriving.HEAD_BYTES // 1024),
        ("Sizes and extensions of a chunked body", arriving.LINE_BYTES // 1024),
        ("Orders in the context", session.MOST_ORDERS),
        ("Orders in the context", reading.MOST_DRAFTS),
        ("Entries of one prefetch key, sent or fetched", prefetch.MOST_ENTRIES),
        ("Time for a request to arrive, from its first byte", int(arriving.RECEIVE_SECONDS)),
        ("Time that a complete request waits for a thread", int(arriving.WAIT_SECONDS)),
        ("Time for which sending may stall", int(receiving.SEND_SECONDS)),
        ("Fetching from FHIR servers in one call", int(Settings().fhir_deadline)),
        ("Connections of one process", LIMITS["worker_connections"]),
        ("Bytes of unfinished requests in one process", arriving.HELD_BYTES // 1024**2),
        ("Connections not yet accepted", LIMITS["backlog"]),
        ("Kept connection without a request", LIMITS["keepalive"]),
        ("Process that hangs", LIMITS["timeout"]),
        ("Kept connection without a request at shutdown", receiving.IDLE_SECONDS),
        ("Calls still running at shutdown", LIMITS["graceful_timeout"]),
    ],
)
def test_every_limit_is_the_one_that_holds(what: str, limit: float) -> None:
    (row,) = re.findall(rf"^\| {re.escape(what)} \|(.*?)\|", PAGE, re.MULTILINE)
    assert re.search(rf"\b{limit}\b", row), f"{what}: {row} is not {limit}"
