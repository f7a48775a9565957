"""A key set at an address is fetched when it is needed, kept while the address fails, and asked for seldom."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from service.trust import remote
from service.trust.remote import MAX_AGE, MOST_BYTES, RETRY_AFTER, KeysUnavailable, NotFetched, RemoteKeys, fetch
from tests.trust.ehr import KeyServer, drips, ec, fetches_end, key_set, self_signed, sends, serving_keys

LONG = 30
"""Seconds after which a test gives up."""


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    at: float = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with serving_keys(sends(key_set(ec("a")))) as running:
        yield running


@pytest.fixture
def keys(clock: Clock) -> RemoteKeys:
    return RemoteKeys(clock)


def eventually(keys: RemoteKeys, url: str, kid: str, *, found: bool) -> None:
    """Waits until a request in the background has had its effect."""
    until = time.monotonic() + LONG
    while (keys.key(url, kid) is not None) is not found:
        assert time.monotonic() < until, f"key {kid} found: {not found}, and it stays so"
        time.sleep(0.01)


def test_nothing_is_fetched_before_a_key_is_needed_and_then_once(server: KeyServer, keys: RemoteKeys) -> None:
    assert server.asked == 0
    assert all(keys.key(server.url, "a") is not None for _ in range(20))
    assert server.asked == 1


def test_a_new_key_is_picked_up_without_a_restart(server: KeyServer, keys: RemoteKeys, clock: Clock) -> None:
    assert keys.key(server.url, "b") is None
    server.answering = sends(key_set(ec("b")))
    clock.at += RETRY_AFTER
    assert keys.key(server.url, "b") is not None
    assert keys.key(server.url, "a") is None
    assert server.asked == 2


def test_a_withdrawn_key_is_not_used_longer_than_the_age_of_a_set(
    server: KeyServer, keys: RemoteKeys, clock: Clock
) -> None:
    assert keys.key(server.url, "a") is not None
    server.answering = sends(key_set())
    clock.at += MAX_AGE - 1
    assert keys.key(server.url, "a") is not None
    clock.at += 1
    assert keys.key(server.url, "a") is None


@pytest.mark.conformance("C-135")
def test_a_flood_of_unknown_keys_makes_one_request_in_a_while(
    server: KeyServer, keys: RemoteKeys, clock: Clock
) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: keys.key(server.url, f"unknown {number}"), range(200)))
    assert found == [None] * 200
    assert server.asked == 1
    clock.at += RETRY_AFTER
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: keys.key(server.url, f"unknown {number}"), range(200)))
    assert server.asked == 2


def test_the_last_good_set_stays_in_use_while_the_address_fails(
    server: KeyServer, keys: RemoteKeys, clock: Clock, logged: list[Any]
) -> None:
    assert keys.key(server.url, "a") is not None
    server.answering = sends(b"out of order", 500)
    for _ in range(5):
        clock.at += MAX_AGE
        assert keys.key(server.url, "a") is not None
    assert 2 <= server.asked <= 6
    failures = [line for line in logged if line["event"] == "key set not fetched"]
    assert failures[0]["reason"] == "it answered with status 500"
    assert failures[0]["last_good_set_in_use"] is True
    server.answering = sends(key_set(ec("b")))
    clock.at += RETRY_AFTER
    eventually(keys, server.url, "b", found=True)
    eventually(keys, server.url, "a", found=False)


def test_nobody_waits_for_an_address_that_is_known_to_hang(
    server: KeyServer, keys: RemoteKeys, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert keys.key(server.url, "a") is not None
    monkeypatch.setattr(remote, "DEADLINE", 0.2)
    server.answering = drips(b"", b"", pause=5, pieces=1)
    clock.at += MAX_AGE
    assert keys.key(server.url, "a") is not None
    until = time.monotonic() + LONG
    while not keys._kept[server.url].failing:
        assert time.monotonic() < until
        time.sleep(0.01)
    monkeypatch.setattr(remote, "DEADLINE", LONG)
    for _ in range(3):
        clock.at += RETRY_AFTER
        started = time.monotonic()
        assert keys.key(server.url, "a") is not None
        assert keys.key(server.url, "b") is None
        assert time.monotonic() - started < LONG / 2


def test_an_address_that_never_answered_well_is_unavailable_and_asked_again(
    server: KeyServer, keys: RemoteKeys, clock: Clock
) -> None:
    good, server.answering = server.answering, sends(b"<html>", 200)
    for _ in range(3):
        with pytest.raises(KeysUnavailable):
            keys.key(server.url, "a")
    assert server.asked == 1
    server.answering = good
    clock.at += RETRY_AFTER
    available_at_last(keys, server.url)


def available_at_last(keys: RemoteKeys, url: str) -> None:
    """Waits until the request in the background has brought the key."""
    until = time.monotonic() + LONG
    while True:
        try:
            assert keys.key(url, "a") is not None
        except KeysUnavailable:
            assert time.monotonic() < until, "the set is still unavailable"
            time.sleep(0.01)
        else:
            return


def test_every_address_has_a_set_of_its_own(server: KeyServer, keys: RemoteKeys) -> None:
    with serving_keys(sends(key_set(ec("b")))) as other:
        assert keys.key(server.url, "a") is not None
        assert keys.key(other.url, "b") is not None
        assert keys.key(other.url, "a") is None


def test_a_fetch_that_breaks_in_an_unforeseen_way_is_over_all_the_same(clock: Clock, logged: list[Any]) -> None:
    def breaks(url: str) -> bytes:
        raise ZeroDivisionError("with details")

    keys = RemoteKeys(clock, breaks)
    for _ in range(2):
        clock.at += RETRY_AFTER
        with pytest.raises(KeysUnavailable):
            keys.key("https://ehr.example.org/keys", "a")
        fetches_end()
    told = [line["reason"].rpartition(":")[0] for line in logged]
    assert told == ["ZeroDivisionError at test_remote.py"] * 2


def test_a_body_is_fetched_as_it_is(server: KeyServer) -> None:
    assert b'"kid": "a"' in fetch(server.url)


def test_a_body_in_chunks_is_read(server: KeyServer) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    server.answering = drips(head + b'5\r\n{"key\r\n', b'7\r\ns": []}\r\n0\r\n\r\n', pause=0, pieces=1)
    assert fetch(server.url) == b'{"keys": []}'


@pytest.mark.parametrize(
    ("answering", "reason"),
    [
        (sends(b"{}", 500), "status 500"),
        (sends(b"{}", 404), "status 404"),
        (sends(b"", 204), "status 204"),
        (sends(b" " * (MOST_BYTES + 1)), "more than this service reads"),
        (sends(b"", 302, Location="http://127.0.0.1:9/elsewhere"), "status 302"),
        (drips(b"no HTTP", b"", 0, 1), "cannot be reached"),
        (drips(b"", b"", 0, 0), "cannot be reached"),
        (drips(b"HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\n{", b"", 0, 1), "broke off its answer"),
    ],
)
def test_what_is_no_plain_good_answer_is_not_taken(server: KeyServer, answering: Any, reason: str) -> None:
    server.answering = answering
    with pytest.raises(NotFetched, match=reason):
        fetch(server.url)
    assert server.asked == 1


def test_a_certificate_has_to_come_from_a_trusted_authority(tmp_path: Path) -> None:
    with serving_keys(sends(b"{}"), self_signed(tmp_path)) as secure:
        with pytest.raises(NotFetched, match="certificate"):
            fetch(secure.url)
        assert fetch(secure.url, tmp_path / "ca.pem") == b"{}"
        with pytest.raises(NotFetched, match="certificate"):
            fetch(secure.url.replace("127.0.0.1", "localhost"), tmp_path / "ca.pem")


def test_a_redirect_is_never_followed(server: KeyServer) -> None:
    with serving_keys(sends(key_set(ec("a")))) as elsewhere:
        server.answering = sends(b"", 302, Location=elsewhere.url)
        with pytest.raises(NotFetched, match="status 302"):
            fetch(server.url)
        assert elsewhere.asked == 0


def test_a_body_that_drips_is_given_up(server: KeyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "DEADLINE", 0.5)
    server.answering = drips(b"HTTP/1.0 200 OK\r\n\r\n{", b" ", pause=0.1, pieces=200)
    started = time.monotonic()
    with pytest.raises(NotFetched, match="in time"):
        fetch(server.url)
    assert time.monotonic() - started < 15


def test_a_body_that_stops_is_given_up(server: KeyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "DEADLINE", 0.5)
    server.answering = drips(b"HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\n{", b"", pause=30, pieces=1)
    with pytest.raises(NotFetched, match="in time"):
        fetch(server.url)


def test_a_header_that_drips_keeps_no_call_waiting(
    server: KeyServer, keys: RemoteKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "DEADLINE", 0.5)
    server.answering = drips(b"HTTP/1.0 200 OK\r\n", b"X: x\r\n", pause=0.1, pieces=1000)
    started = time.monotonic()
    with pytest.raises(KeysUnavailable):
        keys.key(server.url, "a")
    assert time.monotonic() - started < 50
    monkeypatch.setattr(remote, "DEADLINE", 1000)
    for _ in range(20):
        with pytest.raises(KeysUnavailable):
            keys.key(server.url, "a")
    assert time.monotonic() - started < 50, "only the first call waits"
    assert server.asked == 1


def test_an_attempt_that_does_not_end_is_replaced_and_its_late_answer_not_used(
    clock: Clock, logged: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "DEADLINE", 0.1)
    stuck, begun = threading.Event(), []

    def hangs_once(url: str) -> bytes:
        begun.append(url)
        if len(begun) > 1:
            return key_set(ec("new"))
        stuck.wait(LONG)
        return key_set(ec("old"))

    keys, url = RemoteKeys(clock, hangs_once), "https://ehr.example.org/keys"
    for _ in range(3):
        with pytest.raises(KeysUnavailable):
            keys.key(url, "new")
    assert len(begun) == 1
    clock.at += RETRY_AFTER
    with suppress(KeysUnavailable):
        keys.key(url, "new")
    until = time.monotonic() + LONG
    while keys._kept[url].running is not None and time.monotonic() < until:
        time.sleep(0.01)
    assert keys.key(url, "new") is not None
    stuck.set()
    fetches_end()
    assert keys.key(url, "new") is not None
    assert keys.key(url, "old") is None
    (line,) = [line for line in logged if line["event"] == "key set asked for again"]
    assert line["unanswered_seconds"] == RETRY_AFTER


def test_nobody_there_is_told_without_details() -> None:
    with pytest.raises(NotFetched, match=r"^it cannot be reached, or closed the connection$"):
        fetch("http://127.0.0.1:1/jwks.json")


def test_no_proxy_and_no_password_of_the_environment_is_used(
    server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    assert fetch(server.url)


def test_a_moment_without_threads_does_not_end_the_fetching_for_ever(
    server: KeyServer, keys: RemoteKeys, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as short:
        short.setattr(threading.Thread, "start", no_thread)
        with pytest.raises(KeysUnavailable):
            keys.key(server.url, "a")
    clock.at += RETRY_AFTER
    with suppress(KeysUnavailable):
        keys.key(server.url, "a")  # nobody waits after a failure
    fetches_end()
    assert keys.key(server.url, "a") is not None


def no_thread(self: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")
