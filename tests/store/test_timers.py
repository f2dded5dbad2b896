"""Timers do what is due, on a clock that can be moved."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from countertop.domain.clock import DAY, SECOND, Instant
from countertop.domain.errors import NotFound
from countertop.domain.request import Outcome, Status
from countertop.gateway.operations.terminal import find_smart_terminal
from countertop.gateway.timers import NODE_LEASE, Timers
from tests.store.world import CONNECT, SHOWN, World


class MovedClock:
    """A clock that stands still until it is moved; moving it wakes who sleeps."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._moved = asyncio.Event()

    def now(self) -> Instant:
        return self._world.now

    async def sleep_until(self, instant: Instant) -> None:
        while self._world.now < instant:
            await self._moved.wait()

    def move(self, duration: int) -> None:
        self._world.now += duration
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 - what is waited for is in a database
            await asyncio.sleep(0.005)


async def test_running_what_is_due_leaves_nothing_due(world: World) -> None:
    clock = MovedClock(world)
    timers = Timers(world.store, clock, world.node)
    await world.connect()
    lost, shown = await world.start(world.terminals[1]), await world.start()
    await world.show(shown)
    clock.move(SHOWN)
    await timers.run_due()
    assert await world.state(lost) == (Status.NO_CONNECTION, Outcome.TERMINAL_UNREACHABLE)
    assert await world.state(shown) == (Status.COMPLETE, Outcome.TIMED_OUT)
    clock.move(DAY + 1)
    await timers.run_due()
    with pytest.raises(NotFound):
        await world.view(shown)


async def test_a_started_node_lives_and_a_stopped_one_does_not(world: World) -> None:
    clock = MovedClock(world)
    timers = Timers(world.store, clock, world.node)

    async def online() -> bool:
        return (await world.store.read(find_smart_terminal, world.now, world.terminals[0])).online

    await world.connect()
    assert not await online()
    await timers.start()
    try:
        assert await online()
        clock.move(NODE_LEASE)
        await until(online)
    finally:
        await timers.stop()
    assert not await online()


async def test_deadlines_are_met_without_being_asked(world: World) -> None:
    clock = MovedClock(world)
    timers = Timers(world.store, clock, world.node)
    await timers.start()
    try:
        for _ in range(2):
            request_id = await world.start()
            clock.move(CONNECT - 1)
            assert await world.state(request_id) == (Status.CONNECTING, None)
            clock.move(1)

            async def ended(asked: str = request_id) -> bool:
                return (await world.state(asked))[0] is Status.NO_CONNECTION

            await until(ended)
    finally:
        await timers.stop()


async def test_a_database_that_fails_is_asked_again(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    clock = MovedClock(world)
    timers = Timers(world.store, clock, world.node)
    await timers.start()
    await world.store.close()
    clock.move(10 * SECOND)
    async with asyncio.timeout(20):
        while "could not do its work" not in capsys.readouterr().out:  # noqa: ASYNC110 - what is waited for is a line
            await asyncio.sleep(0.005)
    await timers.stop()
