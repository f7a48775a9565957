"""A slow FHIR server holds few threads, those of one client fewer, and is left alone when it keeps failing."""

from contextlib import suppress
from typing import Any

import pytest

from service.fhir.bulkhead import MOST_FAILURES, MOST_SERVERS, REST_SECONDS, Bulkhead
from service.fhir.fetch_errors import Failure
from tests.trust.test_remote import Clock

A, SERVER = "client A", "fhir.example.org"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bulkhead(clock: Clock) -> Bulkhead:
    return Bulkhead(3, clock)


def test_one_client_gets_most_places_but_not_all(bulkhead: Bulkhead) -> None:
    with bulkhead.place(A) as first, bulkhead.place(A) as second, bulkhead.place(A) as third:
        assert (first, second, third) == (True, True, False)
        with bulkhead.place("client B") as other, bulkhead.place("client C") as none:
            assert (other, none) == (True, False)
    with bulkhead.place(A) as again:
        assert again


def test_a_place_is_free_again_whatever_happened_in_it(bulkhead: Bulkhead) -> None:
    for _ in range(5):
        with suppress(ZeroDivisionError), bulkhead.place(A) as free:
            assert free
            raise ZeroDivisionError


def fail(bulkhead: Bulkhead, times: int, failure: Failure = Failure.TIMEOUT) -> None:
    for _ in range(times):
        bulkhead.note(A, SERVER, [failure, failure])


def test_a_server_that_keeps_failing_rests_and_then_one_call_tries(
    bulkhead: Bulkhead, clock: Clock, logged: list[Any]
) -> None:
    fail(bulkhead, MOST_FAILURES - 1)
    assert not bulkhead.resting(A, SERVER)
    fail(bulkhead, 1)
    assert bulkhead.resting(A, SERVER)
    assert not bulkhead.resting("client B", SERVER), "another client's server is another matter"
    clock.at += REST_SECONDS
    assert [bulkhead.resting(A, SERVER) for _ in range(3)] == [False, True, True]
    fail(bulkhead, 1)
    clock.at += REST_SECONDS / 2
    assert bulkhead.resting(A, SERVER)
    clock.at += REST_SECONDS
    assert not bulkhead.resting(A, SERVER)
    bulkhead.note(A, SERVER, ["found", Failure.TIMEOUT])
    assert not bulkhead.resting(A, SERVER)
    assert [line["event"] for line in logged] == ["FHIR server paused", "FHIR server asked again"]


@pytest.mark.parametrize("failure", [Failure.NOT_FOUND, Failure.TOKEN_REFUSED, Failure.UNREADABLE, Failure.LIMIT])
def test_a_server_that_answers_is_not_left_alone(bulkhead: Bulkhead, failure: Failure) -> None:
    fail(bulkhead, 3 * MOST_FAILURES, failure)
    assert not bulkhead.resting(A, SERVER)


def test_only_so_many_servers_are_remembered(bulkhead: Bulkhead) -> None:
    for number in range(3 * MOST_SERVERS):
        bulkhead.note(A, f"127.0.0.1:{number}", [Failure.UNREACHABLE])
    assert len(bulkhead._servers) == MOST_SERVERS
