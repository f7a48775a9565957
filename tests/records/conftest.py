"""Real databases for the tests of what is kept: SQLite in a file, and a PostgreSQL server that these tests start."""

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
    """Makes an empty database; its URL."""
    return postgres.new_database


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
