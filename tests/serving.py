"""``tolami serve`` as a process of its own, for the tests that call it over HTTP."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from service.settings import PREFIX

START, STOP, CALL = 60, 15, 20
"""Seconds that a start, a stop and a call may take at most."""

HOST = "127.0.0.1"
COMMAND = Path(sys.executable).with_name("tolami")
JSON = {"Content-Type": "application/json", "Origin": "https://ehr.example.org"}


def environment() -> dict[str, str]:
    """The environment without settings of the service."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Served:
    """A running service."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])

    def logged(self) -> str:
        """Everything it has written so far."""
        return self.log.read_text(encoding="utf-8")

    def workers(self, number: int) -> list[int]:
        """The processes that the server has started, once there are so many: it answers when the first one does."""
        deadline = time.monotonic() + START
        while len(found := children_of(self.process.pid)) < number and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(found) == number
        return found

    def kill(self, workers: int) -> None:
        """Ends it and its workers at once, without a chance to write anything."""
        for pid in (self.process.pid, *self.workers(workers)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(STOP)


def children_of(parent: int) -> list[int]:
    """The processes that a process has started."""
    children = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            after_name = entry.read_text(encoding="utf-8").rpartition(")")[2].split()
            children += [int(entry.parent.name)] if int(after_name[1]) == parent else []
    return sorted(children)


def session() -> requests.Session:
    """A client that uses no proxy and keeps no connection."""
    client = requests.Session()
    client.trust_env = False
    client.headers["Connection"] = "close"
    return client


@contextmanager
def serving(
    folder: Path, *arguments: str, port: int = 0, settings: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """The service with these options and settings; what it keeps and logs goes to the folder."""
    port = port or free_port()
    log = folder / "log"
    command = [str(COMMAND), "serve", "--host", HOST, "--port", str(port), *arguments]
    env = environment() | dict(settings or {})
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=env, cwd=folder)
    running = Served(f"http://{HOST}:{port}", process, log)
    try:
        wait_for(running)
        yield running
    finally:
        stop(running)


def wait_for(running: Served) -> None:
    """Waits until the service answers, be it with a refusal."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        assert running.process.poll() is None, running.logged()
        with suppress(requests.ConnectionError), session() as client:
            if client.get(f"{running.url}/cds-services", timeout=CALL).status_code < 500:
                return
        time.sleep(0.1)
    raise AssertionError(f"no answer within {START} s: {running.logged()}")


def stop(running: Served) -> None:
    """Ends the service, at the latest by force."""
    if running.process.poll() is None:
        running.process.send_signal(signal.SIGTERM)
        try:
            running.process.wait(STOP)
        except subprocess.TimeoutExpired:
            running.process.kill()
            running.process.wait(STOP)
