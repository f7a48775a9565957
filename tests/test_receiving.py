"""Slow clients, floods and nonsense take nothing down: a real server goes on answering, and says so."""

import json
import os
import re
import resource
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from waitress.adjustments import Adjustments

from service.arriving import HEAD_BYTES, RECEIVE_SECONDS, Request
from service.receiving import Channel
from service.server import LIMITS
from tests.calls import SAMPLE
from tests.serving import CALL, HOST, JSON, STOP, Served, serving, session

SERVICE = "/cds-services/order-select"
PATIENT = b"Ilona-Example-4711"
THREADS = 2 * 4
SLOW = RECEIVE_SECONDS + 20
"""Seconds after which a slow client is certainly cut off, on a busy machine."""


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service of one process that may open many connections."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(LIMITS["worker_connections"] + 500, files[1]), files[1]))
    with serving(tmp_path_factory.mktemp("alone"), "--workers", "1") as running:
        yield running


def test_the_loop_leaves_sending_to_the_thread_that_answers() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        channel = Channel(SimpleNamespace(active_channels={}), ours, "", Adjustments(), {})
        channel.total_outbufs_len = 108
        assert channel.writable(), "what nobody else sends"
        channel.requests = [Request(channel.adj)]
        assert not channel.writable(), "a thread is sending it: the loop would turn until it has done so"
        channel.total_outbufs_len = channel.adj.outbuf_high_watermark + 1
        assert channel.writable(), "the thread waits for room"
        channel.total_outbufs_len, channel.will_close = 108, True
        assert channel.writable(), "it is to be closed"


def connected(running: Served, sent: bytes = b"") -> socket.socket:
    connection = socket.create_connection((HOST, running.port), timeout=CALL)
    connection.sendall(sent)
    return connection


def head(length: int | str, *lines: str) -> bytes:
    return "\r\n".join(
        [
            f"POST {SERVICE} HTTP/1.1",
            "Host: x",
            "Content-Type: application/json",
            f"Content-Length: {length}",
            *lines,
            "",
            "",
        ]
    ).encode()


def answered(connection: socket.socket, timeout: float = CALL) -> bytes:
    """Everything that comes until the server closes the connection or an answer is complete."""
    connection.settimeout(timeout)
    received = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            received += piece
            start = received.find(b"\r\n\r\n") + 4
            length = re.search(rb"Content-Length: (\d+)", received[:start])
            if length is not None and len(received) >= start + int(length[1]):
                return received
    return received


def assert_answers(running: Served) -> None:
    """A call is answered, at once."""
    with session() as client:
        answer = client.post(running.url + SERVICE, data=SAMPLE.read_bytes(), headers=JSON, timeout=CALL)
    assert answer.status_code == 200
    assert answer.json()["cards"]


def test_an_answer_goes_out_in_one_piece(alone: Served) -> None:
    with connected(alone, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") as connection:
        found, _, body = connection.recv(65536).partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in found
    assert body


def metric(running: Served, series: str) -> float:
    with session() as client:
        text = client.get(f"{running.url}/metrics", timeout=CALL).text
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_who_asks_on_and_on_and_reads_nothing_holds_no_thread(alone: Served) -> None:
    before = metric(alone, FLOOD)
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 1000
    greedy = [connected(alone, asked) for _ in range(12)]
    try:
        assert_answers(alone)
        waited_for(alone, FLOOD, before + len(greedy))
        received = b"".join(iter(lambda: greedy[0].recv(65536), b""))
    finally:
        for connection in greedy:
            connection.close()
    assert received.startswith(b"HTTP/1.1 200")
    assert received.count(b"HTTP/1.1 503") == 1, "the last answer says why there are no more"


def cpu_seconds(running: Served) -> float:
    """What its processes have used so far."""
    ticks = 0
    for pid in running.workers(2):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(running: Served) -> int:
    """What its one process holds, in bytes."""
    (pid,) = running.workers(1)
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def waited_for(running: Served, series: str, least: float) -> None:
    deadline = time.monotonic() + SLOW
    while (now := metric(running, series)) < least:
        assert time.monotonic() < deadline, f"{series} is {now}, not {least}"
        time.sleep(0.2)


BODY = SAMPLE.read_bytes()
BEGUN = {
    "nothing": b"",
    "half a line": b"POST /cds-serv",
    "half a head": b"POST / HTTP/1.1\r\nHost: x\r\nX-Patient: " + PATIENT,
    "half a body": head(len(BODY)) + BODY[:200],
    "half a chunk": head(5).replace(b"Content-Length: 5", b"Transfer-Encoding: chunked") + b"400\r\n{",
}


@pytest.mark.parametrize("begun", BEGUN.values(), ids=BEGUN)
def test_many_clients_that_begin_and_wait_do_not_stop_the_others(served: Served, begun: bytes) -> None:
    with ExitStack() as open_ones:
        for _ in range(6 * THREADS):
            open_ones.enter_context(connected(served, begun))
        for _ in range(3):
            assert_answers(served)


def test_a_client_that_is_too_slow_is_told_so_and_cut_off(served: Served) -> None:
    dropped = 'tolami_connections_dropped_total{reason="slow"}'
    before = metric(served, dropped)
    with connected(served, head(len(BODY)) + BODY[:100]) as stalled, connected(served) as dripping:
        stop = threading.Event()

        def drip() -> None:
            with suppress(OSError):
                for byte in b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 1000:
                    dripping.sendall(bytes([byte]))
                    if stop.wait(0.5):
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            assert b"408 Request Timeout" in answered(stalled, SLOW)
            waited_for(served, dropped, before + 2)
        finally:
            stop.set()
            thread.join(CALL)
    assert_answers(served)


def test_a_request_sent_in_small_pieces_is_answered(served: Served) -> None:
    request = head(len(BODY)) + BODY
    with connected(served) as connection:
        for start in range(0, len(request), 500):
            connection.sendall(request[start : start + 500])
            time.sleep(0.01)
        assert b"200 OK" in answered(connection)


def test_a_client_that_asks_whether_to_send_is_invited(served: Served) -> None:
    with connected(served, head(len(BODY), "Expect: 100-continue")) as connection:
        connection.settimeout(CALL)
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.sendall(BODY)
        assert b"200 OK" in answered(connection)


def test_several_requests_on_one_connection_are_answered_even_when_sent_at_once(served: Served) -> None:
    with requests.Session() as client:
        client.trust_env = False
        for _ in range(3):
            answer = client.post(served.url + SERVICE, data=BODY, headers=JSON, timeout=CALL)
            assert answer.status_code == 200
            assert answer.headers.get("Connection", "keep-alive") == "keep-alive"
    with connected(served, (head(len(BODY)) + BODY) * 2) as connection:
        received = answered(connection)
        while received.count(b"200 OK") < 2:
            more = answered(connection)
            assert more, received[-200:]
            received += more


def outcome(answer: bytes) -> dict[str, Any]:
    """The OperationOutcome of an answer that the server gave itself."""
    body: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert body["resourceType"] == "OperationOutcome"
    return body


CHUNKED = head(5).replace(b"Content-Length: 5", b"Transfer-Encoding: chunked")
NONSENSE = {
    "no HTTP": (b"\x16\x03\x01 " + PATIENT + b"\r\n\r\n", 400),
    "a wrong header": (b"GET / HTTP/1.1\r\nX Patient: " + PATIENT + b"\r\n\r\n", 400),
    "a length of too many digits": (head(5).replace(b"Content-Length: 5", b"Content-Length: " + b"9" * 5000), 400),
    "two lengths": (head(5, "Content-Length: 6") + b"abcdef", 400),
    "a length that is none": (head("+5") + b"abcde", 400),
    "a chunk that is none": (head(5).replace(b"Content-Length: 5", b"Transfer-Encoding: chunked") + b"x\r\n", 400),
    "a long address": (b"GET /" + PATIENT * 2000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
    "a long header": (b"GET / HTTP/1.1\r\nX: " + PATIENT * 2000 + b"\r\n\r\n", 431),
    "an endless head": (b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 20_000, 431),
    "a body announced too large": (head(5_000_000, "Expect: 100-continue"), 413),
    "no host": (b"GET /healthz HTTP/1.1\r\nX-Patient: " + PATIENT + b"\r\n\r\n", 400),
    "two hosts": (b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    "a host that is none": (b"GET /healthz HTTP/1.1\r\nHost: a/b@" + PATIENT + b"\r\n\r\n", 400),
    "a length and chunks": (head(5, "Transfer-Encoding: chunked") + b"0\r\n\r\n", 400),
    "chunks in HTTP/1.0": (CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0") + b"0\r\n\r\n", 400),
    "an unknown transfer coding": (CHUNKED.replace(b"chunked", b"gzip") + b"x", 501),
    "a chunk line that does not end": (CHUNKED + b"5;" + b"a" * 30_000, 400),
    "a trailer that does not end": (CHUNKED + b"0\r\n" + b"a" * 30_000, 400),
    "a body in the smallest chunks": (CHUNKED + b"1\r\n \r\n" * 20_000, 413),
}


@pytest.mark.parametrize(("sent", "status"), NONSENSE.values(), ids=NONSENSE)
def test_what_is_no_request_is_refused_and_nothing_of_it_repeated(served: Served, sent: bytes, status: int) -> None:
    with connected(served) as connection:
        with suppress(ConnectionError):
            connection.sendall(sent)
        answer = answered(connection)
    assert re.match(rb"HTTP/1\.[01] %d " % status, answer)
    assert outcome(answer)["issue"][0]["diagnostics"]
    assert PATIENT not in answer
    assert PATIENT.decode() not in served.logged()
    assert_answers(served)


def test_http_1_0_needs_no_host_and_an_empty_one_is_one(served: Served) -> None:
    for request in (b"GET /healthz HTTP/1.0\r\n\r\n", b"GET /healthz HTTP/1.1\r\nHost:\r\n\r\n"):
        with connected(served, request) as connection:
            assert b" 200 OK" in answered(connection)


def test_a_client_that_is_refused_while_it_sends_can_read_why(served: Served) -> None:
    with connected(served) as connection:
        connection.sendall(head(30_000_000))
        for _ in range(300):
            connection.sendall(b" " * 100_000)
        answer = answered(connection)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert outcome(answer)["issue"][0]["code"] == "too-long"


DRIPPED = {
    "a head": b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * (HEAD_BYTES - 2000),
    "a chunk line": CHUNKED + b"5;" + b"a" * 3000,
    "a trailer": CHUNKED + b"0\r\n" + b"a" * 3000,
}


@pytest.mark.parametrize("opening", DRIPPED.values(), ids=DRIPPED)
def test_a_line_that_does_not_end_costs_little_for_each_byte(served: Served, opening: bytes) -> None:
    before = cpu_seconds(served)
    with connected(served, opening) as connection:
        for _ in range(500):
            connection.sendall(b"a")
            time.sleep(0.001)
        assert_answers(served)
    assert cpu_seconds(served) - before < 0.8, "a byte may cost a look at what is held, not milliseconds"


def test_calls_that_have_arrived_when_the_service_stops_are_answered(tmp_path: Path) -> None:
    with serving(tmp_path, "--workers", "1") as running:
        (worker,) = running.workers(1)
        os.kill(worker, signal.SIGSTOP)
        sent = head(len(SAMPLE.read_bytes()), "Connection: close") + SAMPLE.read_bytes()
        with ExitStack() as open_ones:
            waiting = [open_ones.enter_context(connected(running, sent)) for _ in range(20)]
            running.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            os.kill(worker, signal.SIGCONT)
            answers = [answered(connection)[:12] for connection in waiting]
    assert answers == [b"HTTP/1.1 200"] * len(waiting)


def test_no_call_on_a_kept_connection_is_lost_when_the_service_stops(tmp_path: Path) -> None:
    lost: list[Exception] = []
    announced: list[bool] = []

    def call_after_call() -> None:
        connection = HTTPConnection(HOST, running.port, timeout=STOP)
        try:
            closing = False
            while not closing:
                connection.request("POST", SERVICE, SAMPLE.read_bytes(), JSON)
                answer = connection.getresponse()
                answer.read()
                closing = answer.getheader("Connection") == "close"
            announced.append(answer.status == 200)
        except (OSError, HTTPException) as error:
            lost.append(error)

    with serving(tmp_path, "--workers", "1") as running, ThreadPoolExecutor(8) as clients:
        for _ in range(8):
            clients.submit(call_after_call)
        time.sleep(0.5)
        running.process.send_signal(signal.SIGTERM)
    assert (lost, announced) == ([], [True] * 8)


FLOOD = 'tolami_connections_dropped_total{reason="flood"}'


def test_a_body_that_is_held_back_does_not_fill_the_memory(alone: Served) -> None:
    before, dropped = memory(alone), metric(alone, FLOOD)
    with ExitStack() as open_ones:
        for _ in range(40):
            connection = open_ones.enter_context(connected(alone, head(4_000_000)))
            with suppress(ConnectionError):
                connection.sendall(b" " * 3_900_000)
        assert_answers(alone)
        waited_for(alone, FLOOD, dropped + 20)
        assert memory(alone) - before < 120 * 1024**2


def test_a_flood_of_connections_pushes_out_those_that_say_nothing(alone: Served) -> None:
    dropped = metric(alone, FLOOD)
    with ExitStack() as open_ones:
        for _ in range(LIMITS["worker_connections"] + 50):
            open_ones.enter_context(connected(alone))
        assert_answers(alone)
        waited_for(alone, FLOOD, dropped + 50)


def test_calls_that_have_begun_are_finished_when_the_service_is_told_to_end(tmp_path: Path) -> None:
    with serving(tmp_path, "--workers", "1") as running:
        with connected(running, head(len(BODY)) + BODY[:-10]) as begun, connected(running) as idle:
            assert_answers(running)
            running.process.send_signal(signal.SIGTERM)
            assert idle.recv(10) == b"", "a connection on which nothing was asked is closed"
            begun.sendall(BODY[-10:])
            answer = answered(begun)
            assert b"200 OK" in answer
            assert b"tolperisone-with-amitriptyline" in answer
        assert running.process.wait(STOP) == 0


def test_the_counts_of_a_worker_that_was_killed_are_kept(served: Served) -> None:
    series = 'tolami_requests_total{endpoint="invoke",hook="order-select",status="200"}'
    at_first = metric(served, series)
    for _ in range(20):
        assert_answers(served)
    assert metric(served, series) == at_first + 20
    before = served.workers(2)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + SLOW
    while not set(served.workers(2)).isdisjoint(before):
        assert time.monotonic() < deadline
    assert_answers(served)
    assert metric(served, series) == at_first + 21
    assert metric(served, "tolami_requests_running") == 1, "the question itself, and none of the dead"
    lines = [json.loads(line) for line in served.logged().splitlines() if line.startswith("{")]
    assert any("SIGKILL" in line.get("message", "") for line in lines), "an operator has to see why"
