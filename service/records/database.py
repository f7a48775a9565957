"""The database of the records: SQLite in a file or PostgreSQL, opened when first needed, and again when it is back.

Nothing is connected before the first use in a process, so that no connection is shared by forked processes.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import structlog
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    SQLAlchemyError,
    StatementError,
)

from service.records.migration import NewerTables, is_current, migrate
from service.records.unavailable import DatabaseUnavailable as DatabaseUnavailable

PATIENCE = 0.5
"""Seconds that a call waits for others who keep the database locked."""

BUSY = 5.0
"""Seconds that whoever delays no call waits for them."""

CONNECT = 3
"""Seconds to wait for PostgreSQL to take a connection."""

STATEMENT = 10.0
"""Seconds that one statement of PostgreSQL may take, and after which a connection without answer is broken."""

REST = 2.0
"""Seconds without another attempt after one failed: calls must not queue up behind a server that does not answer."""

log = structlog.get_logger()


class Database:
    """A database by its URL. Wrong or unreachable, it is an error of each use, never of the start."""

    def __init__(
        self, url: str, statement_seconds: float = STATEMENT, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = url
        self._statement_seconds = statement_seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._process = 0
        self._engine: Engine | None = None
        self._rest_until = 0.0
        self._reason = ""
        self._available: bool | None = None
        self._written: bool | None = None

    @property
    def name(self) -> str:
        """The database for messages: its URL without the password."""
        try:
            return _url(self._url).render_as_string(hide_password=True)
        except SQLAlchemyError:
            return "TOLAMI_DATABASE_URL"

    def exists(self) -> bool:
        """False for an SQLite file that does not exist; a command that reads must not create an empty one."""
        try:
            address = _url(self._url)
        except SQLAlchemyError:
            return True
        file = address.database if address.get_backend_name() == "sqlite" else None
        return file is None or Path(file).exists()

    @contextmanager
    def writing(self, patience: float = PATIENCE) -> Iterator[Connection]:
        """A transaction that is committed at the end of the block, after at most so many seconds of others' locks.

        Raises DatabaseUnavailable, from the block or from the commit; then nothing of the block is kept.
        """
        try:
            engine = self._ready(patience)
        except DatabaseUnavailable:
            self._written = False
            raise
        with self._writing(engine, patience) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads, and so keeps nobody from writing. Raises DatabaseUnavailable."""
        with self._transaction(self._ready(BUSY), reads=True) as connection:
            yield connection

    def available(self) -> bool:
        """Whether the database can be used now: it is read, and written if it was not the last time."""
        try:
            with self.reading() as connection:
                connection.exec_driver_sql("SELECT 1 FROM shown_card LIMIT 1")
        except DatabaseUnavailable:
            return False
        return self.recover(PATIENCE)

    def recover(self, patience: float = BUSY) -> bool:
        """Tries to write if that failed the last time; whether it can be written, as far as anybody knows."""
        if self._written is False:
            with suppress(DatabaseUnavailable), self.writing(patience) as connection:
                row = "INSERT INTO counted (id, at) VALUES ('probe', CURRENT_TIMESTAMP)"
                connection.exec_driver_sql(f"{row} ON CONFLICT (id) DO UPDATE SET at = excluded.at")
        return self._written is not False

    def close(self) -> None:
        """Gives the connections back. The next use opens new ones."""
        with self._lock:
            if self._engine is not None and self._process == os.getpid():
                self._engine.dispose()
            self._engine = None

    def _ready(self, patience: float) -> Engine:
        """The engine of this process, with the tables as they must be."""
        if not self._lock.acquire(timeout=patience):
            raise DatabaseUnavailable(f"{self.name} is being opened")
        try:
            if self._engine is not None and self._process == os.getpid():
                return self._engine
            if self._monotonic() < self._rest_until:
                raise DatabaseUnavailable(self._reason)
            try:
                engine, migrated = opened(self._url, self._statement_seconds)
            except (SQLAlchemyError, sqlite3.Error, NewerTables, ImportError) as error:
                self._rest_until = self._monotonic() + REST
                self._failed(error)
            self._engine, self._process = engine, os.getpid()
        finally:
            self._lock.release()
        if not self._available:
            log.info("records available", database=self._engine.dialect.name, migrated=migrated)
        self._available = True
        return engine

    @contextmanager
    def _writing(self, engine: Engine, patience: float) -> Iterator[Connection]:
        try:
            with self._transaction(engine, patience=patience) as connection:
                yield connection
        except DatabaseUnavailable:
            if self._written is not False:
                log.error("records not written", reason=self._reason)
            self._written = False
            raise
        if self._written is False:
            log.info("records written again")
        self._written = True

    @contextmanager
    def _transaction(self, engine: Engine, **options: Any) -> Iterator[Connection]:
        try:
            with engine.connect().execution_options(**options) as connection, connection.begin():
                yield connection
        except SQLAlchemyError as error:
            if _is_refusal(error):
                raise  # the database is well; what was to be written is not
            if _is_locked(error):
                self._reason = f"{self.name} is locked by others"
                raise DatabaseUnavailable(self._reason) from None
            # Whatever it was, the next use looks at the database anew: it may be gone, empty or another one.
            self.close()
            self._failed(error)

    def _failed(self, error: Exception) -> NoReturn:
        # The type only: a message may hold the password or what was to be written.
        cause = _cause(error)
        if self._available is not False:
            log.error("records unavailable", cause=cause, setting="TOLAMI_DATABASE_URL")
        self._available = False
        newer = "its tables are those of a newer version of this program"
        why = newer if isinstance(error, NewerTables) else cause
        self._reason = f"{self.name} cannot be used: {why}"
        raise DatabaseUnavailable(self._reason) from None


def opened(url: str, statement_seconds: float) -> tuple[Engine, bool]:
    """An engine whose database has the tables as they must be, and whether something had to be done for that."""
    engine = engine_of(url, statement_seconds)
    try:
        return engine, _migrated(engine)
    except BaseException:
        engine.dispose()
        raise


def engine_of(url: str, statement_seconds: float) -> Engine:
    """An engine that has not connected yet. Raises SQLAlchemy's ArgumentError and ImportError."""
    address = _url(url)
    if address.get_backend_name() == "sqlite":
        return _sqlite(address)
    engine = create_engine(
        address,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_timeout=CONNECT,
        pool_recycle=1800,
        connect_args={
            "connect_timeout": CONNECT,
            "application_name": "tolami",
            "options": f"-c statement_timeout={statement_seconds * 1000:.0f} -c timezone=UTC"
            f" -c lock_timeout={PATIENCE * 1000:.0f}",
            "tcp_user_timeout": int(STATEMENT * 1000),
        },
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        patience = connection.get_execution_options().get("patience", PATIENCE)
        if patience != PATIENCE:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {patience * 1000:.0f}")

    return engine


def _url(url: str) -> URL:
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
    engine = create_engine(address, hide_parameters=True, connect_args={"timeout": BUSY})

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, record: Any) -> None:
        record.info["file"] = _identity(file)
        connection.isolation_level = None  # the module would begin transactions by itself, and not before a CREATE
        connection.execute("PRAGMA foreign_keys = ON")
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
    """Which file stands there; None when there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _migrated(engine: Engine) -> bool:
    """Brings the tables to the state needed; True when something had to be done."""
    if engine.dialect.name == "sqlite":
        _write_ahead(engine)
    with engine.execution_options(reads=True).begin() as connection:
        if is_current(connection):
            return False
    with engine.begin() as connection:
        return migrate(connection)


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


def _is_refusal(error: SQLAlchemyError) -> bool:
    """Whether a statement was refused for what was to be written, by the database or before it got there."""
    if isinstance(error, DBAPIError):
        return isinstance(error, DataError | IntegrityError)
    return isinstance(error, StatementError)


def _is_locked(error: SQLAlchemyError) -> bool:
    """Whether others kept the database locked for longer than one waits."""
    lock_not_available = "55P03"
    return _cause(error).startswith(("SQLITE_BUSY", "SQLITE_LOCKED", lock_not_available))


def _cause(error: Exception) -> str:
    """PostgreSQL's code, SQLite's, or the type of the error, the driver's own if it was that: all from closed lists."""
    original = getattr(error, "orig", None) or error
    code = getattr(original, "sqlstate", None) or getattr(original, "sqlite_errorname", None)
    return str(code or type(original).__name__)
