"""CPU and time of a call as it is served, beside a bare Flask route that is served the same way.

Two servers of two processes run on this machine: the service with its log, metrics and records, and a bare route. CPU
is that of all processes of a server, its background threads included, with a new connection for each call; rounds
take turns, and each is compared with the bare round beside it. Time is measured at eight kept connections.
"""

import gc
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from service.metrics import Metrics
from service.server import LIMITS, ReceivingWorker
from service.settings import Settings
from tests.benchmarks.calls import bare
from tests.benchmarks.request import AMITRIPTYLINE, AMOXICILLIN, body
from tests.serving import HOST, STOP, free_port, serving

ROUNDS, CALLS = 15, 100
KEPT, SECONDS = 8, 5.0
WRITTEN = 0.7
"""Seconds after a round in which records are written."""

AIM = {"unrelated draft": 0.6, "six cards": 3.5}
PATH, NOTHING = "/cds-services/order-sign", "/nothing"
JSON = {"Content-Type": "application/json"}


class Bare(BaseApplication):
    """The bare route under the same worker."""

    def __init__(self, port: int) -> None:
        self._port = port
        super().__init__()

    def load_config(self) -> None:
        """As the service does; called by gunicorn."""
        chosen = {"bind": f"{HOST}:{self._port}", "workers": 2, "threads": 8, "worker_class": ReceivingWorker}
        for name, value in (LIMITS | chosen | {"preload_app": True, "control_socket_disable": True}).items():
            self.cfg.set(name, value)

    def load(self) -> Flask:  # type: ignore[override]  # Flask is the WSGI callable asked for
        """The application with what the worker needs of it; called by gunicorn."""
        app = bare()
        app.config["MAX_CONTENT_LENGTH"] = Settings().max_body_bytes
        app.extensions["metrics"] = Metrics({})
        gc.freeze()
        return app


@contextmanager
def serving_bare() -> Iterator[tuple[int, int]]:
    """Port and process of a running bare route."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.benchmarks.served", str(port)], stderr=subprocess.DEVNULL)
    try:
        while not _answers(port):
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(STOP)


def _answers(port: int) -> bool:
    try:
        call(HTTPConnection(HOST, port, timeout=STOP), body(AMOXICILLIN))
    except OSError:
        return False
    return True


def call(connection: HTTPConnection, content: bytes, path: str = PATH) -> bytes:
    """One call; raises RuntimeError unless it is answered well."""
    connection.request("POST", path, content, JSON)
    answer = connection.getresponse()
    found = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"the call was answered {answer.status}")
    return found


def cpu(pid: int) -> float:
    """Milliseconds of CPU that a server and its processes have used, by the kernel's count for each thread."""
    used = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = (process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1]
            if str(pid) in (parent, process.name):
                used += sum(
                    int(task.read_text(encoding="utf-8").split()[0]) for task in process.glob("task/*/schedstat")
                )
        except OSError:
            continue
    return used / 1e6


def cpu_of_calls(port: int, pid: int, content: bytes, path: str = PATH) -> float:
    """Milliseconds of CPU for each call of a round."""
    before = cpu(pid)
    for _ in range(CALLS):
        connection = HTTPConnection(HOST, port, timeout=STOP)
        call(connection, content, path)
        connection.close()
    time.sleep(WRITTEN)
    return (cpu(pid) - before) / CALLS


def waiting_times(port: int, content: bytes) -> list[float]:
    """Sorted milliseconds of calls from ``KEPT`` clients at once, each of which keeps its connection."""
    found: list[float] = []
    until = time.monotonic() + SECONDS

    def client() -> None:
        connection = HTTPConnection(HOST, port, timeout=STOP)
        while time.monotonic() < until:
            started = time.perf_counter()
            call(connection, content)
            found.append((time.perf_counter() - started) * 1000)
        connection.close()

    clients = [threading.Thread(target=client) for _ in range(KEPT)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    return sorted(found)


def main() -> None:
    """Prints both tables."""
    related, unrelated = body(AMITRIPTYLINE), body(AMOXICILLIN)
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as running, serving_bare() as (port, pid):
        service = running.port, running.process.pid
        cases: dict[str, tuple[Any, ...]] = {
            "bare route": (port, pid, related),
            "nothing read": (port, pid, related, NOTHING),
            "unrelated draft": (*service, unrelated),
            "six cards": (*service, related),
        }
        used: dict[str, list[float]] = {name: [] for name in cases}
        for number in range(ROUNDS + 1):
            for name, case in cases.items():
                found = cpu_of_calls(*case)
                if number:  # the first round warms up
                    used[name].append(found)
        print(f"as served, request {len(related) / 1000:.0f} KB; medians of {ROUNDS} rounds of {CALLS} calls")
        for name, values in used.items():
            ratio = statistics.median(value / floor for value, floor in zip(values, used["bare route"], strict=True))
            aim = f" (aim at most {AIM[name]})" if name in AIM else ""
            print(f"{name:<20} CPU {statistics.median(values):6.2f} ms {ratio:6.2f} × bare{aim}")
        print(f"{KEPT} kept connections, {SECONDS:.0f} s each")
        for name, (at, _, content, *_) in cases.items():
            if name == "nothing read":
                continue
            times = waiting_times(at, content)
            p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
            print(f"{name:<20} {len(times):6} calls  p50 {p50:6.1f} ms  p99 {p99:6.1f} ms")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Bare(int(sys.argv[1])).run()
    else:
        main()
