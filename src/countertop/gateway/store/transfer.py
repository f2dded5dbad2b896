"""Moving everything from a SQLite file into an empty PostgreSQL database.

Rows are copied as they are, sealed values too, so the same key file opens them there. All of it is one transaction: a transfer
that is broken off has changed nothing, and is begun again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy import Boolean, Table

from countertop.domain.clock import Instant
from countertop.domain.errors import CountertopError
from countertop.gateway.store import table
from countertop.gateway.store.migration import upgrade_postgresql, upgrade_sqlite

CHUNK: Final = 1_000
LEFT_BEHIND: Final = frozenset({"node"})
"""Nodes say for themselves that they live."""


class NotMovable(CountertopError):
    """The transfer cannot be made; the text says why."""


def transfer(source: Path, target: str, now: Instant, told: Callable[[str, int], None] = lambda _name, _rows: None) -> int:
    """Copies all rows of a SQLite file into the PostgreSQL at a URL. Returns how many; `told` hears of each table.

    Both are brought up to date first. Raises NotMovable if there is no such file, a node still serves from it, or the target is
    not empty; the driver's error if either cannot be used.
    """
    if not source.is_file():
        raise NotMovable(f"there is no file {source}")
    upgrade_sqlite(source)
    upgrade_postgresql(target)
    reading = sqlite3.connect(source, isolation_level=None)
    try:
        reading.execute("BEGIN IMMEDIATE")  # nobody changes what has been copied already
        if reading.execute("SELECT count(*) FROM node WHERE leased_until > ?", (now,)).fetchone()[0]:
            raise NotMovable("a node still serves from this file, or did so a moment ago: stop it, wait 15 seconds, try again")
        with psycopg.connect(target) as writing:
            _refuse_if_used(writing)
            counts = [
                _copy(reading, writing, part, told) for part in table.metadata.sorted_tables if part.name not in LEFT_BEHIND
            ]
            _carry_numbers_on(reading, writing)
        return sum(counts)
    finally:
        reading.close()


def _refuse_if_used(writing: psycopg.Connection[Any]) -> None:
    for name in table.metadata.tables:
        found = writing.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(name))).fetchone()
        if found is not None and found[0]:
            raise NotMovable(f"the target is in use already: its table {name} has rows")


def _copy(reading: sqlite3.Connection, writing: psycopg.Connection[Any], part: Table, told: Callable[[str, int], None]) -> int:
    names = [column.name for column in part.columns]
    flags = [at for at, column in enumerate(part.columns) if isinstance(column.type, Boolean)]
    listed = ", ".join(f'"{name}"' for name in names)
    found = reading.execute(f'SELECT {listed} FROM "{part.name}"')  # noqa: S608 - names of our own tables
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    count = 0
    with writing.cursor().copy(sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(part.name), columns)) as copy:
        for row in _rows(found, flags):
            copy.write_row(row)
            count += 1
    told(part.name, count)
    return count


def _rows(found: sqlite3.Cursor, flags: Sequence[int]) -> Iterator[list[Any]]:
    """Rows as PostgreSQL wants them: SQLite knows no booleans."""
    while some := found.fetchmany(CHUNK):
        for row in some:
            values = list(row)
            for at in flags:
                values[at] = None if values[at] is None else bool(values[at])
            yield values


def _carry_numbers_on(reading: sqlite3.Connection, writing: psycopg.Connection[Any]) -> None:
    """Numbers that count up go on where they were, never used again even if their rows are gone."""
    for name, last in reading.execute("SELECT name, seq FROM sqlite_sequence").fetchall():
        if name in table.metadata.tables and last:
            writing.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", (f'"{name}"', last))
