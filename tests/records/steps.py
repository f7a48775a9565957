"""A database as an earlier version of this program left it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from alembic import command
from sqlalchemy import Connection

from service.records.opening import STATEMENT, alembic_config, engine_of


@contextmanager
def at_step(url: str, step: str) -> Iterator[Connection]:
    """A transaction on an empty database, brought to a step first."""
    engine = engine_of(url, STATEMENT)
    with engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, step)
        yield connection
    engine.dispose()


def stored(connection: Connection, moment: datetime) -> object:
    """A moment as each kind of database keeps it."""
    return moment if connection.dialect.name == "postgresql" else f"{moment:%Y-%m-%d %H:%M:%S.%f}"
