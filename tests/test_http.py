"""One GET for everything: bounded in time and bytes, whatever the other side does."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from service.http import Fault, NotAnswered, Received, get, new_session
from tests.trust.ehr import KeyServer, drips, self_signed, sends, serving_keys

LONG = 20.0
BIG = 1000


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with serving_keys(sends(b"{}")) as running:
        yield running


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with new_session(None, 1) as session:
        yield session


def asked(session: requests.Session, url: str, seconds: float = LONG, **given: Any) -> Received:
    return get(session, url, {"Accept": "application/json"}, until=time.monotonic() + seconds, most_bytes=BIG, **given)


def fault(session: requests.Session, url: str, seconds: float = LONG) -> Fault:
    with pytest.raises(NotAnswered) as none:
        asked(session, url, seconds)
    return none.value.fault


DRIPS = {
    "the status line": drips(b"HTT", b"P", 0.1, 200),
    "one header": drips(b"HTTP/1.1 200 OK\r\nX: ", b"a", 0.1, 200),
    "many headers": drips(b"HTTP/1.1 200 OK\r\n", b"X: x\r\n", 0.1, 200),
    "the body": drips(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", b" ", 0.1, 200),
    "chunks": drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", 0.1, 200),
}


@pytest.mark.parametrize("answering", DRIPS.values(), ids=DRIPS)
def test_the_time_is_for_the_whole_answer_however_it_drips(
    server: KeyServer, session: requests.Session, answering: Any
) -> None:
    server.answering = answering
    started = time.monotonic()
    assert fault(session, server.url, 0.5) is Fault.TIMEOUT
    assert time.monotonic() - started < 5


def test_no_time_left_means_no_request(server: KeyServer, session: requests.Session) -> None:
    assert fault(session, server.url, 0) is Fault.TIMEOUT
    assert server.asked == 0


def test_too_much_and_what_was_not_asked_for_is_told_apart(server: KeyServer, session: requests.Session) -> None:
    for answering, expected in [
        (sends(b" " * (BIG + 1)), Fault.TOO_LARGE),
        (sends(b"{}", 200, **{"Content-Encoding": "gzip"}), Fault.COMPRESSED),
        (drips(b"HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\n{", b"", 0, 1), Fault.BROKE_OFF),
        (drips(b"", b"", 0, 0), Fault.UNREACHABLE),
    ]:
        server.answering = answering
        assert fault(session, server.url) is expected
    assert fault(session, "http://127.0.0.1:1/") is Fault.UNREACHABLE


def test_the_body_is_read_only_of_a_status_that_is_wanted(server: KeyServer, session: requests.Session) -> None:
    server.answering = sends(b"why", 422)
    assert asked(session, server.url) == Received(422, b"")
    assert asked(session, server.url, bodies=range(600)) == Received(422, b"why")


def test_a_redirect_is_told_and_not_followed(server: KeyServer, session: requests.Session) -> None:
    server.answering = sends(b"", 302, Location="http://127.0.0.1:1/")
    assert asked(session, server.url).status == 302
    assert server.asked == 1


def test_the_environment_says_authorities_only_where_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving_keys(sends(b"{}"), self_signed(tmp_path)) as secure:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        with new_session(None, 1) as closed, new_session(None, 1, environment=True) as opened:
            assert fault(closed, secure.url) is Fault.CERTIFICATE
            assert asked(opened, secure.url).status == 200
