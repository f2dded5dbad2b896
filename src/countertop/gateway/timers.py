"""What happens because time passes: deadlines of requests, this node's sign of life, settlement, forgetting.

Each is a loop over the clock that asks the database what is due, so nothing is lost with a node. Every node runs them all; the
operations see to it that each thing happens once.
"""

from __future__ import annotations

import asyncio
import datetime
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from countertop.domain.clock import DAY, MINUTE, SECOND, Clock, Instant
from countertop.domain.ids import RandomBytes
from countertop.domain.settlement import next_settlement
from countertop.gateway.operations.connection import renew_node, retire_lost_nodes, retire_node
from countertop.gateway.operations.moment import Moment
from countertop.gateway.operations.purge import purge
from countertop.gateway.operations.request import expire_requests, next_deadline
from countertop.gateway.operations.settlement import settle_terminals
from countertop.gateway.store.store import Store
from countertop.gateway.store.trouble import StoreTrouble, Unavailable
from countertop.gateway.task import end

NODE_LEASE: Final = 15 * SECOND
"""How long a node counts as living after it said so."""
_RENEW: Final = 5 * SECOND
_LOOK: Final = 200
"""How often deadlines are looked for, in ms, when none is known to be nearer: a request made meanwhile may have a nearer one."""
_PURGE: Final = MINUTE
_SETTLE: Final = MINUTE
_CHUNK: Final = 200
"""How many requests one unit ends or forgets: few enough not to keep others waiting."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SettlementTime:
    """The full hour of each day at which accounts are settled."""

    hour: int = 20
    zone: datetime.tzinfo = datetime.UTC

    def next(self, now: Instant) -> Instant:
        """The first time after `now`."""
        return next_settlement(now, self.hour, self.zone)

    def last(self, now: Instant) -> Instant:
        """The last time that is not after `now`."""
        last = self.next(now - 2 * DAY)  # a day may have 25 hours
        while (later := self.next(last)) <= now:
            last = later
        return last


class Timers:
    """The loops of one node."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        node_id: str,
        random: RandomBytes = os.urandom,
        settlement: SettlementTime | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._node_id = node_id
        self._random = random
        self._settlement = settlement or SettlementTime()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Says that this node lives, then starts the loops. Raises Unavailable if the database is."""
        await self._renew()
        loops: tuple[Callable[[], Awaitable[Instant]], ...] = (self._renew, self._expire, self._settle, self._forget)
        self._tasks = [asyncio.create_task(self._repeat(turn)) for turn in loops]

    async def stop(self) -> None:
        """Ends the loops and takes this node off the list, so that its terminals are known to be offline at once."""
        await end(self._tasks)
        self._tasks = []
        try:
            await self._store.write(retire_node, self._moment())
        except Unavailable:
            _log.warning("this node could not be taken off the list; its lease will run out")

    async def run_due(self) -> None:
        """Does everything that is due now, and returns when it is done. For a test server's clock, when it was advanced."""
        await self._renew()
        await self._expire()
        await self._settle()
        await self._forget()

    async def _repeat(self, turn: Callable[[], Awaitable[Instant]]) -> None:
        while True:
            try:
                again = await turn()
            except StoreTrouble as trouble:
                _log.warning("a timer could not do its work", timer=turn.__name__.strip("_"), reason=str(trouble))
                again = self._clock.now() + SECOND
            await self._clock.sleep_until(again)

    async def _renew(self) -> Instant:
        # From the instant that was written: the clock may be advanced while that is on its way.
        now = self._clock.now()
        await self._store.write(renew_node, self._moment(), NODE_LEASE)
        return now + _RENEW

    async def _expire(self) -> Instant:
        while True:
            now = self._clock.now()
            due = await self._store.peek(next_deadline)
            if due is None or due > now:
                return min(now + _LOOK, due or now + _LOOK)
            if await self._store.write(expire_requests, self._moment(), _CHUNK) < _CHUNK:
                # What is left, if anything, is just being dealt with by another node.
                return now + _LOOK

    async def _settle(self) -> Instant:
        now, time = self._clock.now(), self._settlement
        while await self._store.write(settle_terminals, self._moment(), time.last(now), _CHUNK) == _CHUNK:
            pass
        # What was decided only after the hour struck is settled a little later.
        return min(time.next(now), now + _SETTLE)

    async def _forget(self) -> Instant:
        now = self._clock.now()
        await self._store.write(retire_lost_nodes, self._moment(), MINUTE)
        while await self._store.write(purge, self._moment(), _CHUNK):
            pass
        return now + _PURGE

    def _moment(self) -> Moment:
        return Moment(self._clock.now(), self._random, self._node_id)
