"""What every loop of a node does with its tasks: ends them, and sleeps until a time has come or somebody wakes it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from countertop.domain.clock import Clock, Instant


async def end(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancels tasks and returns when they have ended, however they did."""
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)


async def sleep_until(clock: Clock, instant: Instant, wake: asyncio.Event) -> None:
    """Returns when the instant has come or the event is set."""
    sleeping, waking = asyncio.create_task(clock.sleep_until(instant)), asyncio.create_task(wake.wait())
    try:
        await asyncio.wait((sleeping, waking), return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end((sleeping, waking))
