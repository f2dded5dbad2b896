"""The system's clock, and one that is set by another. A test server has one that can be advanced (`countertop.sandbox.clock`)."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from countertop.domain.clock import SECOND, Clock, Instant

_LONGEST_NAP: Final = 30 * SECOND
"""Sleeping is looked at anew this often, because a system's clock may be set while somebody sleeps."""


class SystemClock:
    """What time it is here. Implements `countertop.domain.clock.Clock`."""

    def now(self) -> Instant:
        """The present instant."""
        return time.time_ns() // 1_000_000

    async def sleep_until(self, instant: Instant) -> None:
        """Returns once `now() >= instant`, at once if it is past."""
        while (left := instant - self.now()) > 0:  # noqa: ASYNC110 - time is what is waited for
            await asyncio.sleep(min(left, _LONGEST_NAP) / SECOND)


class SetClock:
    """Another clock, set by a third that all nodes share. Implements `countertop.domain.clock.Clock`."""

    def __init__(self, clock: Clock) -> None:
        self.own = clock
        self.offset = 0
        """How far the own clock is behind the shared one, in milliseconds."""

    def now(self) -> Instant:
        """The present instant."""
        return self.own.now() + self.offset

    async def sleep_until(self, instant: Instant) -> None:
        """Returns once `now() >= instant`, at once if it is past."""
        while (left := instant - self.now()) > 0:
            await self.own.sleep_until(self.own.now() + min(left, _LONGEST_NAP))

    def compare(self, asked: Instant, shared: Instant, answered: Instant) -> bool:
        """The shared clock said `shared` at some moment between `asked` and `answered` on the own one.

        Returns whether that set this clock: a difference that the time in between can explain changes nothing.
        """
        offset = shared - (asked + answered) // 2
        if abs(offset - self.offset) <= (answered - asked) // 2 + 1:
            return False
        self.offset = offset
        return True
