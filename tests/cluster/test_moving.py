"""From SQLite to PostgreSQL: every row and every sealed value, or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Table, select

from countertop.gateway.store import table
from countertop.gateway.store.store import database_at
from countertop.gateway.store.transfer import NotMovable, transfer
from countertop.testing.postgres import PostgresServer
from tests.end_to_end.process import run
from tests.store.world import CARD, KEYRING, World, opened

pytestmark = pytest.mark.postgres

NOW = 1_900_000_000_000


@pytest.fixture
def target(postgres: PostgresServer) -> Iterator[str]:
    name = postgres.create_database()
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "countertop.db"


async def filled(file: Path) -> str:
    """A life with its webhooks, another that still runs, and a number that was used and is gone. Returns the first one's id."""
    async with opened(f"sqlite:///{file}") as world:
        await world.subscribe()
        request_id = await world.start()
        await world.show(request_id)
        await world.finish(request_id)
        await world.start(world.terminals[1])
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(
            "INSERT INTO settlement (id, merchant_id, terminal_id, created, net, breakdown) VALUES (41, 'm', 1, 1, 0, '')"
        )
        database.execute("DELETE FROM settlement")
    return request_id


async def rows(world: World, part: Table) -> list[tuple[Any, ...]]:
    return sorted(await world.rows(select(part)), key=repr)


async def test_everything_is_there_and_can_be_opened(file: Path, target: str) -> None:
    request_id = await filled(file)
    told: dict[str, int] = {}
    count = transfer(file, target, NOW, told.__setitem__)
    assert (told["request"], told["event"], told["delivery"]) == (2, 4, 4)
    assert count == sum(told.values())
    async with opened(f"sqlite:///{file}", keyring=KEYRING) as here, opened(target, keyring=KEYRING) as there:
        for part in table.metadata.sorted_tables:
            if part.name not in ("merchant", "terminal", "smart_terminal", "node"):  # `opened` adds a merchant to each
                assert await rows(here, part) == await rows(there, part), part.name
        there.caller = await the_owner(there, request_id)
        assert (await there.view(request_id)).result == CARD


async def the_owner(world: World, request_id: str) -> Any:
    statement = select(table.request.c.merchant_id).where(table.request.c.id == request_id)
    ((merchant_id,),) = await world.rows(statement)
    return type(world.caller)(merchant_id, "login", world.caller.release)


async def test_numbers_go_on_where_they_were(file: Path, target: str) -> None:
    await filled(file)
    transfer(file, target, NOW)
    with psycopg.connect(target) as database:
        (number,) = database.execute("SELECT nextval(pg_get_serial_sequence('settlement', 'id'))").fetchone() or ()
    assert number == 42


async def test_a_target_with_rows_is_refused(file: Path, target: str) -> None:
    await filled(file)
    transfer(file, target, NOW)
    with pytest.raises(NotMovable, match="in use"):
        transfer(file, target, NOW)


async def test_a_file_that_is_served_from_is_refused(file: Path, target: str) -> None:
    await filled(file)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("INSERT INTO node (id, leased_until) VALUES ('n', ?)", (NOW + 1,))
    with pytest.raises(NotMovable, match="still serves"):
        transfer(file, target, NOW)


async def test_a_transfer_that_breaks_off_leaves_the_target_empty(file: Path, target: str) -> None:
    await filled(file)
    database_at(target).migrate()
    with psycopg.connect(target) as database:
        database.execute("ALTER TABLE event ADD CONSTRAINT in_the_way CHECK (sequence < 2)")
    with pytest.raises(psycopg.Error):
        transfer(file, target, NOW)
    with psycopg.connect(target) as database:
        database.execute("ALTER TABLE event DROP CONSTRAINT in_the_way")
    assert transfer(file, target, NOW)


async def test_the_command_says_what_it_moved(file: Path, target: str, tmp_path: Path) -> None:
    await filled(file)
    moved = run("migrate-data", f"sqlite:///{file}", target, folder=tmp_path)
    assert moved.returncode == 0
    assert "request: 2\n" in moved.stdout
    again = run("migrate-data", f"sqlite:///{file}", target, folder=tmp_path)
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert "in use already" in again.stderr


@pytest.mark.parametrize(
    ("source", "to"),
    [
        ("countertop.db", "postgresql://x/y"),
        ("sqlite:////nowhere.db", "mysql://x"),
        ("sqlite:////nowhere.db", "postgresql://x/y"),
    ],
)
def test_what_cannot_be_moved_is_said_in_one_line(source: str, to: str, tmp_path: Path) -> None:
    refused = run("migrate-data", source, to, folder=tmp_path)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
