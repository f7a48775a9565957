"""``tolami serve`` as a process of its own, called over HTTP."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from service.server import SAMPLE
from service.settings import PREFIX, Settings
from tests.calls import by_id

START, STOP, CALL = 30, 15, 10
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

    def workers(self, number: int) -> list[int]:
        """The processes that the server has started, once there are so many: it answers when the first one does."""
        deadline = time.monotonic() + START
        while len(found := self._children()) < number and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(found) == number
        return found

    def _children(self) -> list[int]:
        children = []
        for entry in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                after_name = entry.read_text(encoding="utf-8").rpartition(")")[2].split()
                children += [int(entry.parent.name)] if int(after_name[1]) == self.process.pid else []
        return sorted(children)


def session() -> requests.Session:
    """A client that uses no proxy and keeps no connection."""
    client = requests.Session()
    client.trust_env = False
    client.headers["Connection"] = "close"
    return client


@contextmanager
def processed(folder: Path, settings: dict[str, str]) -> Iterator[Served]:
    """The service as a process that works in a folder, until the end of the block."""
    port = free_port()
    log = folder / "log"
    arguments = [str(COMMAND), "serve", "--host", HOST, "--port", str(port)]
    env = environment() | settings
    with log.open("wb") as out:
        process = subprocess.Popen(arguments, stdout=out, stderr=subprocess.STDOUT, env=env, cwd=folder)
    running = Served(f"http://{HOST}:{port}", process, log)
    try:
        wait_for(running)
        yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with processed(tmp_path_factory.mktemp("served"), {}) as running:
        yield running


def wait_for(running: Served) -> None:
    """Waits until the service answers."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        assert running.process.poll() is None, running.log.read_text(encoding="utf-8")
        with suppress(requests.ConnectionError), session() as client:
            if client.get(f"{running.url}/cds-services", timeout=CALL).ok:
                return
        time.sleep(0.1)
    pytest.fail(f"no answer within {START} s: {running.log.read_text(encoding='utf-8')}")


def test_discovery_answers_over_http(served: Served) -> None:
    with session() as client:
        answer = client.get(f"{served.url}/cds-services", headers=JSON, timeout=CALL)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", JSON["Origin"])
    assert len(answer.json()["services"]) == 5


def test_the_sample_is_answered_over_http(served: Served) -> None:
    with session() as client:
        url = f"{served.url}/cds-services/order-select"
        answer = client.post(url, data=SAMPLE.read_bytes(), headers=JSON, timeout=CALL)
    assert answer.status_code == 200
    assert "tolperisone-with-amitriptyline" in by_id(answer.json()["cards"])
    assert "Ilona" not in served.log.read_text(encoding="utf-8")


def test_a_browser_may_ask_first_without_a_token(served: Served) -> None:
    asked = {
        "Origin": JSON["Origin"],
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    with session() as client:
        answer = client.options(f"{served.url}/cds-services/order-sign", headers=asked, timeout=CALL)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", JSON["Origin"])
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert "authorization" in allowed
    assert "content-type" in allowed


def pieces(body: bytes, spaces: int) -> Iterator[bytes]:
    """A body with white space behind it, in pieces."""
    yield body
    for start in range(0, spaces, 100_000):
        yield b" " * min(100_000, spaces - start)


def test_a_body_sent_in_pieces_is_read_and_one_that_is_too_large_refused(served: Served) -> None:
    url = f"{served.url}/cds-services/order-select"
    with session() as client:
        answer = client.post(url, data=iter([SAMPLE.read_bytes()]), headers=JSON, timeout=CALL)
        assert answer.status_code == 200
        limit = Settings.model_fields["max_body_bytes"].default
        padding = limit - len(SAMPLE.read_bytes())
        answer = client.post(url, data=pieces(SAMPLE.read_bytes(), padding), headers=JSON, timeout=CALL)
        assert answer.status_code == 200, "up to the limit the body is read"
        answer = client.post(url, data=pieces(SAMPLE.read_bytes(), padding + 1), headers=JSON, timeout=CALL)
        assert (answer.status_code, answer.json()["issue"][0]["code"]) == (413, "too-long")
    with session() as client:
        assert client.get(f"{served.url}/cds-services", timeout=CALL).ok, "the service has to go on"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for the workers in /proc")
def test_each_of_the_two_workers_answers_while_the_other_stands_still(served: Served) -> None:
    for stopped in served.workers(2):
        os.kill(stopped, signal.SIGSTOP)
        try:
            with session() as client:
                body = SAMPLE.read_bytes()
                url = f"{served.url}/cds-services/order-select"
                assert client.post(url, data=body, headers=JSON, timeout=CALL).status_code == 200
        finally:
            os.kill(stopped, signal.SIGCONT)


def test_the_start_says_where_discovery_is_and_how_to_try_it(served: Served) -> None:
    log = served.log.read_text(encoding="utf-8")
    assert f"{served.url}/cds-services" in log
    assert "curl" in log
    assert "Not clinically reviewed" in log


def serve_once(port: int, **settings: str) -> subprocess.CompletedProcess[str]:
    """Starts the service where it cannot start."""
    arguments = [str(COMMAND), "serve", "--host", HOST, "--port", str(port)]
    env = environment() | settings
    return subprocess.run(arguments, env=env, capture_output=True, text=True, timeout=START, check=False)


def test_a_port_that_is_taken_is_named_and_another_one_suggested() -> None:
    with closing(socket.socket()) as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        ended = serve_once(port)
    assert ended.returncode == 1
    assert f"tolami cannot start: {HOST}:{port} cannot be used" in ended.stderr
    assert f"--port {port + 1}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_wrong_setting_is_named() -> None:
    ended = serve_once(free_port(), TOLAMI_MAX_BODY_BYTES="much")
    assert ended.returncode == 1
    assert "TOLAMI_MAX_BODY_BYTES" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_service_ends_when_it_is_told_to(tmp_path: Path) -> None:
    port = free_port()
    log = tmp_path / "log"
    arguments = [str(COMMAND), "serve", "--host", HOST, "--port", str(port), "--workers", "1"]
    with log.open("wb") as out:
        process = subprocess.Popen(arguments, stdout=out, stderr=subprocess.STDOUT, env=environment(), cwd=tmp_path)
    try:
        wait_for(Served(f"http://{HOST}:{port}", process, log))
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(STOP)
    with pytest.raises(requests.ConnectionError), session() as client:
        client.get(f"http://{HOST}:{port}/cds-services", timeout=CALL)
