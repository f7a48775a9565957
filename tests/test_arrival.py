"""A request is handed on exactly when all of it has arrived."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.arrival import HEAD_BYTES, Arrival, State

MOST = 1000
HEAD = b"POST /cds-services/order-sign HTTP/1.1\r\nHost: cds.example.org\r\n"


def sized(body: bytes) -> bytes:
    """A request that says how long its body is."""
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


def in_chunks(pieces: list[bytes], trailer: bytes = b"") -> bytes:
    """A request whose body comes in chunks (RFC 9112 section 7.1)."""
    chunks = b"".join(b"%X;name=value\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece)
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n" + trailer + b"\r\n"


def states(request: bytes, ends: list[int], most: int = MOST) -> tuple[State, State]:
    """How far a request was before its last byte, and with it, however it was cut."""
    arrival = Arrival(most)
    before = State.WAITING
    cuts = sorted({min(end, len(request) - 1) for end in ends} | {len(request) - 1})
    for start, end in zip([0, *cuts], cuts, strict=False):
        before = arrival.add(request[start:end])
    return before, arrival.add(request[cuts[-1] :])


ENDS = st.lists(st.integers(0, 500), max_size=6)
BODIES = st.binary(max_size=60) | st.sampled_from([b"", b"0\r\n\r\n", b"a: 10\r\n", b"\r\n0\r\n", b"\r\n\r\n"])


@given(body=BODIES, ends=ENDS)
def test_a_body_of_known_length_is_complete_with_its_last_byte(body: bytes, ends: list[int]) -> None:
    assert states(sized(body), ends) == (State.WAITING, State.COMPLETE)


@given(pieces=st.lists(BODIES, max_size=4), ends=ENDS, trailer=st.sampled_from([b"", b"Checksum: 0\r\n"]))
def test_a_body_in_chunks_is_complete_with_its_last_byte(pieces: list[bytes], ends: list[int], trailer: bytes) -> None:
    assert states(in_chunks(pieces, trailer), ends) == (State.WAITING, State.COMPLETE)


@pytest.mark.parametrize("head", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"nonsense\r\n\r\n", b"\r\n\r\n"])
def test_a_request_without_a_body_is_complete_with_its_head(head: bytes) -> None:
    assert states(head, []) == (State.WAITING, State.COMPLETE)


@pytest.mark.parametrize("chunk", [b"-1\r\n", b"g\r\n", b"\r\n", b" 5\r\n"])
def test_what_is_no_chunk_is_left_to_the_parser_to_refuse(chunk: bytes) -> None:
    assert Arrival(MOST).add(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk) is State.COMPLETE


@pytest.mark.parametrize("length", [MOST, MOST + 1])
def test_a_body_is_too_large_as_soon_as_its_length_is_known(length: int) -> None:
    announced = HEAD + b"content-length:\t%d \r\n\r\n" % length
    assert Arrival(MOST).add(announced) is (State.WAITING if length == MOST else State.BODY_TOO_LARGE)


def test_a_body_in_chunks_is_too_large_before_it_has_arrived() -> None:
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    assert Arrival(MOST).add(head + b"FFFFFFFFFFF\r\n") is State.BODY_TOO_LARGE
    assert Arrival(MOST).add(head + b"1\r\nx\r\n" * 20_000) is State.BODY_TOO_LARGE
    assert Arrival(MOST).add(head + b"1\r\nx\r\n" * 200) is State.WAITING


def test_a_head_without_an_end_is_too_long() -> None:
    assert Arrival(MOST).add(b"GET / HTTP/1.1\r\nX: " + b"x" * HEAD_BYTES) is State.HEAD_TOO_LONG
    assert Arrival(MOST).add(b"GET / HTTP/1.1\r\nX: " + b"x" * (HEAD_BYTES - 100)) is State.WAITING


@given(pieces=st.lists(st.binary(max_size=40), max_size=8))
def test_whatever_arrives_is_kept_as_it_came(pieces: list[bytes]) -> None:
    arrival = Arrival(MOST)
    for piece in pieces:
        assert arrival.add(piece) in State
    assert bytes(arrival.received) == b"".join(pieces)


def test_a_client_that_waits_to_be_invited_is_known() -> None:
    arrival = Arrival(MOST)
    arrival.add(HEAD + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
    assert (arrival.invited, arrival.state) == (True, State.WAITING)
