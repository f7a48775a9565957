"""Brings the tables of a database to the state that this program needs, whatever other processes do."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

STEPS = Path(__file__).with_name("migrations")
LAST = "0003"
"""The last of the steps."""
LOCK = 0x746F6C616D69
"""The advisory lock of PostgreSQL, the same on every machine: the letters of "tolami" as a number."""


class NewerTables(Exception):
    """The tables are of a newer version of this program."""


def alembic_config() -> "Config":
    """Where Alembic finds the steps: they are part of the installed package."""
    from alembic.config import Config  # Alembic is slow to import, and only for tables that are not current

    config = Config()
    config.set_main_option("script_location", str(STEPS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def is_current(connection: Connection) -> bool:
    """Whether the tables are as this program needs them."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found == LAST


def migrate(connection: Connection) -> bool:
    """Runs the steps that are missing, all or none, within the connection's transaction; True when there were any.

    The transaction must be one that writes: on SQLite it holds the file's lock, on PostgreSQL a lock is taken here
    that ends with it. Raises NewerTables.
    """
    if connection.dialect.name == "postgresql":
        # A step over a large table takes its time, and so does waiting for whoever is at it.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    if is_current(connection):
        return False
    from alembic import command
    from alembic.util import CommandError

    config = alembic_config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, LAST)
    except CommandError as error:
        raise NewerTables from error
    return True
