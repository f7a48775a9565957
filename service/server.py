"""Serves the application with gunicorn and waitress: loaded before forking, garbage frozen, threads in each process."""

import gc
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from errno import EADDRINUSE
from pathlib import Path
from types import FrameType
from typing import Any, cast

from flask import Flask, Response
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.task import ThreadedTaskDispatcher

from service.app import create_app, records_of
from service.dates import utc_now
from service.decide import Decision, decide
from service.engine.finding import Rule
from service.engine.library import Library
from service.engine.loading import FOLDER
from service.files import FaultyLibrary
from service.guidance.registry import RULES
from service.jsonio import encode
from service.logs import catch_strays, configure_logs
from service.metrics import Metrics, process_ended, shared_counts
from service.receiving import Receiver
from service.records import Records
from service.settings import LOOPBACK, Settings
from service.startup import start_library

# Objects allocated before a collection is considered. The default of 700 makes a full collection of the FHIR
# models (tens of milliseconds) hit requests; what is loaded at start is frozen and never looked at again.
GC_THRESHOLDS = (20_000, 20, 50)

LIMITS: dict[str, int] = {
    "backlog": 1024,
    "worker_connections": 4000,
    "keepalive": 15,
    "timeout": 60,
    "graceful_timeout": 30,
}
"""Connections waiting for the kernel; connections of one process; seconds that a connection is kept without a
request, that a process may hang, and that running calls get when the service stops."""

STOPPING = (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT)
"""The signals that stop a worker."""


class AddressNotUsable(Exception):
    """The address to serve on cannot be used; the message says why."""


class Server(BaseApplication):
    """The application under gunicorn."""

    def __init__(
        self,
        settings: Settings,
        library: Library | None,
        rules: tuple[Rule, ...],
        records: Records,
        options: dict[str, Any],
        counts: Path,
    ) -> None:
        self._settings = settings
        self._library = library
        self._rules = rules
        self._records = records
        self._options = options
        self._counts = counts
        super().__init__()

    def load_config(self) -> None:
        """Takes over the options; called by gunicorn."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:  # type: ignore[override]  # Flask is the WSGI callable asked for
        """The application, warm; called by gunicorn once, before the workers are forked: they share the expansion."""
        try:
            library = start_library(self._settings, utc_now, self._library)
            # Two threads of each process are left to calls that need no FHIR server.
            waiting = max(1, self._options["threads"] - 2)
            app = create_app(
                self._settings,
                library,
                records=self._records,
                counts=self._counts,
                rules=self._rules,
                waiting=waiting,
            )
        except FaultyLibrary as faulty:
            if not self._options["reload"]:
                raise
            return _naming(faulty, self._settings.max_body_bytes, Metrics({}, self._counts))
        return warmed(app)

    def run(self) -> None:
        """Serves until stopped."""
        Parent(self).run()


class Parent(Arbiter):
    """gunicorn's first process, whose workers can be stopped from the beginning.

    A worker is forked with its parent's handlers, which only note a signal for the parent: one that came before its own
    were set would be lost, and the worker killed when the time for running calls is over.
    """

    def spawn_worker(self) -> Any:
        """Forks a worker; a signal to stop waits until it is handled there."""
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
        try:
            return super().spawn_worker()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)


class ReceivingWorker(Worker):
    """One process: signals and reloading are gunicorn's, the loop and the threads are waitress's."""

    _receivers: Sequence[Receiver] = ()
    _notified = 0.0

    def run(self) -> None:
        """Serves until stopped, then finishes what has begun; called by gunicorn."""
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # else a line for each request that waits
        threads = ThreadedTaskDispatcher()
        threads.set_thread_count(self.cfg.threads)
        connected: dict[int, Any] = {}
        app = cast(Flask, self.wsgi)
        self._receivers = [Receiver(app, cast(Any, each).sock, connected, threads, self.cfg) for each in self.sockets]
        while self.alive and self.ppid == os.getppid():
            self._turn(connected)
        until = time.monotonic() + self.cfg.graceful_timeout
        while sum(receiver.stop() for receiver in self._receivers) and time.monotonic() < until:
            self._turn(connected, 0.1)
        threads.shutdown()

    def _turn(self, connected: dict[int, Any], seconds: float = 1) -> None:
        """One turn of the loop, which waits so long for something to do."""
        now = time.monotonic()
        if now - self._notified > 1:
            self._notified = now
            self.notify()
        wasyncore.loop(timeout=seconds, use_poll=True, map=connected, count=1)

    def init_signals(self) -> None:
        """Handles signals, those that came since the fork first; called by gunicorn."""
        super().init_signals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stops; called by a signal, perhaps while the loop is asleep."""
        super().handle_exit(sig, frame)
        for receiver in self._receivers:
            receiver.pull_trigger()


class ServerLog(Logger):
    """gunicorn's log without handlers of its own: its lines take the way of all libraries."""

    def setup(self, cfg: Config) -> None:
        """Sets the level, and passes calls on as they are, so that a line names who called; called by gunicorn."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        for level in ("critical", "error", "warning", "exception"):
            setattr(self, level, getattr(self.error_log, level))


def _naming(faulty: FaultyLibrary, most_body: int, metrics: Metrics) -> Flask:
    """What answers while cards that are being edited cannot be used: every request gets their faults."""
    app = Flask("tolami", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = most_body
    app.extensions["metrics"] = metrics
    message = f"The cards, or a policy, cannot be used as they are:\n{faulty}\n"
    app.before_request(lambda: Response(message, 503, mimetype="text/plain"))
    return app


def warmed(app: Flask) -> Flask:
    """The application after its guideline's sample, which pays for imports that the FHIR models put off.

    In ours one dose is in data and one in words, so that both ways are warm.
    """
    decision: Decision = app.extensions["decision"]
    if (sample := decision.library.sample_request) is not None:
        decide(encode(sample), sample["hook"], decision)
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    return app


def serve(
    settings: Settings,
    library: Library,
    host: str,
    port: int,
    workers: int,
    threads: int,
    *,
    reload: bool,
    ready: Callable[[], None],
    rules: tuple[Rule, ...] = RULES,
) -> None:
    """Serves a guideline, a library and its rules, until stopped; ``ready`` is called when the address is served.

    With ``reload``, which is for the guideline of this project, each process loads the library itself, as it is by
    then, and again when a file of it is saved.
    """
    configure_logs(settings, lasting=True)
    catch_strays()
    records = records_of(settings)
    with shared_counts() as counts:
        options = _options(library, host, port, workers, threads, reload=reload)
        # gunicorn names and counts the parameters of what it calls.
        options["when_ready"] = lambda server: ready()  # noqa: ARG005
        options["post_worker_init"] = lambda worker: records.open()  # noqa: ARG005
        options["worker_exit"] = lambda server, worker: records.close()  # noqa: ARG005
        options["child_exit"] = lambda server, worker: process_ended(worker.pid, counts)  # noqa: ARG005
        Server(settings, None if reload else library, rules, records, options, counts).run()


def _options(library: Library, host: str, port: int, workers: int, threads: int, *, reload: bool) -> dict[str, Any]:
    return LIMITS | {
        "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "workers": workers,
        "threads": threads,
        "worker_class": ReceivingWorker,
        "logger_class": ServerLog,
        # Nobody controls the server through a socket that gunicorn would put into the home folder.
        "control_socket_disable": True,
        "preload_app": not reload,
        "reload": reload,
        "reload_extra_files": [str(path) for path in _content(library)] if reload else [],
        "proc_name": "tolami",
        "loglevel": "warning",
    }


def _content(library: Library) -> Iterator[Path]:
    """The files beside the program that an author of cards or pages edits."""
    for folder in filter(None, (FOLDER, library.fixtures, Path(__file__).with_name("web"))):
        yield from (path for path in folder.rglob("*") if path.suffix in (".md", ".yaml", ".json", ".html"))


def check_address(host: str, port: int, *, needs_token: bool, without_authentication: bool) -> None:
    """Raises AddressNotUsable when nothing can or should be served there, before anything slow is started."""
    if needs_token and without_authentication:
        raise AddressNotUsable(
            "TOLAMI_AUTH is required, and --without-authentication says the opposite. Leave one of them out."
        )
    if host not in LOOPBACK and not (needs_token or without_authentication):
        raise AddressNotUsable(
            f"{host} can be reached by others, and anybody may call. Serve on 127.0.0.1, set TOLAMI_AUTH=required"
            " (docs/trust.md), or add --without-authentication if a proxy in front of it decides who may call."
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            advice = f" Choose another port, for example --port {port + 1}." if error.errno == EADDRINUSE else ""
            raise AddressNotUsable(f"{host}:{port} cannot be used ({error.strerror}).{advice}") from None
