"""Long work in short pieces, between which the event loop does everything else."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from time import perf_counter
from typing import Any

import pytest

from countertop.gateway.turn import SLICE, Turns


class Count:
    """Counts the loop's turns."""

    def __init__(self) -> None:
        self.turns = 0
        self._handle = asyncio.get_running_loop().call_soon(self._again)

    def _again(self) -> None:
        self.turns += 1
        self._handle = asyncio.get_running_loop().call_soon(self._again)

    def stop(self) -> None:
        """Counts no more."""
        self._handle.cancel()


def work(seconds: float) -> None:
    """Does something for so long."""
    end = perf_counter() + seconds
    while perf_counter() < end:
        pass


async def test_pieces_are_done_one_after_the_other_and_never_at_once() -> None:
    done: list[int] = []
    turns = Turns()
    for number in range(5):
        turns.put(lambda number=number: done.append(number))  # type: ignore[misc]  # mypy sees no default in a lambda
    assert done == []
    await asyncio.sleep(0.01)
    assert done == [0, 1, 2, 3, 4]


async def test_others_have_their_turn_between_pieces_that_take_long() -> None:
    turns, count, finished = Turns(), Count(), asyncio.Event()
    seen: list[int] = []

    def piece() -> None:
        seen.append(count.turns)
        work(SLICE)

    for _ in range(6):
        turns.put(piece)
    turns.put(finished.set)
    await asyncio.wait_for(finished.wait(), 5)
    count.stop()
    assert len(set(seen)) == 6


async def test_a_piece_may_bring_another() -> None:
    turns, finished = Turns(), asyncio.Event()
    left = 1_000

    def piece() -> None:
        nonlocal left
        left -= 1
        if left:
            turns.put(piece)
        else:
            finished.set()

    turns.put(piece)
    await asyncio.wait_for(finished.wait(), 5)


async def test_who_breaks_holds_up_nobody() -> None:
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["exception"]))
    turns, finished = Turns(), asyncio.Event()

    def broken() -> None:
        raise ArithmeticError

    turns.put(broken)
    turns.put(finished.set)
    await asyncio.wait_for(finished.wait(), 5)
    assert [type(complaint) for complaint in complaints] == [ArithmeticError]


async def test_steps_are_taken_one_a_turn_and_their_end_is_the_answer() -> None:
    turns, count = Turns(), Count()
    seen: list[int] = []

    def steps(name: str) -> Generator[None, None, str]:
        for _ in range(4):
            seen.append(count.turns)
            yield
        return name

    one, two = await asyncio.gather(turns.spread(steps("one")), turns.spread(steps("two")))
    assert (one, two) == ("one", "two")
    count.stop()
    assert len(set(seen)) == 8


async def test_what_steps_raise_is_raised_and_what_nobody_waits_for_is_left() -> None:
    turns = Turns()
    taken: list[int] = []

    def steps() -> Generator[None, None, None]:
        for number in range(3):
            taken.append(number)
            yield
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        await turns.spread(steps())
    assert taken == [0, 1, 2]

    given_up = asyncio.create_task(turns.spread(steps()))
    await asyncio.sleep(0)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    await asyncio.wait_for(turns.spread(iter_nothing()), 5)


def iter_nothing() -> Generator[None, None, None]:
    """No step at all."""
    return
    yield
