"""When the database does not answer: callers are told so, and it heals by itself."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import bindparam, insert, select

from countertop.gateway.store import table
from countertop.gateway.store.database import Verdict
from countertop.gateway.store.sealing import Sealer
from countertop.gateway.store.sqlite import SqliteDatabase
from countertop.gateway.store.statement import Command, Query
from countertop.gateway.store.store import database_at, open_store
from countertop.gateway.store.trouble import Unavailable
from countertop.gateway.store.unit import Unit
from countertop.testing.postgres import PostgresServer
from tests.database import make_database
from tests.store.world import KEYRING, opened

INSERT = Command(insert(table.node))
FIND = Query(select(table.node.c.id).where(table.node.c.id == bindparam("name")), str)


def put(unit: Unit, name: str) -> str:
    unit.run(INSERT, id=name, leased_until=0)
    return name


def named(unit: Unit, name: str) -> bool:
    return unit.one(FIND, name=name) is not None


def log_size(folder: Path) -> int:
    return next(folder.glob("*-wal")).stat().st_size


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file can grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_refuses_a_batch_and_heals(sqlite_url: str, tmp_path: Path) -> None:
    async with opened(sqlite_url) as world:
        with full_disk(log_size(tmp_path)):
            for do in (world.store.write, world.store.jot):
                answers = await asyncio.gather(*(do(put, f"lost {at}") for at in range(3)), return_exceptions=True)
                assert [type(answer) for answer in answers] == [Unavailable] * 3
        assert await world.store.write(put, "kept") == "kept"
        assert await world.view(await world.start()) is not None


async def test_a_locked_file_refuses_and_heals(sqlite_url: str) -> None:
    async with opened(sqlite_url) as world:
        other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        for do in (world.store.write, world.store.jot):
            with pytest.raises(Unavailable, match="SQLITE_BUSY"):
                await do(put, "refused")
        other.execute("ROLLBACK")
        other.close()
        assert await world.store.write(put, "kept") == "kept"


async def test_nobody_else_waits_for_a_locked_file(sqlite_url: str) -> None:
    async with opened(sqlite_url) as world:
        other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
        await world.store.jot(put, "before")
        other.execute("BEGIN IMMEDIATE")
        waiting = world.store.jot(put, "waits")
        assert await world.store.peek(named, "before")
        assert not waiting.done()
        other.execute("ROLLBACK")  # it is this thread that gives way: the event loop does not wait
        other.close()
        assert await waiting == "waits"


async def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database\n" * 100)
    with pytest.raises(Unavailable, match="SQLITE_NOTADB"):
        await open_store(f"sqlite:///{path}", Sealer(KEYRING), lambda _: None)
    with pytest.raises(Unavailable, match="SQLITE_CANTOPEN"):
        await open_store(f"sqlite:///{tmp_path}/no/such/folder/x.db", Sealer(KEYRING), lambda _: None)


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://relative.db", "sqlite:///", "countertop.db", ""])
def test_a_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="database URL"):
        database_at(url)


@pytest.mark.postgres
async def test_a_lost_connection_refuses_at_most_what_was_on_it_and_heals(postgres: PostgresServer, postgres_url: str) -> None:
    async with opened(postgres_url) as world:
        await asyncio.gather(*(world.store.write(put, f"before {at}") for at in range(20)))
        await world.rows(table.node.select())
        postgres.hang_up(postgres_url.split("/")[3].partition("?")[0])
        kept = 0
        for attempt in range(10):  # each of the writers may find its own connection dead once
            try:
                await world.store.write(put, f"after {attempt}")
                kept += 1
            except Unavailable:
                continue
        assert kept >= 6
        assert len(await world.rows(table.node.select())) == 20 + kept


@pytest.mark.postgres
async def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        await open_store(f"postgresql://postgres@/x?host={tmp_path}", Sealer(KEYRING), lambda _: None)


def test_what_sqlite_means(tmp_path: Path) -> None:
    path = make_database(tmp_path / "countertop.db")
    database = SqliteDatabase(path)
    connection = sqlite3.connect(path, isolation_level=None)
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")

    def verdict(statement: str) -> tuple[Verdict | None, str]:
        with pytest.raises(sqlite3.Error) as error:
            connection.execute(statement)
        return database.judge(error.value), database.describe(error.value)

    rows = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 99999) SELECT x, 0 FROM n"
    assert verdict(f"INSERT INTO node {rows}") == (Verdict.UNAVAILABLE, "SQLITE_FULL")
    connection.execute("INSERT INTO node VALUES ('twice', 0)")
    assert verdict("INSERT INTO node VALUES ('twice', 0)") == (Verdict.RERUN, "SQLITE_CONSTRAINT_PRIMARYKEY")
    assert verdict("INSERT INTO nowhere VALUES (1)") == (Verdict.DEFECT, "SQLITE_ERROR")
    connection.execute("PRAGMA query_only = ON")
    assert verdict("DELETE FROM node") == (Verdict.UNAVAILABLE, "SQLITE_READONLY")
    connection.close()
    assert verdict("SELECT 1")[0] is Verdict.UNAVAILABLE
    assert database.judge(KeyError("x")) is None


@pytest.mark.postgres
def test_what_postgresql_means(postgres_url: str) -> None:
    database = database_at(postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as connection:

        def verdict(statement: str) -> tuple[Verdict | None, str]:
            with pytest.raises(psycopg.Error) as error:
                connection.execute(statement.encode())
            return database.judge(error.value), database.describe(error.value)

        connection.execute("INSERT INTO node VALUES ('4444333322221111', 0)")
        found = verdict("INSERT INTO node VALUES ('4444333322221111', 0)")
        assert found == (Verdict.RERUN, "UniqueViolation 23505")
        assert verdict("INSERT INTO nowhere VALUES (1)") == (Verdict.DEFECT, "UndefinedTable 42P01")
        assert verdict("SELECT 1 / 0") == (Verdict.DEFECT, "DivisionByZero 22012")
        connection.execute("SET default_transaction_read_only = on")
        assert verdict("DELETE FROM node")[0] is Verdict.UNAVAILABLE
    assert verdict("SELECT 1")[0] is Verdict.UNAVAILABLE
    assert database.judge(KeyError("x")) is None
