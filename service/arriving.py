"""A request while it arrives: what of it is refused, and how much of it may be kept."""

import re
import time

from waitress.adjustments import Adjustments
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import ChunkedReceiver
from waitress.utilities import BadRequest, Error, RequestEntityTooLarge

RECEIVE_SECONDS = 10.0
"""How long a request may take to arrive, from its first byte on."""

WAIT_SECONDS = 10.0
"""How long a request may wait for a thread; its client has given up by then."""

LINGER_SECONDS = 2.0
"""How long a refused client is listened to: an answer is lost when a client is cut off while it sends."""

HELD_BYTES = 32 * 1024 * 1024
"""Most bytes of unfinished requests in one process; with those that wait for a thread, twice as many."""

HEAD_BYTES = 32 * 1024
"""Most bytes before a request's body."""

LINE_BYTES = 4 * 1024
"""Most bytes of the line that announces a chunk, and of what follows the last chunk."""

FRAMING = 1.125
"""How many times larger than its content a chunked body may be: chunks have their sizes in between."""

PIECE_BYTES = 64 * 1024

REFUSALS = {
    400: ("Bad Request", "structure", "The request is not valid HTTP/1.1. Check the client or the proxy in front."),
    408: ("Request Timeout", "timeout", f"The request did not arrive within {RECEIVE_SECONDS:.0f} s. Send it again."),
    413: ("Content Too Large", "too-long", "The request body is larger than this service accepts."),
    431: ("Request Header Fields Too Large", "too-long", "The address or the headers are too long. Send less."),
    500: ("Internal Server Error", "exception", "The service failed; nothing was checked. It has been logged."),
    501: ("Not Implemented", "not-supported", "The only transfer coding that is understood is chunked."),
    503: ("Service Unavailable", "throttled", "The service is busy; nothing was checked. Call again later."),
}
"""What the server itself answers: reason phrase, code and message of the OperationOutcome."""

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._~-]*)(:\d*)?", re.IGNORECASE)


class Ended(Error):
    """A request that this server has given up, and why."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__("")
        self.code = code
        self.reason = reason


class Request(HTTPRequestParser):
    """One request while it arrives. Refuses what can be read in two ways, and lines that do not end."""

    def __init__(self, adj: Adjustments) -> None:
        super().__init__(adj)
        self.began = self.queued = time.monotonic()

    @property
    def size(self) -> int:
        """Bytes that are kept of it."""
        return self.header_bytes_received + self.body_bytes_received

    def close(self) -> None:
        """Frees its memory."""
        super().close()
        self.header_bytes_received = self.body_bytes_received = 0

    def parse_header(self, header_plus: bytes) -> None:
        """Reads the head. Raises ParsingError (RFC 9112, 3.2 and 6.1)."""
        try:
            super().parse_header(header_plus)
        except ValueError:  # a length of more digits than Python turns into a number
            raise ParsingError("length") from None
        host = self.headers.get("HOST")
        if self.version != "1.0" and (host is None or _HOST.fullmatch(host) is None):
            raise ParsingError("host")
        if "TRANSFER_ENCODING" in self.headers or (self.chunked and "CONTENT_LENGTH" in self.headers):
            raise ParsingError("length")

    def received(self, data: bytes) -> int:
        """Takes what has arrived; returns how much of it belongs to this request."""
        consumed = super().received(data)
        body = self.body_rcv
        if isinstance(body, ChunkedReceiver) and not self.completed:
            if max(len(body.control_line), len(body.trailer)) > LINE_BYTES:
                self.error, self.completed = BadRequest(""), True
            elif self.body_bytes_received > len(body) * FRAMING + LINE_BYTES + PIECE_BYTES:
                self.error, self.completed = RequestEntityTooLarge(""), True
        # waitress would invite a body even where there is none, or none is wanted.
        self.expect_continue = self.expect_continue and not self.completed
        return consumed
