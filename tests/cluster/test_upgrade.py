"""Rolling upgrades: while the new version changes the tables, the version before goes on writing to them.

Each revision is held to that against the one before: what its statements insert, the next one's tables take.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    LargeBinary,
    MetaData,
    Table,
    create_engine,
    event,
    insert,
    select,
    text,
)
from sqlalchemy.types import Integer, Numeric

from countertop.gateway.store import migration
from countertop.gateway.store.store import database_at
from countertop.testing.postgres import PostgresServer

FOLDER = Path(migration.__file__).parent


def revisions() -> list[str]:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return [script.revision for script in reversed(list(ScriptDirectory.from_config(config).walk_revisions()))]


STEPS = list(zip(revisions(), revisions()[1:], strict=False))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    made = (
        on_sqlite(tmp_path / "upgraded.db") if request.param == "sqlite" else on_postgresql(request.getfixturevalue("postgres"))
    )
    yield made
    made.dispose()


def on_sqlite(path: Path) -> Engine:
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(path, isolation_level=None, timeout=30))

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def on_postgresql(postgres: PostgresServer) -> Engine:
    url = postgres.url(postgres.create_database())
    return create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))


def upgrade(engine: Engine, revision: str) -> None:
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(FOLDER))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def tables(engine: Engine) -> list[Table]:
    """The tables as they are in the database now."""
    metadata = MetaData()
    metadata.reflect(engine)
    return [found for found in metadata.sorted_tables if found.name != "alembic_version"]


def row_of(part: Table, number: int) -> dict[str, Any]:
    return {column.name: value_of(column, number) for column in part.columns}


def value_of(column: Column[Any], number: int) -> Any:
    match column.type:
        case Boolean():
            return True
        case LargeBinary():
            return b"%d" % number
        case Integer() | Numeric():
            return number
        case _:
            return f"{number}"


def write(engine: Engine, parts: list[Table], number: int) -> None:
    """A row in each table, with the columns that this version knows."""
    with engine.begin() as connection:
        for part in parts:
            connection.execute(insert(part).values(row_of(part, number)))


@pytest.mark.parametrize(("before", "after"), STEPS)
def test_what_the_version_before_writes_and_asks_goes_on_working(engine: Engine, before: str, after: str) -> None:
    upgrade(engine, before)
    known = tables(engine)
    write(engine, known, 1)
    upgrade(engine, after)
    write(engine, known, 2)
    with engine.connect() as connection:
        for part in known:
            assert len(connection.execute(select(part)).all()) == 2, part.name


@pytest.mark.parametrize(("before", "after"), STEPS)
def test_an_upgrade_under_load_loses_nothing(engine: Engine, before: str, after: str) -> None:
    upgrade(engine, before)
    known = [part for part in tables(engine) if part.name == "event"]
    done: list[int] = []
    enough = threading.Event()

    def go_on() -> None:
        while not enough.is_set():
            write(engine, known, len(done))
            done.append(len(done))

    writer = threading.Thread(target=go_on)
    writer.start()
    wait_until(lambda: len(done) > 20)
    upgrade(engine, after)
    before_end = len(done)
    wait_until(lambda: len(done) > before_end + 20)
    enough.set()
    writer.join()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM event")).scalar() == len(done)


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(3000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise TimeoutError


@pytest.mark.postgres
def test_a_node_that_starts_waits_for_no_reader(postgres: PostgresServer) -> None:
    """An upgrade of what is up to date takes no lock that a node at work would wait for."""
    url = postgres.url(postgres.create_database())
    database_at(url).migrate()
    with psycopg.connect(url) as reader:
        reader.execute("SELECT count(*) FROM request")
        database_at(url).migrate()
