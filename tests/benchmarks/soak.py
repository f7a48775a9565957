"""Minutes of mixed load on a served process with two workers: errors, how long answers take, memory.

``python -m tests.benchmarks.soak --minutes 10`` prints a line every half minute and a summary. Nine of ten calls are
about another drug, as in a hospital; the tenth raises cards. Ends with 1 when anything but 200 came back or when the
workers' memory kept growing.
"""

import argparse
import itertools
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.benchmarks.request import AMITRIPTYLINE, AMOXICILLIN, body
from tests.serving import Served, serving, session

PATH = "/cds-services/order-sign"
JSON = {"Content-Type": "application/json"}
RELATED_EACH = 10
"""Every so many calls one concerns the guidance."""

REPORT_EACH = 30.0
GROWTH = 1.15
"""How much larger the workers may be in the last quarter than in the second."""


@dataclass
class Measured:
    """What the callers saw; each appends to it, which is atomic."""

    seconds: list[float] = field(default_factory=list)
    statuses: list[int | str] = field(default_factory=list)
    memory: list[tuple[float, int]] = field(default_factory=list)


def caller(served: Served, measured: Measured, until: float) -> None:
    """One client that calls again as soon as it is answered, on a connection of its own that is kept."""
    unrelated, related = body(AMOXICILLIN), body(AMITRIPTYLINE)
    with requests.Session() as client:
        client.trust_env = False
        for number in itertools.count():
            if time.monotonic() > until:
                return
            started = time.perf_counter()
            try:
                content = related if number % RELATED_EACH == 0 else unrelated
                status: int | str = client.post(served.url + PATH, data=content, headers=JSON, timeout=30).status_code
            except requests.RequestException as error:
                status = type(error).__name__
            measured.seconds.append(time.perf_counter() - started)
            measured.statuses.append(status)


def resident(pid: int) -> int:
    """Resident memory of a process in KiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def percentile(values: list[float], part: float) -> float:
    """The value below which this part lies, in milliseconds."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000 if ordered else 0.0


def load(served: Served, seconds: float, clients: int) -> Measured:
    """Calls from several clients side by side; memory is looked at all along."""
    measured = Measured()
    workers = served.workers(2)
    started = time.monotonic()
    threads = [threading.Thread(target=caller, args=(served, measured, started + seconds)) for _ in range(clients)]
    for thread in threads:
        thread.start()
    next_report = started + REPORT_EACH
    while any(thread.is_alive() for thread in threads):
        time.sleep(1)
        now = time.monotonic()
        measured.memory.append((now - started, sum(resident(pid) for pid in workers)))
        if now > next_report:
            next_report += REPORT_EACH
            print(f"{now - started:6.0f} s  {len(measured.statuses):8} calls  {measured.memory[-1][1] // 1024} MiB")
    return measured


def grown(measured: Measured) -> float:
    """Memory of the last quarter against that of the second, once everything is warm."""
    sizes = [size for _, size in measured.memory]
    quarter = max(1, len(sizes) // 4)
    return statistics.median(sizes[-quarter:]) / statistics.median(sizes[quarter : 2 * quarter] or sizes)


def summary(measured: Measured, seconds: float) -> str:
    """All figures in three lines."""
    statuses = ", ".join(f"{number} × {status}" for status, number in Counter(measured.statuses).items())
    latency = "  ".join(f"p{part:g} {percentile(measured.seconds, part / 100):.0f} ms" for part in (50, 95, 99, 99.9))
    calls = len(measured.statuses)
    return (
        f"{calls} calls in {seconds:.0f} s ({calls / seconds:.0f} a second): {statuses}"
        f"\n{latency}\nmemory of the workers {measured.memory[-1][1] // 1024} MiB, {grown(measured):.2f} × before"
    )


def main() -> int:
    """Serves, loads, prints; 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, help="how long to call (default: 10)")
    parser.add_argument("--clients", type=int, default=8, help="callers side by side (default: 8)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the service")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = dict(pair.split("=", 1) for pair in asked.set) | {"TOLAMI_LOG_LEVEL": "warning"}
        with serving(Path(folder), settings=settings) as served:
            with session() as client:
                client.post(served.url + PATH, data=body(AMITRIPTYLINE), headers=JSON, timeout=30)
            measured = load(served, asked.minutes * 60, asked.clients)
            print(summary(measured, asked.minutes * 60))
            print(served.logged() or "nothing was logged")
    return int(set(measured.statuses) != {200} or grown(measured) > GROWTH)


if __name__ == "__main__":
    sys.exit(main())
