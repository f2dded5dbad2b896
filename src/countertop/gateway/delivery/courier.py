"""Brings deliveries to their endpoints: at least once, in order within a subject, endpoint by endpoint independent.

What a commit of this node owes comes with its hint, leased already, and is sent at once without a look at the database. A sweep
claims whatever else is due: retries, another node's, what was lost with a process or found no room in memory. Order needs nothing
here: the store gives a delivery out only when the one before it is finished, and `record_attempt` returns the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterable
from typing import Final

import structlog

from countertop.domain.clock import SECOND, Clock, Instant
from countertop.domain.delivery import Delivery
from countertop.domain.hint import DeliveryHint
from countertop.domain.ids import RandomBytes
from countertop.domain.webhook import Attempt
from countertop.gateway.bus.port import Bus
from countertop.gateway.delivery.following import Following
from countertop.gateway.delivery.lane import Bounds, Lane, Lanes
from countertop.gateway.delivery.sender import Sender
from countertop.gateway.operations.delivery import claim_deliveries, let_go_deliveries, next_due, record_attempt
from countertop.gateway.operations.moment import Moment
from countertop.gateway.store.store import Store
from countertop.gateway.store.trouble import Unavailable
from countertop.gateway.task import end, sleep_until

_log = structlog.stdlib.get_logger(__name__)

SWEEP: Final = SECOND
"""How often due deliveries are looked for, in milliseconds, unless one is due sooner."""
GATHER_S: Final = 0.01
"""How long a wake-up waits for company, so that a burst of them costs one look."""
RECORD_PAUSES_S: Final = (0.05, 2.0)
"""How long to wait, first and at most, before recording an attempt again while the store is unavailable."""

Observer = Callable[[Delivery, Attempt], None]


class Courier:
    """Sends what is owed. One for each node; `start` it once, `stop` it once.

    `observe` is told each attempt, for metrics; it must be quick.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        bus: Bus,
        sender: Sender,
        *,
        node_id: str,
        bounds: Bounds | None = None,
        random: RandomBytes = os.urandom,
        observe: Observer | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._bus = bus
        self._sender = sender
        self._node_id = node_id
        self._bounds = bounds or Bounds()
        self._random = random
        self._observe = observe
        self._lanes = Lanes(self._bounds)
        self._following = Following()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._sweeping = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = contextlib.AsyncExitStack()
        self._claiming = True
        self._sending = True

    @property
    def in_hand(self) -> int:
        """How many deliveries this node has in hand: waiting in memory, being sent, or being recorded."""
        return self._lanes.in_hand

    async def start(self) -> None:
        """Begins to send; what was due when the node last stopped comes first."""
        await self._closing.enter_async_context(self._sender)
        self._closing.callback(self._bus.subscribe(DeliveryHint, self._on_hint))
        loop = asyncio.create_task(self._sweep_for_ever())
        self._closing.push_async_callback(end, [loop])

    async def drain(self) -> None:
        """Waits until everything that is due now has been attempted. For a clock that was advanced."""
        while True:
            await self._idle.wait()
            async with self._sweeping:
                claimed = await self._sweep()
            if not claimed and self._idle.is_set():
                return

    async def stop(self, within_s: float = 3.0) -> None:
        """Claims no more, finishes what is in hand within so many seconds, and gives the rest back for other nodes to take."""
        self._claiming = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._idle.wait()
        self._sending = False
        await end(self._tasks)
        await self._closing.aclose()
        if held := self._lanes.held:
            try:
                await self._store.write(let_go_deliveries, self._moment(), held)
            except Unavailable:
                _log.warning("deliveries could not be given back; their leases will run out", count=len(held))

    def _on_hint(self, hint: DeliveryHint) -> None:
        for delivery in hint.following:
            self._following.remember(delivery, self._clock.now())
        if hint.leased:
            self._accept(hint.leased)
        elif not hint.following:
            self._wake.set()

    def _accept(self, deliveries: Iterable[Delivery], *, next_in_order: bool = False) -> None:
        now = self._clock.now()
        for delivery in deliveries:
            lane = self._lanes.accept(delivery, now, next_in_order=next_in_order)
            if lane is not None:
                self._idle.clear()
                self._send_from(lane, now)

    # Sending

    def _send_from(self, lane: Lane, now: Instant) -> None:
        while self._sending and self._lanes.admit(lane):
            # At once, or the lane would be given a place after the other for what is taken already.
            delivery = self._take(lane, now)
            if delivery is None:
                self._leave(lane)
                return
            task = asyncio.create_task(self._work(lane, delivery, now))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _work(self, lane: Lane, first: Delivery, now: Instant) -> None:
        """Uses a place: sends one delivery after the other for as long as the place is the lane's."""
        delivery: Delivery | None = first
        try:
            while delivery is not None:
                try:
                    await self._deliver(lane, delivery, now)
                except Exception:
                    _log.exception("a delivery failed", event_id=delivery.event_id, webhook_id=delivery.webhook_id)
                    self._let_go(delivery)
                now = self._clock.now()
                delivery = self._take(lane, now) if self._lanes.keeps(lane) else None
        finally:
            self._leave(lane)

    def _leave(self, lane: Lane) -> None:
        for other in self._lanes.leave(lane):
            self._send_from(other, self._clock.now())

    def _take(self, lane: Lane, now: Instant) -> Delivery | None:
        delivery, stale = lane.take(now)
        for old in stale:
            self._let_go(old)
        if lane.hungry:
            self._wake.set()
        return delivery

    async def _deliver(self, lane: Lane, delivery: Delivery, now: Instant) -> None:
        attempt = await self._sender.send(delivery, now)
        lane.learn(acknowledged=attempt.acknowledged)
        if not attempt.acknowledged:
            _log.info(
                "a delivery was not acknowledged",
                event_id=delivery.event_id,
                webhook_id=delivery.webhook_id,
                attempt=delivery.attempts + 1,
                status=attempt.status,
                failure=attempt.failure,
            )
        following = await self._record(lane, delivery, attempt)
        if following is not None:
            self._accept((following,), next_in_order=True)
        self._let_go(delivery)
        if self._observe is not None:
            self._observe(delivery, attempt)

    def _let_go(self, delivery: Delivery) -> None:
        self._lanes.let_go(delivery)
        if not self._lanes.in_hand:
            self._idle.set()
            self._wake.set()

    async def _record(self, lane: Lane, delivery: Delivery, attempt: Attempt) -> Delivery | None:
        """Returns the next in order. An attempt that cannot be recorded is forgotten, and so made again: at least once."""
        following = self._following.take(delivery)
        # Where somebody waits for it, at once.
        record = self._store.jot if following is not None or lane.waiting else self._store.jot_soon
        pause_s, longest_s = RECORD_PAUSES_S
        waited_s = 0.0
        while waited_s < self._bounds.record_s:
            try:
                return await record(record_attempt, self._moment(), delivery, attempt, following)
            except Unavailable:
                # Each waits a little differently, so that those who were refused together do not come back together.
                nap_s = pause_s * (0.5 + self._random(1)[0] / 256)
                await asyncio.sleep(nap_s)
                waited_s += nap_s
                pause_s = min(2 * pause_s, longest_s)
        _log.warning("an attempt could not be recorded", event_id=delivery.event_id, webhook_id=delivery.webhook_id)
        return None

    # Finding what is due

    async def _sweep_for_ever(self) -> None:
        while True:
            self._wake.clear()
            due = None
            try:
                async with self._sweeping:
                    while await self._sweep():
                        pass
                due = await self._next_due()
            except Unavailable as trouble:
                _log.warning("due deliveries cannot be looked for", trouble=str(trouble))
            except Exception:
                _log.exception("looking for due deliveries failed")
            now = self._clock.now()
            # What is due and was not claimed cannot be taken just now.
            soon = min(due, now + SWEEP) if due is not None and due > now else now + SWEEP
            await sleep_until(self._clock, soon, self._wake)
            await asyncio.sleep(GATHER_S)

    async def _sweep(self) -> int:
        """Claims what is due, as much as there is room for. Returns how much was claimed."""
        self._following.forget(self._clock.now())
        due = await self._next_due()
        if not self._claiming or self._lanes.full or due is None or due > self._clock.now():
            return 0
        claimed = await self._store.write(
            claim_deliveries,
            self._moment(),
            limit=self._bounds.claim,
            each=self._bounds.claim_each,
            busy=self._lanes.busy(),
        )
        self._accept(claimed)
        return len(claimed)

    async def _next_due(self) -> Instant | None:
        return await self._store.peek(next_due, self._lanes.busy())

    def _moment(self) -> Moment:
        return Moment(self._clock.now(), self._random, self._node_id)
