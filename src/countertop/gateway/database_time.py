"""One time for all nodes: that of the database they share.

Deadlines and leases are instants that one node writes and another reads, so a node whose clock is a minute ahead would end
requests that have just begun. Nodes of one PostgreSQL set their clocks by its; a node over SQLite is alone with its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import structlog

from countertop.domain.clock import SECOND, Instant
from countertop.gateway.clock import SetClock
from countertop.gateway.store.connection import SHARED_TIME
from countertop.gateway.store.store import Store
from countertop.gateway.store.trouble import StoreTrouble
from countertop.gateway.store.unit import Unit

LOOK_S: Final = 10.0
LOOKS: Final = 3
"""How often the time is asked for at a time: the quickest answer is the most exact."""
NOTABLE: Final = SECOND
"""From which difference on an administrator should know, in milliseconds."""

_log = structlog.stdlib.get_logger(__name__)


class DatabaseTime:
    """Keeps a clock set."""

    def __init__(self, store: Store, clock: SetClock) -> None:
        self._store = store
        self._clock = clock
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Sets the clock, and goes on doing so."""
        if not self._store.shared:
            return
        with contextlib.suppress(StoreTrouble):
            await self.set()
        if abs(self._clock.offset) >= NOTABLE:
            _log.warning("this node's clock is wrong; it uses the database's", milliseconds=-self._clock.offset)
        self._looking = asyncio.create_task(self._go_on())

    async def stop(self) -> None:
        """Leaves the clock as it is."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def set(self) -> None:
        """Asks the database for the time, and sets the clock if it differs. Raises StoreTrouble if there is no answer."""
        own, answers = self._clock.own, []
        for _ in range(LOOKS):
            asked = own.now()
            shared = await self._store.read(shared_time)
            answers.append((asked, shared, own.now()))
        self._clock.compare(*min(answers, key=lambda answer: answer[2] - answer[0]))

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            with contextlib.suppress(StoreTrouble):
                await self.set()


def shared_time(unit: Unit) -> Instant:
    """The present instant by the database's clock."""
    now = unit.one(SHARED_TIME)
    assert now is not None  # noqa: S101 - a question without a table has a row
    return now
