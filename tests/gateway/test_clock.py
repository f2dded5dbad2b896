"""The two clocks keep the same promise."""

from __future__ import annotations

import asyncio
import time

import pytest

from countertop.domain.clock import HOUR, MINUTE, Clock
from countertop.gateway.clock import SetClock, SystemClock
from countertop.sandbox.clock import TestClock


@pytest.fixture(params=["system", "set", "test"])
def clock(request: pytest.FixtureRequest) -> Clock:
    clocks: dict[str, Clock] = {"system": SystemClock(), "set": SetClock(SystemClock()), "test": TestClock(SystemClock())}
    return clocks[request.param]


def test_now_is_in_milliseconds(clock: Clock) -> None:
    assert abs(clock.now() - time.time() * 1000) < 5_000


async def test_sleeping_ends_when_the_time_has_come(clock: Clock) -> None:
    until = clock.now() + 20
    async with asyncio.timeout(20):
        await clock.sleep_until(until)
    assert clock.now() >= until


async def test_what_is_past_is_not_waited_for(clock: Clock) -> None:
    async with asyncio.timeout(20):
        await clock.sleep_until(clock.now() - HOUR)


async def test_advancing_wakes_those_whose_time_has_come_and_no_others() -> None:
    clock = TestClock(SystemClock())
    start = clock.now()
    soon, late = (asyncio.create_task(clock.sleep_until(start + wait)) for wait in (HOUR, 3 * HOUR))
    await asyncio.sleep(0)
    assert clock.advance(2 * HOUR) >= start + 2 * HOUR
    async with asyncio.timeout(20):
        await soon
    assert not late.done()
    clock.advance(2 * HOUR)
    async with asyncio.timeout(20):
        await late


async def test_a_cancelled_sleeper_is_gone() -> None:
    clock = TestClock(SystemClock())
    sleeper = asyncio.create_task(clock.sleep_until(clock.now() + HOUR))
    await asyncio.sleep(0)
    sleeper.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeper


def test_a_clock_is_set_by_a_shared_one() -> None:
    clock = SetClock(SystemClock())
    own = clock.now()
    assert clock.compare(own - 4, own + MINUTE, own + 4)
    assert MINUTE <= clock.now() - own < MINUTE + 5_000


@pytest.mark.parametrize("difference", [-3, 0, 3])
def test_a_difference_that_the_way_explains_sets_nothing(difference: int) -> None:
    clock = SetClock(SystemClock())
    assert not clock.compare(1_000, 1_004 + difference, 1_008)
    assert clock.offset == 0
