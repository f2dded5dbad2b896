"""Migrations: one tree for both databases, applied when a node starts.

Each upgrade runs in one transaction that holds a lock from its first moment, so of several nodes that start at once one changes
the tables and the others find them changed. A new revision is a file in `versions/`;
a test holds the outcome against `table.metadata`.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Final

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

_LOCK: Final = 0x436F756E746572
"""The advisory lock's number on PostgreSQL: "Counter" in ASCII."""

_WAIT_S: Final = 30
_PAGE_BYTES: Final = 2048


def upgrade_sqlite(path: Path) -> None:
    """Brings a database file up to date; makes it if it is not there. Raises the driver's error if it cannot."""
    engine = create_engine("sqlite://", creator=lambda: _open(path), poolclass=NullPool)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN EXCLUSIVE")

    _upgrade(engine.begin())


def upgrade_postgresql(url: str) -> None:
    """Brings a database on a server up to date. Raises the driver's error if it cannot."""
    # Connected by the driver itself, which understands more forms of URL than SQLAlchemy does.
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(url, connect_timeout=_WAIT_S), poolclass=NullPool
    )
    _upgrade(engine.begin(), before="SELECT pg_advisory_xact_lock(:lock)")


def _open(path: Path) -> sqlite3.Connection:
    # In autocommit, so that the BEGIN below is the only one.
    connection = sqlite3.connect(path, isolation_level=None, timeout=_WAIT_S)
    # Only for a new file. A unit changes a few bytes in each of some ten pages, all of which its commit has to write.
    connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
    connection.execute("PRAGMA journal_mode = WAL")
    return connection


def _upgrade(transaction: Any, before: str | None = None) -> None:
    failure: BaseException | None = None
    try:
        with transaction as connection:
            if before is not None:
                connection.execute(text(before), {"lock": _LOCK})
            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parent))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except DBAPIError as error:
        failure = error.orig
        if failure is None:
            raise
    if failure is not None:
        raise failure
