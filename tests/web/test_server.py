"""``tolami serve`` as a process of its own, called over HTTP."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import requests
from click.testing import Result

from service.server import LIMITS
from service.settings import Settings
from tests.calls import SAMPLE, by_id
from tests.conftest import ROOT
from tests.serving import CALL, COMMAND, HOST, JSON, START, STOP, Served, environment, free_port, serving, session


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


def test_a_port_that_is_taken_is_named_and_another_one_suggested() -> None:
    with closing(socket.socket()) as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        command = [str(COMMAND), "serve", "--host", HOST, "--port", str(port)]
        env = environment()
        ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=START, check=False)
    assert ended.returncode == 1
    assert f"tolami cannot start: {HOST}:{port} cannot be used" in ended.stderr
    assert f"--port {port + 1}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_wrong_setting_is_named(run: Callable[..., Result]) -> None:
    ended = run("serve", TOLAMI_MAX_BODY_BYTES="much")
    assert ended.exit_code == 1
    assert "TOLAMI_MAX_BODY_BYTES" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_nothing_is_written_but_the_counts_and_these_are_gone_with_the_service(tmp_path: Path) -> None:
    home, scratch = tmp_path / "home", tmp_path / "scratch"
    home.mkdir()
    scratch.mkdir()
    folders = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "TMPDIR": str(scratch)}
    with serving(tmp_path, settings=folders) as running:
        with session() as client:
            assert client.get(f"{running.url}/metrics", timeout=CALL).ok
        assert [path.name for path in home.iterdir()] == []
        assert [path.name.startswith("tolami-") for path in scratch.iterdir() if path.is_dir()] == [True]
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(STOP) == 0
    assert list(scratch.iterdir()) == []
    with pytest.raises(requests.ConnectionError), session() as client:
        client.get(f"{running.url}/cds-services", timeout=CALL)


STOPPED_WHILE_FORKING = """
import os, signal, time
from service import server
from service.cli.main import main

def stopped(arbiter, worker):
    os.kill(arbiter.pid, signal.SIGTERM)
    time.sleep(1)  # until the signal has been passed on, before this process handles any

options = server._options
server._options = lambda *given, **named: options(*given, **named) | {"post_fork": stopped}
main()
"""


def test_a_worker_that_is_stopped_before_it_has_begun_stops_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STOPPED_WHILE_FORKING, "serve", "--port", str(free_port())]
    seconds = LIMITS["graceful_timeout"]  # after which it is killed
    ended = subprocess.run(command, cwd=tmp_path, env=environment(), timeout=seconds, check=False)
    assert ended.returncode == 0


def test_a_card_that_is_saved_is_served_and_its_faults_are_named_until_they_are_gone(tmp_path: Path) -> None:
    root = tmp_path / "project"
    for part in ("service", "cards", "fhir_fixtures"):
        shutil.copytree(ROOT / part, root / part)
    card, url = root / "cards/monitoring/pain-score.md", f"http://{HOST}:{(port := free_port())}"
    written = card.read_text(encoding="utf-8")
    command = [sys.executable, "-c", "from service.cli.main import main; main()", "serve", "--reload"]
    given = environment() | {"TOLAMI_DATABASE_URL": f"sqlite:///{tmp_path / 'kept.db'}"}
    running = subprocess.Popen([*command, "--port", str(port), "--workers", "1"], cwd=root, env=given)
    try:
        for title, status in (("Pain score", 200), ("Renamed", 200), ("[", 503), ("Pain score", 200)):
            time.sleep(1.5)  # files are looked at once a second, from when a process is up
            card.write_text(re.sub(r"^title: Pain score", f"title: {title}", written, flags=re.M), encoding="utf-8")
            deadline, page = time.monotonic() + START, None
            while time.monotonic() < deadline:
                with suppress(requests.ConnectionError):
                    page = requests.get(f"{url}/guidance/pain-score", timeout=CALL)
                    if page.status_code == status and (title if status == 200 else "pain-score.md:") in page.text:
                        break
                time.sleep(0.3)
            else:
                pytest.fail(f"{title}: {page.status_code if page is not None else 'not answered'}")
    finally:
        running.terminate()
        running.wait(STOP)
