"""A terminology server is asked over HTTP, page by page; what it does wrong is named and nothing of it is used."""

import time
from contextlib import closing
from datetime import UTC, datetime
from socket import create_server
from typing import Any

import pytest
import requests

from service.terminology.answer import NotUsable
from service.terminology.client import MOST_BYTES, Expansion, NoAnswer, TerminologyServer, open_session
from service.terminology.query import Query
from tests.terminology.fake_server import VERSION, Behaviour, Handler, Terminology, answering, entry, outcome, value_set

ENOUGH = 60.0
"""Seconds that no test here needs, even on a busy machine."""

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
STROKE = Query("stroke", "conditions", ("230690007",))


def expand(server: str, asked: Query = STROKE, seconds: float = ENOUGH) -> Expansion:
    with open_session(server) as session:
        return TerminologyServer(server, session).expand(asked, NOW, time.monotonic() + seconds)


def test_the_descendants_are_asked_for_as_an_implicit_value_set(terminology_server: Terminology) -> None:
    terminology_server.descendants = {"230690007": ["1001", "1002"]}
    found = expand(terminology_server.url)
    assert [member.code for member in found.members] == ["230690007", "1001", "1002"]
    assert (found.version, found.on) == (VERSION, NOW)
    (asked,) = terminology_server.asked
    assert asked["path"] == "/fhir/ValueSet/$expand"
    assert asked["url"] == "http://snomed.info/sct?fhir_vs=ecl/<< 230690007"


def test_a_slash_at_the_end_of_the_address_makes_no_difference(terminology_server: Terminology) -> None:
    assert len(expand(f"{terminology_server.url}/").members) == 1


def test_pages_are_put_together_until_the_total_is_reached(terminology_server: Terminology) -> None:
    terminology_server.descendants = {"230690007": [str(code) for code in range(1001, 1010)]}
    terminology_server.page_limit = 4
    assert len(expand(terminology_server.url).members) == 10
    assert [asked["offset"] for asked in terminology_server.asked] == ["0", "4", "8"]


def test_without_a_total_pages_are_asked_for_until_one_is_empty(terminology_server: Terminology) -> None:
    def paged(handler: Handler, asked: dict[str, str]) -> bool:
        codes = ["230690007", "1001", "1002"][int(asked["offset"]) :][:2]
        handler.send(200, value_set([entry(code) for code in codes]))
        return True

    terminology_server.instead = paged
    assert len(expand(terminology_server.url).members) == 3


def test_an_edition_that_lacks_the_concept_gives_no_codes_and_no_fault(terminology_server: Terminology) -> None:
    terminology_server.instead = answering(200, value_set([], 0))
    assert expand(terminology_server.url).members == ()


WRONG = entry("1001")
RIGHT = entry("230690007")


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (answering(404, outcome("Unknown value set")), "status 404 (Unknown value set)"),
        (answering(400, b"<html>"), "status 400."),
        (answering(422, {"issue": [{"code": "too-costly"}]}), "status 422 (too-costly)"),
        (answering(422, {"issue": "too costly"}), "status 422."),
        (answering(200, b"<html>Sign in</html>"), "not JSON"),
        (answering(200, {"resourceType": "Bundle"}), "Bundle"),
        (answering(200, value_set([WRONG], 1)), "None of the concepts asked for"),
        (answering(200, value_set([RIGHT], 2)), "repeats a page"),
        (answering(200, value_set([RIGHT])), "repeats a page"),
        (answering(200, value_set([RIGHT, WRONG], 1)), "says that it has 1"),
        (answering(200, value_set([], 3)), "says that it has 3"),
        (answering(200, value_set([RIGHT], 20_001)), "more than 20000 codes"),
        (answering(200, b"{}", Content_Encoding="gzip"), "compressed"),
        (answering(200, b" " * (MOST_BYTES + 1)), "more than this service reads"),
    ],
)
def test_an_answer_that_is_faulty_or_not_whole_is_not_used(
    terminology_server: Terminology, behaviour: Behaviour, reason: str
) -> None:
    terminology_server.instead = behaviour
    with pytest.raises(NotUsable) as fault:
        expand(terminology_server.url)
    assert reason in fault.value.reason
    assert not isinstance(fault.value, NoAnswer)


@pytest.mark.parametrize("changed", [{"total": 4}, {"version": VERSION.replace("2026", "2027")}])
def test_an_expansion_that_changes_between_two_pages_is_not_used(
    terminology_server: Terminology, changed: dict[str, Any]
) -> None:
    def changing(handler: Handler, asked: dict[str, str]) -> bool:
        later = asked["offset"] != "0"
        stated = {"total": 3, **(changed if later else {})}
        handler.send(200, value_set([WRONG if later else RIGHT], **stated))
        return True

    terminology_server.instead = changing
    with pytest.raises(NotUsable, match="changed between two pages"):
        expand(terminology_server.url)


def redirecting(handler: Handler, asked: dict[str, str]) -> bool:
    handler.send(302, b"", Location="http://127.0.0.1:9/fhir")
    return True


def truncating(handler: Handler, asked: dict[str, str]) -> bool:
    handler.send(200, b'{"resourceType": ', Content_Length="1000")
    handler.close_connection = True
    return True


def hanging_up(handler: Handler, asked: dict[str, str]) -> bool:
    handler.close_connection = True
    return True


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (redirecting, "final address"),
        (answering(401, b""), "without a login"),
        (answering(403, b""), "without a login"),
        (answering(429, b""), "less busy"),
        (answering(503, outcome("starting")), "(starting)"),
        (truncating, "broke off its answer"),
        (hanging_up, "cannot be reached, or closed the connection"),
    ],
)
def test_a_server_that_would_answer_the_next_set_no_better_is_not_asked_further(
    terminology_server: Terminology, behaviour: Behaviour, said: str
) -> None:
    terminology_server.instead = behaviour
    with pytest.raises(NoAnswer) as fault:
        expand(terminology_server.url)
    assert said in str(fault.value)
    assert len(terminology_server.asked) == 1


def test_a_server_that_is_not_there_is_named_as_such() -> None:
    with closing(create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NoAnswer, match="cannot be reached"):
        expand(f"http://127.0.0.1:{port}/fhir")


def test_a_body_that_comes_drop_by_drop_is_not_waited_for(terminology_server: Terminology) -> None:
    def dripping(handler: Handler, asked: dict[str, str]) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        try:
            for _ in range(600):
                handler.wfile.write(b" ")
                time.sleep(0.1)
        except OSError:
            pass  # the client hung up, as it should
        return True

    terminology_server.instead = dripping
    begun = time.monotonic()
    with pytest.raises(NoAnswer, match="did not answer in time"):
        expand(terminology_server.url, seconds=1)
    assert time.monotonic() - begun < 30


def test_nothing_is_asked_when_the_time_is_over(terminology_server: Terminology) -> None:
    with pytest.raises(NoAnswer, match="TOLAMI_TERMINOLOGY_DEADLINE"):
        expand(terminology_server.url, seconds=-1)
    assert terminology_server.asked == []


@pytest.mark.parametrize(("server", "environment"), [("https://tx.example.org", True), ("http://127.0.0.1:1", False)])
def test_proxies_of_the_environment_are_for_other_machines(server: str, environment: bool) -> None:
    with open_session(server) as session:
        assert session.trust_env is environment


def test_a_certificate_that_is_not_trusted_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise requests.exceptions.SSLError("certificate of ward-7.example.org")

    with open_session("https://tx.example.org") as session:
        monkeypatch.setattr(session, "get", refused)
        with pytest.raises(NoAnswer, match="not trusted") as fault:
            TerminologyServer("https://tx.example.org", session).expand(STROKE, NOW, time.monotonic() + ENOUGH)
    assert "ward-7" not in str(fault.value)
