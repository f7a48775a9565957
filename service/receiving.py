"""Receiving with waitress: its loop reads requests, a thread takes only complete ones.

So slow clients hold no thread. What waitress leaves open is closed here: how long and how large a request may be on
its way, how much is kept for those under way, and who has to leave when there are too many.
"""

import resource
import socket
import time
from contextlib import suppress
from typing import Any, cast

import structlog
from flask import Flask
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher, WSGITask

from service.arriving import (
    FRAMING,
    HEAD_BYTES,
    HELD_BYTES,
    LINE_BYTES,
    LINGER_SECONDS,
    PIECE_BYTES,
    RECEIVE_SECONDS,
    REFUSALS,
    WAIT_SECONDS,
    Ended,
    Request,
)
from service.cdshooks.messages import operation_outcome
from service.metrics import Metrics
from service.web.middleware import ALWAYS

SEND_SECONDS = 10.0
"""How long sending may stall."""

IDLE_SECONDS = 0.5
"""How long a service that stops still takes a call on a kept connection: it may be on its way."""

UNSENT_BYTES = 1024 * 1024
"""Answers that a connection has not read yet, in bytes, with which it gets no further one: no thread waits for it."""

ACCEPTED = 64
"""Connections taken at once."""

SPARE_FILES = 200
"""File descriptors that a process needs besides those of its connections."""

log = structlog.get_logger()


class Refusal(ErrorTask):
    """Answers what could not be read, or came too late, as the service answers all errors."""

    request: Request  # type: ignore[assignment]  # the types of waitress are mistaken here, and below

    def execute(self) -> None:
        """Writes the answer; called by waitress in a thread."""
        error = self.request.error
        code = error.code if error is not None and error.code in REFUSALS else 500
        channel = cast(Channel, self.channel)
        channel.refused = True
        if code != 500:
            usual = "too-large" if code == 413 else "malformed"
            channel.server.note(error.reason if isinstance(error, Ended) else usual, code)
        phrase, kind, message = REFUSALS[code]
        self.status = f"{code} {phrase}"
        body = operation_outcome(kind, message)
        more = {"Content-Type": "application/json", **({"Retry-After": "5"} if code == 503 else {})}
        self.response_headers = list((ALWAYS | more).items())
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Answer(WSGITask):
    """Sends the head of an answer together with its body, where that is known whole."""

    channel: "Channel"

    def build_response_header(self) -> bytes:
        """The head; the last answer on a connection of a service that stops says so. Called by waitress in a thread."""
        if self.channel.server.stopping and len(self.channel.requests) == 1 and self.channel.request is None:
            self.set_close_on_finish()
        return super().build_response_header()

    def write(self, data: bytes) -> None:
        """Writes what is known; called by waitress in a thread."""
        if self.complete and not self.wrote_header and self.has_body and len(data) == self.content_length:
            data = self.build_response_header() + data
            self.wrote_header, self.content_bytes_written = True, self.content_length
            self.channel.write_soon(data)
        else:
            super().write(data)


class Channel(HTTPChannel):
    """A connection. ``since`` is when it was opened or last answered."""

    parser_class = Request
    error_task_class = Refusal
    task_class = Answer
    server: "Receiver"
    request: Request | None
    requests: list[Request]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.since = time.monotonic()
        self.refused = self.lingering = False
        super().__init__(*args, **kwargs)

    @property
    def held(self) -> int:
        """Bytes kept of requests that are not answered yet."""
        unfinished = self.request
        return sum(request.size for request in list(self.requests)) + (unfinished.size if unfinished else 0)

    def received(self, data: bytes) -> bool:
        """Takes what has arrived; called by the loop."""
        if self.lingering:
            return False
        taken = super().received(data)
        self.server.took(len(data))
        return taken

    def service(self) -> None:
        """Answers the next request; called in a thread. After too long a wait the client is gone."""
        request = self.requests[0]
        if request.error is None and time.monotonic() - request.queued > WAIT_SECONDS:
            request.error = Ended(503, "waited")
        elif request.error is None and self.total_outbufs_len > UNSENT_BYTES:
            request.error = Ended(503, "flood")
        super().service()
        self.since = time.monotonic()

    def late(self, now: float) -> bool:
        """True when it has been waited long enough for whatever is expected of the client."""
        if self.lingering:
            return now - self.since > LINGER_SECONDS
        if self.total_outbufs_len:
            return time.time() - self.last_activity > SEND_SECONDS
        if self.request is not None and now - self.request.began > RECEIVE_SECONDS:
            return True
        kept = self.server.keep_seconds + (RECEIVE_SECONDS if self.request is not None else 0)
        return now - self.since > kept

    def end(self, code: int, reason: str) -> None:
        """Ends it; a client that has begun a request gets a refusal. Called by the loop, while nothing runs here."""
        if self.request is None:
            self.refused = False
            self.handle_close()
            return
        self.request.close()
        self.request.error = Ended(code, reason)
        self.requests.append(self.request)
        self.request = None
        self.server.add_task(self)

    def handle_close(self) -> None:
        """Closes it; after a refusal only once the client has stopped sending. Called by the loop."""
        if self.refused and not self.lingering and self.connected:
            self.lingering, self.since = True, time.monotonic()
            self.will_close = self.close_when_flushed = False
            assert self.socket is not None
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
            return
        super().handle_close()

    def readable(self) -> bool:
        """Whether more is read; asked by the loop."""
        return self.lingering or super().readable()

    def writable(self) -> bool:
        """Whether something is to be sent; asked by the loop.

        A thread sends its answer itself, under a lock; a loop that wanted to send it as well would turn and turn until
        the lock is free. Only of more than may be kept does the thread wait for the loop.
        """
        if self.lingering or (self.requests and self.total_outbufs_len <= self.adj.outbuf_high_watermark):
            return not self.lingering and self.will_close
        return bool(super().writable())


class Receiver(TcpWSGIServer):
    """One listening socket with its connections."""

    channel_class = Channel
    active_channels: dict[int, Channel]  # type: ignore[assignment]  # the types of waitress are mistaken here

    def __init__(
        self, app: Flask, listener: socket.socket, connected: dict[int, Any], tasks: ThreadedTaskDispatcher, cfg: Any
    ) -> None:
        most_body: int = app.config["MAX_CONTENT_LENGTH"]
        room = int(most_body * FRAMING) + LINE_BYTES
        self.most_connections = min(cfg.worker_connections, files_allowed(cfg.worker_connections + SPARE_FILES))
        self.keep_seconds = float(cfg.keepalive)
        self.metrics: Metrics = app.extensions["metrics"]
        self._held = self._received = 0
        self.stopping = 0.0
        limits: dict[str, Any] = {
            "backlog": cfg.backlog,
            "connection_limit": self.most_connections + SPARE_FILES // 2,
            "cleanup_interval": 1,
            "recv_bytes": PIECE_BYTES,
            "max_request_header_size": HEAD_BYTES,
            "max_request_body_size": room,
            "inbuf_overflow": room,
            "outbuf_overflow": room,
            "log_socket_errors": False,
            "clear_untrusted_proxy_headers": False,
            "ident": None,
        }
        adj = Adjustments(sockets=[listener], **limits)
        sockinfo = (listener.family, listener.type, listener.proto, listener.getsockname())
        super().__init__(app, connected, True, listener, tasks, adj, sockinfo, bind_socket=False)

    def took(self, number: int) -> None:
        """So many bytes have arrived; what is kept is looked at again when it may have become too much."""
        self._received += number
        if self._received > HELD_BYTES // 4:
            self.maintenance(0)

    def maintenance(self, now: int) -> None:  # noqa: ARG002  (waitress's signature)
        """Ends connections that are late, and the oldest unfinished requests when too much is kept."""
        moment = time.monotonic()
        for channel in self._waiting():
            if channel.late(moment):
                channel.end(408, "slow")
        channels = list(self.active_channels.values())
        unfinished = sum(channel.request.size for channel in channels if channel.request is not None)
        for channel in self._waiting():
            if unfinished > HELD_BYTES:
                unfinished -= channel.held
                channel.end(503, "flood")
        self._received, self._held = 0, sum(channel.held for channel in channels)

    def handle_accept(self) -> None:
        """Takes connections; called by the loop. Looking at all of them costs too much to take but one each time."""
        for _ in range(ACCEPTED):
            if len(self.active_channels) >= self.most_connections:
                self._make_room()
            before = len(self.active_channels)
            super().handle_accept()
            if len(self.active_channels) == before:
                return

    def _make_room(self) -> None:
        """Ends the oldest connection on which nothing runs."""
        for channel in self._waiting()[:1]:
            if channel.request is None:
                self.note("flood", 0)
            channel.end(503, "flood")

    def add_task(self, task: Any) -> None:
        """Lets a request that has arrived wait for a thread; one for which there is no room is refused."""
        request: Request = task.requests[0]
        request.queued = time.monotonic()
        if request.error is None and self._held + self._received > 2 * HELD_BYTES:
            request.close()
            request.error = Ended(503, "flood")
        super().add_task(task)

    def note(self, reason: str, status: int) -> None:
        """Counts and logs that a connection is ended."""
        self.metrics.dropped(reason)
        log.warning("connection dropped", reason=reason, status=status)

    def stop(self) -> int:
        """Takes no new connection, and ends those on which nothing comes; returns how many are left."""
        if self.accepting:
            self.handle_accept()  # those that wait already: the next turn of the loop reads what was sent on them
            self.accepting, self.stopping = False, time.monotonic()
            self.del_channel()
            assert self.socket is not None
            self.socket.close()
            self.pull_trigger()
            return len(self.active_channels)
        for channel in self._waiting() if time.monotonic() - self.stopping > IDLE_SECONDS else ():
            if channel.request is None and not channel.total_outbufs_len:
                channel.end(503, "")
        self.maintenance(0)
        return len(self.active_channels)

    def _waiting(self) -> list[Channel]:
        """Connections on which no request is being answered, the oldest first."""
        idle = [channel for channel in self.active_channels.values() if not channel.requests]
        return sorted(idle, key=lambda channel: channel.since)


def files_allowed(wanted: int) -> int:
    """Raises the limit of open files towards what is wanted; returns how many connections it then allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft - SPARE_FILES
