"""The database of the records: SQLite in a file or PostgreSQL, opened when first needed, and again when it is back.

Nothing is connected before the first use in a process, so that no connection is shared by forked processes.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    SQLAlchemyError,
    StatementError,
)

from service.jsonio import encode
from service.records import DatabaseUnavailable
from service.records.opening import BUSY, PATIENCE, STATEMENT, NewerTables, opened, url_of

REST = 2.0
"""Seconds without another attempt after one failed: calls must not queue up behind a server that does not answer."""

CALM = 30.0
"""Seconds without a failure after which the log calls the database available again: on a full disk, small writes
succeed between those that fail."""

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
        self._written = True
        self._migrated = False
        self._noting = threading.Lock()
        self._logged: bool | None = None
        """What the log says: whether the database is available."""
        self._failed_at = -CALM

    @property
    def name(self) -> str:
        """The database for messages: its URL without the password."""
        try:
            return url_of(self._url).render_as_string(hide_password=True)
        except SQLAlchemyError:
            return "TOLAMI_DATABASE_URL"

    def exists(self) -> bool:
        """False for an SQLite file that does not exist; a command that reads must not create an empty one."""
        try:
            address = url_of(self._url)
        except SQLAlchemyError:
            return True
        file = address.database if address.get_backend_name() == "sqlite" else None
        return file is None or Path(file).exists()

    @contextmanager
    def writing(self, patience: float = PATIENCE, **options: float) -> Iterator[Connection]:
        """A transaction, committed at the end of the block.

        It waits at most ``patience`` seconds for locks of others, and, if that option is given, ``answer`` seconds for
        each answer of PostgreSQL.
        Raises DatabaseUnavailable, from the block or from the commit; then nothing of the block is kept, unless it was
        the answer to the commit that did not come: so what is written again must not be kept twice.
        """
        with (
            self._using(patience, writes=True) as engine,
            engine.connect().execution_options(patience=patience, **options) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads, and so keeps nobody from writing. Raises DatabaseUnavailable."""
        with (
            self._using(BUSY) as engine,
            engine.connect().execution_options(reads=True) as connection,
            connection.begin(),
        ):
            yield connection

    def rows(self, statements: Mapping[str, str], *parameters: object, writes: bool = False) -> list[tuple[Any, ...]]:
        """What one statement returns, committed: for those of every call, since a transaction costs ten times as much.

        ``statements`` are in the SQL of the drivers, by the kind of database. A list is one parameter; on SQLite it is
        JSON. Raises DatabaseUnavailable, as ``writing`` does.
        """
        with self._using(BUSY, writes=writes) as engine, closing(engine.raw_connection()) as connection:
            kind = engine.dialect.name
            given = parameters if kind == "postgresql" else tuple(map(_in_sqlite, parameters))
            found: list[tuple[Any, ...]] = connection.execute(statements[kind], given).fetchall()
            connection.commit()
            return found

    def available(self) -> bool:
        """Whether the database can be used now: it is read, and written if it was not the last time."""
        try:
            with self.reading() as connection:
                connection.exec_driver_sql("SELECT 1 FROM shown_card LIMIT 1")
        except DatabaseUnavailable:
            return False
        return self.recover(PATIENCE)

    def recover(self, patience: float = BUSY) -> bool:
        """Tries to write after a failure; whether it could be written at the last attempt."""
        if not (self._written and self._logged):
            with suppress(DatabaseUnavailable), self.writing(patience) as connection:
                row = "INSERT INTO counted (id, at) VALUES ('probe', CURRENT_TIMESTAMP)"
                connection.exec_driver_sql(f"{row} ON CONFLICT (id) DO UPDATE SET at = excluded.at")
        return self._written

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
            self._engine, self._process, self._migrated = engine, os.getpid(), migrated
        finally:
            self._lock.release()
        return engine

    @contextmanager
    def _using(self, patience: float, *, writes: bool = False) -> Iterator[Engine]:
        """The engine; notes how it went. Raises DatabaseUnavailable for what goes wrong with the database itself."""
        try:
            engine = self._ready(patience)
            try:
                yield engine
            except (SQLAlchemyError, engine.dialect.loaded_dbapi.Error) as error:
                if _is_refusal(error, engine.dialect.loaded_dbapi):
                    raise  # the database is well; what was to be written is not
                if not _is_locked(error):
                    # Whatever it was, the next use looks at the database anew: it may be gone, empty or another one.
                    self.close()
                self._failed(error)
        except DatabaseUnavailable:
            self._written = self._written and not writes
            raise
        self._written = self._written or writes
        with self._noting:
            calm = self._monotonic() - self._failed_at >= CALM
            if self._written and not self._logged and calm:
                log.info("records available", database=engine.dialect.name, migrated=self._migrated)
                self._logged = True

    def _failed(self, error: Exception) -> NoReturn:
        # The type only: a message may hold the password or what was to be written.
        cause = _cause(error)
        with self._noting:
            self._failed_at = self._monotonic()
            if self._logged is not False:
                log.error("records unavailable", cause=cause, setting="TOLAMI_DATABASE_URL")
                self._logged = False
        newer = "its tables are those of a newer version of this program"
        why = "others lock it" if _is_locked(error) else newer if isinstance(error, NewerTables) else cause
        self._reason = f"{self.name} cannot be used: {why}"
        raise DatabaseUnavailable(self._reason) from None


def _in_sqlite(value: object) -> object:
    """A parameter as SQLite takes it: a moment as ``Moment`` keeps it, a list as JSON."""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
    return encode(list(map(_in_sqlite, value))).decode() if isinstance(value, list) else value


def _is_refusal(error: Exception, driver: Any) -> bool:
    """Whether a statement was refused for what was to be written, by the database or before it got there."""
    if isinstance(error, DBAPIError | driver.Error):
        return isinstance(error, DataError | IntegrityError | driver.DataError | driver.IntegrityError)
    return isinstance(error, StatementError)


def _is_locked(error: Exception) -> bool:
    """Whether others kept the database locked for longer than one waits."""
    lock_not_available = "55P03"
    return _cause(error).startswith(("SQLITE_BUSY", "SQLITE_LOCKED", lock_not_available))


def _cause(error: Exception) -> str:
    """PostgreSQL's code, SQLite's, or the type of the error, the driver's own if it was that: all from closed lists."""
    original = getattr(error, "orig", None) or error
    code = getattr(original, "sqlstate", None) or getattr(original, "sqlite_errorname", None)
    return str(code or type(original).__name__)
