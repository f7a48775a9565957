"""Real databases for the tests of what is kept: SQLite in a file, and a PostgreSQL server that these tests start."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.records.database import Database
from tests.records.postgres import Postgres, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for all tests that leave it running."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def new_postgres_database(postgres: Postgres) -> Callable[[], str]:
    """Makes databases with tables and nothing in them; the URL of each."""
    return postgres.new_database


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the tables and nothing in them, to be copied."""
    file = tmp_path_factory.mktemp("tables") / "tolami.db"
    made = Database(f"sqlite:///{file}")
    assert made.available()
    made.close()
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables: every test that asks for it runs with both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'tolami.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.empty_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with the tables and nothing in them, of both kinds, too."""
    if request.param == "sqlite":
        copy = shutil.copy(request.getfixturevalue("sqlite_file"), tmp_path / "tolami.db")
        return f"sqlite:///{copy}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """An empty database of either kind."""
    opened = Database(url)
    yield opened
    opened.close()
