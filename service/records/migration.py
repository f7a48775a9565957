"""Brings the tables of a database to the state that this program needs, whoever else does the same at this moment."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

STEPS = Path(__file__).with_name("migrations")
LOCK = 0x746F6C616D69
"""The advisory lock of PostgreSQL, the same on every machine: the letters of "tolami" as a number."""


def alembic_config() -> Config:
    """Where Alembic finds the steps: they are part of the installed package."""
    config = Config()
    config.set_main_option("script_location", str(STEPS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def is_current(connection: Connection) -> bool:
    """Whether the tables are as this program needs them."""
    there = MigrationContext.configure(connection).get_current_revision()
    return there == ScriptDirectory.from_config(alembic_config()).get_current_head()


def migrate(connection: Connection) -> bool:
    """Runs the steps that are missing, all or none, within the connection's transaction; True when there were any.

    The transaction must be one that writes: on SQLite it holds the file's lock, on PostgreSQL a lock is taken here
    that ends with it. Raises alembic's CommandError when the database was made by a newer program.
    """
    if connection.dialect.name == "postgresql":
        # A step over a large table takes its time, and so does waiting for whoever is at it.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    if is_current(connection):
        return False
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return True
