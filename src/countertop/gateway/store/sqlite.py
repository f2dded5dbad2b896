"""SQLite: one file, one writer, WAL with `synchronous=FULL`, so that what was answered survives a power cut."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Final

from countertop.gateway.store.database import Verdict
from countertop.gateway.store.migration import upgrade_sqlite
from countertop.gateway.store.statement import DialectName

_BUSY_MS: Final = 2_000
"""How long a writer waits for another process (`countertop seed`, a backup) to release the file."""

_CACHE_KIB: Final = 16 * 1024
"""Room for the inner pages of all trees of millions of rows, so that a write touches what it changes and nothing else."""
_CHECKPOINT_PAGES: Final = 8_000
"""The log is carried over into the file each 16 MiB: pages that change often are carried once instead of many times."""

_UNAVAILABLE: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)


class SqliteLink:
    """A connection to the file. The driver opens no transactions by itself: `begin` and `commit` say when."""

    def __init__(self, path: Path, *, writing: bool) -> None:
        self._patient = True
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
        try:
            self.cursor = self._connection.cursor()
            self.cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
            self.cursor.execute("PRAGMA journal_mode = WAL")
            self.cursor.execute("PRAGMA synchronous = FULL")
            self.cursor.execute("PRAGMA foreign_keys = ON")
            self.cursor.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            self.cursor.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            if not writing:
                self.cursor.execute("PRAGMA query_only = ON")
        except BaseException:
            self._connection.close()
            raise

    def begin(self, *, patient: bool = True) -> None:
        """Takes the write lock at once: a transaction that began as a reader could find itself too late to write."""
        if patient is not self._patient:
            self._patient = patient
            self.cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MS if patient else 0}")
        self.cursor.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Returns when the log is on the disk."""
        self.cursor.execute("COMMIT")

    def rollback(self) -> None:
        """Undoes the transaction; some errors (a full disk) have ended it already."""
        if self._connection.in_transaction:
            self.cursor.execute("ROLLBACK")

    def close(self) -> None:
        """Closes the file."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()


class SqliteDatabase:
    """A database file."""

    dialect: Final[DialectName] = "sqlite"
    writers: Final = 1
    batch: Final = 256
    local: Final = True

    def __init__(self, path: Path) -> None:
        self._path = path

    def connect(self, *, writing: bool) -> SqliteLink:
        """Opens the file."""
        return SqliteLink(self._path, writing=writing)

    def judge(self, error: Exception) -> Verdict | None:
        """What an error means; None if it is not the driver's."""
        if not isinstance(error, sqlite3.Error):
            return None
        code = getattr(error, "sqlite_errorcode", None)
        if code is None:
            # Not from the library but from the driver round it: a closed connection, or a statement that it cannot bind.
            closed = isinstance(error, sqlite3.ProgrammingError) and "closed" in str(error)
            return Verdict.UNAVAILABLE if closed else Verdict.DEFECT
        if code & 0xFF == sqlite3.SQLITE_CONSTRAINT:
            return Verdict.RERUN
        return Verdict.UNAVAILABLE if code & 0xFF in _UNAVAILABLE else Verdict.DEFECT

    def describe(self, error: Exception) -> str:
        """The error's name: SQLITE_FULL and the like."""
        return str(getattr(error, "sqlite_errorname", type(error).__name__))

    def migrate(self) -> None:
        """Brings the tables up to date, under the file's own write lock."""
        upgrade_sqlite(self._path)
