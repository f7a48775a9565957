"""Minutes of mixed load on a served process with two workers: errors, how long answers take, memory.

``python -m tests.benchmarks.soak --minutes 10`` prints a line every half minute and a summary. Nine of ten calls are
about another drug, as in a hospital; the tenth raises cards, and every second time there is feedback on one of them.
``--tokens`` requires tokens, which the callers sign here, on the same machine; ``--postgres`` keeps the records in a
PostgreSQL server of its own. Ends with 1 when anything but 200 came back or when the workers' memory kept growing.
"""

import argparse
import itertools
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import requests

from service.settings import PREFIX
from tests.benchmarks.request import AMITRIPTYLINE, AMOXICILLIN, body
from tests.feedback import entry, feedback
from tests.records.postgres import running_postgres
from tests.serving import Served, serving
from tests.trust.ehr import Ehr, ec, trusting

PATH = "/cds-services/order-sign"
PUBLIC = "https://cds.example.org"
RELATED_EACH = 10
"""Every so many calls one concerns the guidance."""

FEEDBACK_EACH = 2
"""Every so many answers with cards there is feedback."""

REPORT_EACH = 30.0
GROWTH = 1.15
"""How much larger the workers may be in the last quarter than in the second."""


@dataclass
class Measured:
    """What the callers saw; each appends to it, which is atomic."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: list[int | str] = field(default_factory=list)
    memory: list[tuple[float, int]] = field(default_factory=list)


class Caller:
    """One client that calls again as soon as it is answered, on a connection of its own that is kept."""

    def __init__(self, served: Served, ehr: Ehr | None, measured: Measured) -> None:
        self._served = served
        self._ehr = ehr
        self._measured = measured
        self._client = requests.Session()
        self._client.trust_env = False

    def run(self, until: float) -> None:
        """Calls until then."""
        unrelated, related = body(AMOXICILLIN), body(AMITRIPTYLINE)
        with self._client:
            for number in itertools.count():
                if time.monotonic() > until:
                    return
                if number % RELATED_EACH:
                    self._post("another drug", PATH, unrelated)
                    continue
                # Another clinician each time: for the same one an answered card stays quiet.
                answer = self._post("with cards", PATH, related.replace(b"dr-kovacs", f"dr-{uuid4()}".encode(), 1))
                if answer is not None and answer.ok and number % (RELATED_EACH * FEEDBACK_EACH) == 0:
                    sent = feedback(entry(card=answer.json()["cards"][0]["uuid"]))
                    self._post("feedback", f"{PATH}/feedback", sent)

    def _post(self, kind: str, path: str, content: bytes) -> requests.Response | None:
        """One call; what it was answered and how long that took is noted. None without an answer."""
        headers = {"Content-Type": "application/json"}
        if self._ehr:
            headers["Authorization"] = f"Bearer {self._ehr.today().token(PUBLIC + path)}"
        started, answer = time.perf_counter(), None
        try:
            answer = self._client.post(self._served.url + path, data=content, headers=headers, timeout=30)
            self._measured.statuses.append(answer.status_code)
        except requests.RequestException as error:
            self._measured.statuses.append(type(error).__name__)
        self._measured.seconds[kind].append(time.perf_counter() - started)
        return answer


def resident(pid: int) -> int:
    """Resident memory of a process in KiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def percentile(values: list[float], part: float) -> float:
    """The value below which this part lies, in milliseconds."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000 if ordered else 0.0


def load(served: Served, ehr: Ehr | None, seconds: float, clients: int) -> Measured:
    """Calls from several clients side by side; memory is looked at all along."""
    measured = Measured()
    workers = served.workers(2)
    started = time.monotonic()
    callers = [Caller(served, ehr, measured) for _ in range(clients)]
    threads = [threading.Thread(target=caller.run, args=(started + seconds,)) for caller in callers]
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
    """All figures: statuses, a line of times for each kind of call, memory."""
    statuses = ", ".join(f"{number} × {status}" for status, number in Counter(measured.statuses).items())
    calls = len(measured.statuses)
    lines = [f"{calls} calls in {seconds:.0f} s ({calls / seconds:.0f} a second): {statuses}"]
    for kind, values in measured.seconds.items():
        times = "  ".join(f"p{part:g} {percentile(values, part / 100):.0f} ms" for part in (50, 95, 99, 99.9))
        lines.append(f"{kind:<12} {len(values):8} calls  {times}")
    lines.append(f"memory of the workers {measured.memory[-1][1] // 1024} MiB, {grown(measured):.2f} × before")
    return "\n".join(lines)


def main() -> int:
    """Serves, loads, prints; 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, help="how long to call (default: 10)")
    parser.add_argument("--clients", type=int, default=8, help="callers side by side (default: 8)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the service")
    parser.add_argument("--tokens", action="store_true", help="require tokens")
    parser.add_argument("--postgres", action="store_true", help="keep the records in PostgreSQL, not in SQLite")
    asked = parser.parse_args()
    ehr = Ehr(ec("soak")) if asked.tokens else None
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = dict(pair.split("=", 1) for pair in asked.set) | {"TOLAMI_LOG_LEVEL": "warning"}
        if ehr:
            settings |= {f"{PREFIX}{name.upper()}": value for name, value in trusting(folder, ehr).items()}
        if asked.postgres:
            settings["TOLAMI_DATABASE_URL"] = stack.enter_context(running_postgres()).new_database()
        served = stack.enter_context(serving(folder, settings=settings))
        measured = load(served, ehr, asked.minutes * 60, asked.clients)
        print(summary(measured, asked.minutes * 60))
        print(served.logged() or "nothing was logged")
    return int(set(measured.statuses) != {200} or grown(measured) > GROWTH)


if __name__ == "__main__":
    sys.exit(main())
