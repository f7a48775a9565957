"""A request while it arrives: how much of it there is, and when it is all there.

This only decides when a request is handed on. What its bytes mean is for the HTTP parser alone, which gets them
unchanged; lines and framing after RFC 9112 sections 2, 6 and 7.1.
"""

import re
from enum import Enum, auto

HEAD_BYTES = 64 * 1024
"""Most bytes before a request's body; more than the limits of line and fields allow."""

FRAMING = 2
"""How many times larger than its content a chunked body may be: chunks have their sizes in between."""

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,18})[ \t]*\r\n")
_SIZE = re.compile(rb"[0-9a-f]{1,15}", re.IGNORECASE)


class State(Enum):
    """How far a request has come."""

    WAITING = auto()
    COMPLETE = auto()
    HEAD_TOO_LONG = auto()
    BODY_TOO_LARGE = auto()


class Arrival:
    """The bytes of one request so far; ``most`` is the largest body that is taken, in bytes."""

    def __init__(self, most: int) -> None:
        self.received = bytearray()
        self.state = State.WAITING
        self._most = most
        self._head = b""
        self._body = 0
        self._length = 0
        self._chunk = 0

    @property
    def invited(self) -> bool:
        """True when the client waits for "100 Continue" before it sends the body (RFC 9110 section 10.1.1)."""
        return b"\r\nexpect:" in self._head

    def add(self, piece: bytes) -> State:
        """Takes what has arrived; returns how far the request has come."""
        self.received += piece
        if not self._head and not self._read_head():
            return self.state
        if self._chunk:
            self.state = self._chunked()
        elif self._length > self._most:
            self.state = State.BODY_TOO_LARGE
        else:
            self.state = State.COMPLETE if len(self.received) - self._body >= self._length else State.WAITING
        return self.state

    def _read_head(self) -> bool:
        end = self.received.find(b"\r\n\r\n")
        if end < 0 or end > HEAD_BYTES:
            self.state = State.HEAD_TOO_LONG if len(self.received) > HEAD_BYTES else State.WAITING
            return False
        self._body = end + 4
        self._head = bytes(self.received[: end + 2]).lower()
        length = _LENGTH.search(self._head)
        self._length = int(length[1]) if length is not None else 0
        self._chunk = self._body if b"\r\ntransfer-encoding:" in self._head else 0
        return True

    def _chunked(self) -> State:
        """Follows the chunks from size to size. What is no size is complete: the parser will refuse it."""
        while (end := self.received.find(b"\r\n", self._chunk)) >= 0:
            size = _SIZE.match(self.received, self._chunk, end)
            if size is None:
                return State.COMPLETE
            if int(size[0], 16) == 0:
                trailer_ends = self.received.find(b"\r\n\r\n", end) >= 0
                return State.COMPLETE if trailer_ends else self._still()
            self._chunk = end + 2 + int(size[0], 16) + 2
        return self._still()

    def _still(self) -> State:
        most = self._most * FRAMING + HEAD_BYTES
        so_far = max(len(self.received), self._chunk) - self._body
        return State.BODY_TOO_LARGE if so_far > most else State.WAITING
