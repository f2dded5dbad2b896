"""PostgreSQL through psycopg 3: several writers on any number of nodes, READ COMMITTED."""

from __future__ import annotations

import contextlib
from typing import Any, Final

import psycopg
from psycopg import errors

from countertop.gateway.store.database import Verdict
from countertop.gateway.store.migration import upgrade_postgresql
from countertop.gateway.store.statement import DialectName

_OPTIONS: Final = " ".join(
    f"-c {setting}"
    for setting in (
        "lock_timeout=5s",
        "statement_timeout=30s",
        # A node that stops in the middle of a transaction must not hold its locks for ever.
        "idle_in_transaction_session_timeout=30s",
        "timezone=UTC",
    )
)
_CONNECT_S: Final = 3

_RERUN: Final = (
    errors.UniqueViolation,
    errors.ForeignKeyViolation,
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.LockNotAvailable,
)
_UNAVAILABLE_CLASSES: Final = frozenset({"08", "25", "28", "3D", "53", "57", "58", "XX"})
"""Connection, read-only after a failover, log-in, no such database, resources (disk full), shutdown, I/O, internal error."""


class PostgresLink:
    """A connection. psycopg opens a transaction with the first statement of a writer; a reader is in autocommit."""

    def __init__(self, url: str, *, writing: bool) -> None:
        self._connection: psycopg.Connection[Any] = psycopg.connect(
            url,
            autocommit=not writing,
            connect_timeout=_CONNECT_S,
            options=_OPTIONS if writing else f"{_OPTIONS} -c default_transaction_read_only=on",
            application_name="countertop",
        )
        self.cursor: psycopg.Cursor[Any] = self._connection.cursor()

    def begin(self, *, patient: bool = True) -> None:
        """The first statement begins."""

    def commit(self) -> None:
        """Returns when the server has made it durable."""
        self._connection.commit()

    def rollback(self) -> None:
        """Undoes the transaction, if there is one."""
        self._connection.rollback()

    def close(self) -> None:
        """Hangs up."""
        with contextlib.suppress(psycopg.Error):
            self._connection.close()


class PostgresDatabase:
    """A database on a server."""

    dialect: Final[DialectName] = "postgresql"
    writers: Final = 4
    batch: Final = 32
    local: Final = False

    def __init__(self, url: str) -> None:
        self._url = url

    def connect(self, *, writing: bool) -> PostgresLink:
        """Connects and logs in."""
        return PostgresLink(self._url, writing=writing)

    def judge(self, error: Exception) -> Verdict | None:
        """What an error means; None if it is not the driver's."""
        if not isinstance(error, psycopg.Error):
            return None
        if isinstance(error, _RERUN):
            return Verdict.RERUN
        if error.sqlstate is None:
            lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
            return Verdict.UNAVAILABLE if lost else Verdict.DEFECT
        return Verdict.UNAVAILABLE if error.sqlstate[:2] in _UNAVAILABLE_CLASSES else Verdict.DEFECT

    def describe(self, error: Exception) -> str:
        """The error's class and SQLSTATE. The server's own text may quote values."""
        return f"{type(error).__name__} {getattr(error, 'sqlstate', None) or ''}".rstrip()

    def migrate(self) -> None:
        """Brings the tables up to date, under an advisory lock."""
        upgrade_postgresql(self._url)
