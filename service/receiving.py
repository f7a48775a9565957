"""gunicorn's threaded worker, which takes a thread only for a request that has arrived in whole.

gunicorn reads requests in its threads, without a time limit: as many slow clients as there are threads would
stop the service. Here the worker's event loop receives every request; a thread parses what was received and
cannot wait for more. Too slow, too many and too much are answered or closed by the loop itself.
"""

import socket
import struct
import time
from collections import deque
from contextlib import suppress
from errno import EAGAIN, ECONNABORTED, EWOULDBLOCK
from functools import partial
from io import BytesIO
from selectors import EVENT_READ
from types import FrameType
from typing import Any, cast

import structlog
from flask import Flask
from gunicorn.config import Config
from gunicorn.http import Request, RequestParser, get_parser
from gunicorn.http.body import Body
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine
from gunicorn.workers.gthread import TConn, ThreadWorker

from service.arrival import FRAMING, HEAD_BYTES, Arrival, State
from service.metrics import Metrics
from service.web.errors import operation_outcome

RECEIVE_SECONDS = 10.0
"""How long a request may take to arrive, from its connection or from the end of the one before."""

WAIT_SECONDS = 10.0
"""How long a request may wait for a thread; its client has given up by then."""

SEND_SECONDS = 10
"""How long sending may stand still."""

HELD_BYTES = 64 * 1024 * 1024
"""Most bytes of unfinished requests in one process."""

PIECE_BYTES = 64 * 1024

_REFUSALS = {
    400: ("Bad Request", "structure", "The request is not valid HTTP/1.1. Check the client or the proxy in front."),
    408: ("Request Timeout", "timeout", f"The request did not arrive within {RECEIVE_SECONDS:.0f} s. Send it again."),
    413: ("Content Too Large", "too-long", "The request body is larger than this service accepts."),
    414: ("URI Too Long", "too-long", "The address of the request is too long. Discovery lists every service."),
    431: ("Request Header Fields Too Large", "too-long", "The headers of the request are too long. Send fewer."),
    500: ("Internal Server Error", "exception", "The service failed; nothing was checked. It has been logged."),
    503: ("Service Unavailable", "throttled", "The service is busy; nothing was checked. Call again later."),
}
"""What the server itself answers: reason phrase, code and message of the OperationOutcome."""

log = structlog.get_logger()


class Connection(TConn):
    """A connection with what has arrived of its next request; ``refused`` once that is not wanted any more."""

    def __init__(self, cfg: Config, sock: socket.socket, client: Any, server: Any, most_body: int) -> None:
        super().__init__(cfg, sock, client, server)
        self._most_body = most_body
        self.invited = False
        self.refused = False
        self.complete_at = 0.0
        self.expect_next()

    def expect_next(self) -> None:
        """Waits for a next request."""
        self.arrival = Arrival(self._most_body)
        self.invited = False

    @property
    def held(self) -> int:
        """Bytes kept of the request so far."""
        return len(self.arrival.received)

    def close(self, graceful: bool = False) -> None:  # noqa: ARG002  (gunicorn's signature)
        """Closes at once. gunicorn would wait for the client up to 2 s, in the loop that serves all others."""
        super().close()


def refusal(status: int) -> bytes:
    """A whole HTTP answer with an OperationOutcome, after which the connection is closed."""
    reason, code, message = _REFUSALS[status]
    body = operation_outcome(code, message)
    retry = "Retry-After: 5\r\n" if status == 503 else ""
    head = (
        f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nAccess-Control-Allow-Origin: *\r\nCache-Control: no-store\r\n"
        f"X-Content-Type-Options: nosniff\r\n{retry}\r\n"
    )
    return head.encode("ascii") + body


class ReceivingWorker(ThreadWorker):
    """The worker. How large a body may be is the application's to say (``MAX_CONTENT_LENGTH``)."""

    pending_conns: deque[Connection]  # type: ignore[assignment]  # accept makes them, and nobody else

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.most_connections = self.worker_connections
        # Connections are always accepted: at the limit the loop makes room or refuses, instead of leaving
        # them to wait in the kernel's queue behind those that never send anything.
        self.worker_connections = 2**31
        self.held = 0

    @property
    def flask(self) -> Flask:
        """The application."""
        return cast(Flask, self.app.wsgi())

    @property
    def metrics(self) -> Metrics:
        """The metrics of the application."""
        metrics: Metrics = self.flask.extensions["metrics"]
        return metrics

    @property
    def most_body(self) -> int:
        """The largest body that the application takes, in bytes."""
        most: int = self.flask.config["MAX_CONTENT_LENGTH"]
        return most

    # Receiving, in the event loop.

    def accept(self, listener: socket.socket) -> None:
        """Takes a connection and waits for its request without a thread; called by gunicorn."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno not in (EAGAIN, ECONNABORTED, EWOULDBLOCK):
                raise
            return
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_SECONDS, 0))
        conn = Connection(self.cfg, client, address, listener.getsockname(), self.most_body)
        self.nr_conns += 1
        if self.nr_conns > self.most_connections and self.pending_conns:
            self._drop(self.pending_conns[0], "flood")
        if self.nr_conns > self.most_connections:
            self._drop(conn, "flood", 503)
            return
        self._receive(conn)

    def enqueue_req(self, conn: Connection) -> None:  # type: ignore[override]
        """Bytes of a next request came with the one before: it is received like any other; called by gunicorn."""
        piece = cast(RequestParser, conn.parser).unreader.take_buffered()
        conn.sock.setblocking(False)
        self._receive(conn)
        self._take(conn, piece)

    def on_client_socket_readable(self, conn: Connection, client: socket.socket) -> None:  # type: ignore[override]
        """The next request on a kept connection begins; called by the event loop."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._receive(conn)
        self.on_pending_socket_readable(conn, client)

    def on_pending_socket_readable(self, conn: Connection, client: socket.socket) -> None:  # type: ignore[override]
        """More of a request has arrived, or its client has gone; called by the event loop."""
        if conn not in self.pending_conns:
            return  # dropped by what happened earlier in this turn of the loop
        try:
            piece = client.recv(PIECE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self._drop(conn)
        elif not conn.refused:
            self._take(conn, piece)

    def _receive(self, conn: Connection) -> None:
        conn.timeout = time.monotonic() + RECEIVE_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def _take(self, conn: Connection, piece: bytes) -> None:
        """Takes a piece of a request, and does what is to be done then."""
        state = conn.arrival.add(piece)
        self.held += len(piece)
        if state is State.COMPLETE:
            self._hand_over(conn)
        elif state is State.HEAD_TOO_LONG:
            self._drop(conn, "malformed", 431)
        elif state is State.BODY_TOO_LARGE:
            self._refuse(conn)
        elif conn.arrival.invited and not conn.invited:
            conn.invited = True
            self._send(conn.sock, b"HTTP/1.1 100 Continue\r\n\r\n")
        while self.held > HELD_BYTES and self.pending_conns:
            self._drop(self.pending_conns[0], "flood", 503)

    def _refuse(self, conn: Connection) -> None:
        """Refuses a body that is too large, and listens on: an answer is lost when a client is cut off sending."""
        self._note("too-large", 413)
        self._send(conn.sock, refusal(413))
        conn.refused = True
        self.held -= conn.held
        conn.expect_next()

    def _hand_over(self, conn: Connection) -> None:
        self.pending_conns.remove(conn)
        self.poller.unregister(conn.sock)
        self.held -= conn.held
        # The parser is given the bytes, not the socket: it cannot wait for more.
        conn.parser = get_parser(self.cfg, iter([bytes(conn.arrival.received)]), conn.client)
        conn.expect_next()
        conn.data_ready = True
        conn.complete_at = time.monotonic()
        super().enqueue_req(conn)

    def _drop(self, conn: Connection, reason: str = "", status: int = 0) -> None:
        """Ends a connection, with an answer where there is a status, and counted where there is a reason."""
        if conn in self.pending_conns:
            self.pending_conns.remove(conn)
            self.poller.unregister(conn.sock)
        self.held -= conn.held
        if reason:
            self._note(reason, status)
        if status:
            self._send(conn.sock, refusal(status))
        self.nr_conns -= 1
        conn.close()

    def _note(self, reason: str, status: int, error: str = "") -> None:
        self.metrics.dropped(reason)
        log.warning("connection dropped", reason=reason, status=status, **({"error": error} if error else {}))

    def _send(self, sock: socket.socket, answer: bytes) -> None:
        """Sends without waiting. That nobody listens any more is no error here: it would end the whole worker."""
        with suppress(OSError):
            sock.setblocking(False)
            sock.send(answer)

    def murder_pending(self) -> None:
        """Ends connections whose request has not arrived in time; called by gunicorn once a second."""
        now = time.monotonic()
        for conn in [conn for conn in self.pending_conns if conn.timeout is not None and conn.timeout <= now]:
            if conn.held:
                self._drop(conn, "slow", 408)
            else:
                self._drop(conn)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stops: requests that have begun are finished, connections on which none has are closed."""
        super().handle_exit(sig, frame)
        self.method_queue.defer(self._drop_idle)

    def _drop_idle(self) -> None:
        for conn in [conn for conn in self.pending_conns if not conn.held]:
            self._drop(conn)

    # Answering, in a thread.

    def handle(self, conn: Connection) -> Any:  # type: ignore[override]
        """Answers a request; one that has waited too long is refused, since nobody waits for the answer."""
        if time.monotonic() - conn.complete_at > WAIT_SECONDS:
            self._note("waited", 503)
            self._send(conn.sock, refusal(503))
            return False
        return super().handle(conn)

    def handle_request(self, req: Request, conn: Connection) -> bool:  # type: ignore[override]
        """Answers one request, its body unpacked, so that a body that cannot be is refused here and not a failure."""
        req.body = cast(Body, BytesIO(cast(Body, req.body).read(self.most_body * FRAMING + HEAD_BYTES)))
        # A client that waited to be invited was invited by the loop.
        req._expected_100_continue = False  # type: ignore[attr-defined]  # not in gunicorn's types
        return super().handle_request(req, conn)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:  # noqa: ARG002
        """Answers what gunicorn could not parse, repeating nothing of it; called by gunicorn."""
        if isinstance(exc, LimitRequestLine):
            status = 414
        elif isinstance(exc, LimitRequestHeaders):
            status = 431
        else:
            status = 400 if type(exc).__module__ == "gunicorn.http.errors" else 500
        self._note("malformed", status, type(exc).__name__)
        self._send(client, refusal(status))
