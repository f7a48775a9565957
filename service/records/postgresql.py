"""PostgreSQL's engine, whose every wait is bounded.

A server that stands still keeps its connections open: neither its own timeouts nor those of TCP end the wait for its
answer.
"""

from typing import TYPE_CHECKING, Any, cast

import psycopg
from psycopg.errors import ConnectionTimeout
from psycopg.pq import TransactionStatus
from sqlalchemy import URL, Connection, Engine, create_engine, event

from service.records.opening import ANSWER, CONNECT, PATIENCE, STATEMENT, USUAL

if TYPE_CHECKING:
    from psycopg.abc import RV, PQGen


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is closed when a statement is not answered in time; whether it took effect is then unknown."""

    answer: float | None = ANSWER
    """Seconds to wait for an answer; None waits for ever."""

    def wait(self, gen: "PQGen[RV]", interval: float = 0.1, timeout: float | None = None) -> "RV":
        """Waits for the server; called by psycopg for each statement. Raises ConnectionTimeout."""
        try:
            return super().wait(gen, interval, timeout or self.answer)
        except psycopg.OperationalError:
            if self.info.transaction_status != TransactionStatus.ACTIVE:
                raise
            self.close()
            raise ConnectionTimeout("no answer in time") from None


def engine_at(address: URL, statement_seconds: float) -> Engine:
    """An engine that has not connected yet."""
    engine = create_engine(
        address,
        **USUAL,
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

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> BoundedConnection:
        return BoundedConnection.connect(*arguments, **options)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        answer = options.get("answer", statement_seconds + ANSWER)
        cast(BoundedConnection, connection.connection.dbapi_connection).answer = answer
        patience = options.get("patience", PATIENCE)
        if patience != PATIENCE:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {patience * 1000:.0f}")

    @event.listens_for(engine, "checkin")
    def rest(connection: BoundedConnection | None, _record: Any) -> None:
        if connection is not None:
            connection.answer = ANSWER

    return engine
