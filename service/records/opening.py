"""Opens a database: creates an engine for its URL and migrates its tables.

Whatever other processes do meanwhile; nothing here keeps anything.
"""

import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DisconnectionError

from service.jsonio import encode

if TYPE_CHECKING:
    from alembic.config import Config

PATIENCE = 0.5
"""Seconds that a call waits for others who keep the database locked."""

BUSY = 5.0
"""Seconds to wait for the locks where no call is delayed."""

CONNECT = 3
"""Seconds to wait for PostgreSQL to take a connection."""

STATEMENT = 10.0
"""Seconds that one statement of PostgreSQL may take."""

ANSWER = 3.0
"""Seconds to wait for PostgreSQL's answer when a call waits for it; otherwise, after the time of a statement."""

STEPS = Path(__file__).with_name("migrations")
LAST = "0004"
"""The last of the steps."""
LOCK = 0x746F6C616D69
"""The advisory lock of PostgreSQL, the same on every machine: the letters of "tolami" as a number."""

USUAL: dict[str, Any] = {"hide_parameters": True, "json_serializer": lambda value: encode(value).decode()}


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
        # Steps take their time, and so does waiting for whoever is at them.
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


def opened(url: str, statement_seconds: float) -> tuple[Engine, bool]:
    """An engine whose database has the tables as they must be, and whether something had to be done for that."""
    engine = engine_of(url, statement_seconds)
    try:
        if engine.dialect.name == "sqlite":
            _write_ahead(engine)
        with engine.execution_options(reads=True).begin() as connection:
            if is_current(connection):
                return engine, False
        with engine.execution_options(answer=None).begin() as connection:  # a step over a large table takes its time
            return engine, migrate(connection)
    except BaseException:
        engine.dispose()
        raise


def engine_of(url: str, statement_seconds: float) -> Engine:
    """An engine that has not connected yet. Raises SQLAlchemy's ArgumentError and ImportError."""
    address = url_of(url)
    if address.get_backend_name() == "sqlite":
        return _sqlite(address)
    from service.records.postgresql import engine_at  # psycopg is not needed for SQLite

    return engine_at(address, statement_seconds)


def url_of(url: str) -> URL:
    """The address of a database, with the driver that is used. Raises SQLAlchemy's ArgumentError."""
    try:
        address = make_url(url)
    except ValueError:
        # Raised by SQLAlchemy as it is; its message repeats what stands where the port should.
        raise ArgumentError("the port is not a number") from None
    if address.drivername in {"postgresql", "postgres"}:
        return address.set(drivername="postgresql+psycopg")
    return address


def _sqlite(address: URL) -> Engine:
    """SQLite in a file. A connection is kept while its file is: one that was moved away is noticed."""
    if address.database in {None, "", ":memory:"}:
        raise ArgumentError("a database in memory keeps nothing; name a file")
    file = Path(address.database or "")
    engine = create_engine(address, **USUAL, connect_args={"timeout": BUSY})

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, record: Any) -> None:
        record.info["file"] = _identity(file)
        connection.isolation_level = None  # the module would begin transactions by itself, and not before a CREATE
        connection.execute("PRAGMA synchronous = FULL")  # what was acknowledged survives a power cut

    @event.listens_for(engine, "checkout")
    def look(_connection: sqlite3.Connection, record: Any, _proxy: Any) -> None:
        if record.info["file"] != _identity(file):
            raise DisconnectionError  # SQLAlchemy connects anew

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        patience = options.get("patience", BUSY)
        if connection.info.get("patience") != patience:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {patience * 1000:.0f}")
            connection.info["patience"] = patience
        connection.exec_driver_sql("BEGIN" if options.get("reads") else "BEGIN IMMEDIATE")

    return engine


def _identity(file: Path) -> tuple[int, int] | None:
    """The identity of the file at a path; None when there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _write_ahead(engine: Engine) -> None:
    """Lets reports be read while calls are recorded (WAL). Kept in the file, so it is done once for each database.

    SQLite does not wait for others here but refuses at once, so it is tried until the usual wait is over.
    """
    deadline = time.monotonic() + BUSY
    while True:
        connection = engine.raw_connection()
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                return  # slower, not wrong: some file systems cannot do it
            time.sleep(0.05)
        finally:
            connection.close()
