"""The system's clock. A test server has another one, that can be advanced (`countertop.sandbox.clock`)."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from countertop.domain.clock import SECOND, Instant

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
