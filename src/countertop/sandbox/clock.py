"""A clock that runs like the system's and can be put forward, so that a test need not wait for a deadline."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from countertop.domain.clock import SECOND, Clock, Instant


class TestClock:
    """Another clock plus what it was advanced by. Implements `countertop.domain.clock.Clock`.

    Advancing wakes everybody who sleeps, so that each can see whether the time has come.
    """

    __test__: ClassVar = False  # the name begins like a pytest class; it is none

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = 0
        self._advanced = asyncio.Event()

    def now(self) -> Instant:
        """The present instant of this clock."""
        return self._clock.now() + self._offset

    async def sleep_until(self, instant: Instant) -> None:
        """Returns once `now() >= instant`, at once if it is past."""
        while (left := instant - self.now()) > 0:
            advanced = self._advanced
            try:
                async with asyncio.timeout(left / SECOND):
                    await advanced.wait()
            except TimeoutError:
                continue

    def advance(self, milliseconds: int) -> Instant:
        """Puts the clock forward and returns the new time."""
        self._offset += milliseconds
        self._advanced.set()
        self._advanced = asyncio.Event()
        return self.now()
