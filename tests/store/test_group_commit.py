"""Batches: units share a commit without sharing one another's fate."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select, update

from countertop.domain.errors import Refused
from countertop.domain.hint import RequestHint
from countertop.gateway.store import table
from countertop.gateway.store.statement import Command, Query
from countertop.gateway.store.trouble import Contended, Defect, Overloaded, Unavailable
from countertop.gateway.store.unit import Unit
from tests.store.world import World, opened

INSERT = Command(insert(table.node))
ADD = Command(
    update(table.node)
    .where(table.node.c.id == bindparam("node"))
    .values(leased_until=table.node.c.leased_until + bindparam("much"))
)
NAMED = Query(select(table.node.c.id).where(table.node.c.id == bindparam("node")), str)
SECRET = "4444333322221111"


def put(unit: Unit, name: str, value: int = 0) -> str:
    unit.run(INSERT, id=name, leased_until=value)
    unit.hint(RequestHint(name))
    return name


def refuse(unit: Unit) -> None:
    unit.hint(RequestHint("never said"))
    raise Refused("not today")


def put_and_refuse(unit: Unit, name: str) -> None:
    put(unit, name)
    raise Refused("on second thoughts")


async def names(world: World) -> set[str]:
    return {row[0] for row in await world.rows(select(table.node.c.id))}


@asynccontextmanager
async def held(world: World, writers: int) -> AsyncIterator[None]:
    """All writers are busy inside, so that what is asked for meanwhile waits and becomes one batch."""
    busy, release = threading.Semaphore(0), threading.Event()

    def wait(_: Unit) -> None:
        busy.release()
        release.wait(10)

    waiting = []
    for _ in range(writers):
        waiting.append(world.store.write(wait))
        await asyncio.to_thread(busy.acquire)
    try:
        yield
    finally:
        release.set()
        await asyncio.gather(*waiting)


Writing = Callable[..., asyncio.Future[Any]]


@pytest.fixture(params=["write", "jot", "jot_soon"])
def do(world: World, request: pytest.FixtureRequest) -> Writing:
    """Each way to write."""
    way: Writing = getattr(world.store, request.param)
    return way


@pytest.fixture
def writers(url: str) -> int:
    return 1 if url.startswith("sqlite") else 4


async def test_units_of_one_turn_all_get_their_own_answer(world: World, do: Writing) -> None:
    answers = await asyncio.gather(*(do(put, f"n{number}") for number in range(300)))
    assert answers == [f"n{number}" for number in range(300)]
    assert await names(world) == set(answers)
    assert world.store.waiting == 0


async def test_a_unit_that_refuses_before_it_writes_disturbs_nobody(world: World, do: Writing, writers: int) -> None:
    async with held(world, writers):
        good, bad, better = do(put, "good"), do(refuse), do(put, "better")
    with pytest.raises(Refused, match="not today"):
        await bad
    assert (await good, await better) == ("good", "better")
    assert await names(world) == {"good", "better"}


async def test_a_unit_that_fails_after_writing_is_undone_alone(world: World, do: Writing, writers: int) -> None:
    async with held(world, writers):
        units: list[asyncio.Future[Any]] = [do(put, "good"), do(put_and_refuse, "bad")]
        units.append(do(put, "better"))
    answers = await asyncio.gather(*units, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["good", "on second thoughts", "better"]
    assert await names(world) == {"good", "better"}


async def test_units_that_want_the_same_row_are_told_apart(world: World, do: Writing, writers: int) -> None:
    async with held(world, writers):
        units = [do(put, name) for name in ("one", "same", "same", "two")]
    answers = await asyncio.gather(*units, return_exceptions=True)
    assert [type(answer) for answer in answers].count(Contended) == 1
    assert await names(world) == {"one", "same", "two"}


async def test_hints_are_said_after_the_commit_and_only_of_what_was_committed(world: World, do: Writing, writers: int) -> None:
    world.hints.clear()
    async with held(world, writers):
        units: list[asyncio.Future[Any]] = [do(put, "a"), do(put_and_refuse, "b")]
        units.append(do(put, "c"))
        assert not world.hints
    await asyncio.gather(*units, return_exceptions=True)
    assert {hint.request_id for hint in world.heard(RequestHint)} == {"a", "c"}


async def test_what_was_hinted_can_be_read(url: str) -> None:
    seen: list[set[str]] = []
    async with opened(url) as world:

        async def look() -> None:
            seen.append(await names(world))

        for number in range(20):
            await world.store.write(put, f"n{number}")
            await look()
    assert [len(found) for found in seen] == list(range(1, 21))


async def test_who_stops_waiting_spoils_nothing(world: World, do: Writing, writers: int) -> None:
    async with held(world, writers):
        units = [do(put, name) for name in ("stays", "leaves", "stays too")]
        units[1].cancel()
    assert (await units[0], await units[2]) == ("stays", "stays too")
    assert await names(world) == {"stays", "leaves", "stays too"}


async def test_a_publisher_that_fails_takes_no_answer_away(url: str, caplog: pytest.LogCaptureFixture) -> None:
    async with opened(url) as world:

        def fail(_: object) -> None:
            raise RuntimeError("the bus is gone")

        world.publish = fail
        assert await world.store.write(put, "kept") == "kept"
        assert await world.store.write(put, "kept too") == "kept too"
    assert "hints could not be published" in caplog.text


async def test_too_much_waiting_is_refused_at_once(url: str, writers: int) -> None:
    async with opened(url, max_waiting=writers + 2) as world:
        async with held(world, writers):
            units = [world.store.write(put, f"n{number}") for number in range(2)]
            with pytest.raises(Overloaded):
                world.store.write(put, "one too many")
        await asyncio.gather(*units)
        assert await world.store.write(put, "later") == "later"


async def test_what_can_wait_shares_its_commit_and_delays_nobody(world: World) -> None:
    soon = [world.store.jot_soon(put, f"soon {number}") for number in range(3)]
    assert await world.store.jot(put, "now") == "now"
    assert await asyncio.gather(*soon) == ["soon 0", "soon 1", "soon 2"]
    told = [hint.request_id for hint in world.heard(RequestHint)]
    assert sorted(told) == ["now", "soon 0", "soon 1", "soon 2"]
    if not world.store.shared:  # between nodes all are sent off at once
        assert told[0] == "now"


@pytest.mark.parametrize("way", ["write", "jot", "jot_soon"])
async def test_closing_finishes_what_waits_and_then_refuses(url: str, way: str) -> None:
    async with opened(url) as world:
        units = [getattr(world.store, way)(put, f"n{number}") for number in range(50)]
        units.append(getattr(world.store, way)(put, "one more"))
        await world.store.close()
        assert await asyncio.gather(*units) == [*(f"n{number}" for number in range(50)), "one more"]
        with pytest.raises(Unavailable):
            world.store.write(put, "late")
        with pytest.raises(Unavailable):
            await world.store.read(refuse)


async def test_a_mistaken_statement_is_a_defect_that_quotes_nothing(do: Writing) -> None:
    assert await do(put, SECRET) == SECRET
    with pytest.raises(Contended) as trouble:
        await do(put, SECRET)
    assert SECRET not in str(trouble.value)
    assert trouble.value.__cause__ is None
    assert trouble.value.__context__ is None


async def test_a_value_of_the_wrong_kind_is_a_defect(do: Writing) -> None:
    class Odd:
        pass

    def mistake(unit: Unit) -> None:
        unit.run(INSERT, id=Odd(), leased_until=1)

    with pytest.raises(Defect, match="in mistake"):
        await do(mistake)
    assert await do(put, "still here") == "still here"


async def test_a_reader_can_not_write(world: World) -> None:
    for ask in (world.store.read, world.store.peek):
        with pytest.raises((Unavailable, Defect)):
            await ask(put, "sneaky")
    assert await names(world) == set()


async def test_adding_up_from_many_sides_loses_nothing(world: World, do: Writing) -> None:
    def add(unit: Unit) -> None:
        assert unit.run(ADD, node="sum", much=1) == 1

    await do(put, "sum")
    await asyncio.gather(*(do(add) for _ in range(200)))
    assert await world.rows(select(table.node.c.leased_until)) == [(200,)]


async def test_who_was_told_of_a_commit_sees_it(world: World, do: Writing) -> None:
    def named(unit: Unit, name: str) -> str | None:
        return unit.one(NAMED, node=name)

    async def write_and_look(writer: int) -> None:
        for name in (f"{writer} {number}" for number in range(20)):
            await do(put, name)
            assert await world.store.peek(named, name) == name
            await asyncio.sleep(0)

    await asyncio.gather(*map(write_and_look, range(30)))
