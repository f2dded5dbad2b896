"""Long work in short pieces: a few in each turn of the event loop, so that nobody else waits for all of it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Generator
from time import perf_counter
from typing import Final, TypeVar

SLICE: Final = 0.000_25
"""Seconds of each turn that such work may take, all of it together. The piece that runs then is the turn's last."""

T = TypeVar("T")


class Turns:
    """Pieces of work that wait for their turn, whoever brought them. For one event loop."""

    __slots__ = ("_begun", "_waiting")

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], bool | None]] = deque()
        self._begun = False

    def put(self, piece: Callable[[], bool | None]) -> None:
        """Has a piece done in a turn to come, after those that wait already. Call it in the loop.

        One that returns True has begun what goes on without it, and is the turn's last.
        """
        self._waiting.append(piece)
        if not self._begun:
            self._begun = True
            asyncio.get_running_loop().call_soon(self._take)

    async def spread(self, steps: Generator[None, None, T]) -> T:
        """What a generator returns, of whose steps each has its turn. Raises what it raises."""
        while True:
            await self._turn()
            try:
                next(steps)
            except StopIteration as end:
                result: T = end.value
                return result

    async def _turn(self) -> None:
        begun = asyncio.get_running_loop().create_future()

        def begin() -> bool:
            if not begun.done():
                begun.set_result(None)
            return True

        self.put(begin)
        await begun

    def _take(self) -> None:
        waiting = self._waiting
        end = perf_counter() + SLICE
        try:
            while waiting:
                if waiting.popleft()() or perf_counter() >= end:
                    break
        finally:
            if waiting:
                asyncio.get_running_loop().call_soon(self._take)
            else:
                self._begun = False
