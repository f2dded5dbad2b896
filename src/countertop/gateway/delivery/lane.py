"""What waits in memory, endpoint by endpoint, and who may be sent to next.

A lane is an endpoint's queue. Its bounds keep endpoints from each other: how much of one may wait, how many sendings to one may
run, and how many to all. What finds no room is simply forgotten: its lease in the database runs out, and a sweep finds it again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from countertop.domain.clock import SECOND, Instant
from countertop.domain.delivery import Delivery


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a courier does at once.

    `sending` bounds the sendings to all endpoints. Only half of them are for whoever asks first; the other half is kept for
    endpoints to which nothing is being sent, so a few slow ones cannot take all. `sending_each` bounds the sendings to one
    endpoint, `sending_failing` those to one whose last answer was not an acknowledgement. `waiting` and `waiting_each` bound what
    is remembered beyond that. `claim` and `claim_each` are how many due deliveries are taken at a time. `fresh_ms` is how long a
    delivery may wait in memory: what remains of its lease then must suffice for an attempt. `record_s` is for how many seconds
    recording an attempt is tried while the store is unavailable.
    """

    sending: int = 400
    sending_each: int = 32
    sending_failing: int = 4
    waiting: int = 20_000
    waiting_each: int = 4_000
    claim: int = 500
    claim_each: int = 250
    fresh_ms: int = 10 * SECOND
    record_s: float = 30.0


class Lane:
    """The deliveries to one endpoint that this node has in hand."""

    __slots__ = ("_bounds", "_queue", "allowed", "running", "webhook_id")

    def __init__(self, webhook_id: str, bounds: Bounds) -> None:
        self.webhook_id = webhook_id
        self.running = 0
        self.allowed = bounds.sending_each
        self._bounds = bounds
        self._queue: deque[tuple[Instant, Delivery]] = deque()

    @property
    def waiting(self) -> int:
        """How many deliveries wait."""
        return len(self._queue)

    @property
    def full(self) -> bool:
        """Whether no more may wait."""
        return len(self._queue) >= self._bounds.waiting_each

    @property
    def busy(self) -> bool:
        """Whether enough waits, so that no more should be taken from the database."""
        return len(self._queue) >= self._bounds.claim_each // 2

    @property
    def hungry(self) -> bool:
        """Whether it has just stopped being busy, so that more may be taken from the database."""
        return len(self._queue) == self._bounds.claim_each // 2 - 1

    @property
    def forgettable(self) -> bool:
        """Whether nothing is lost with it: it is empty and knows nothing of failures."""
        return not self._queue and not self.running and self.allowed == self._bounds.sending_each

    def add(self, delivery: Delivery, now: Instant, *, next_in_order: bool = False) -> None:
        """Lets a delivery wait; one that follows another that was just finished goes first."""
        entry = (now + self._bounds.fresh_ms, delivery)
        if next_in_order:
            self._queue.appendleft(entry)
        else:
            self._queue.append(entry)

    def take(self, now: Instant) -> tuple[Delivery | None, list[Delivery]]:
        """The next to send, if any, and those before it that have waited too long to be sent under their lease."""
        stale: list[Delivery] = []
        while self._queue:
            until, delivery = self._queue.popleft()
            if now < until:
                return delivery, stale
            stale.append(delivery)
        return None, stale

    def learn(self, *, acknowledged: bool) -> None:
        """A failure narrows the lane to a few; each success doubles it again."""
        if acknowledged:
            self.allowed = min(self._bounds.sending_each, self.allowed * 2)
        else:
            self.allowed = self._bounds.sending_failing


class Lanes:
    """All lanes, and the order in which those take turns that wait for a free place."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._lanes: dict[str, Lane] = {}
        self._turns: dict[str, Lane] = {}
        self._held: dict[tuple[str, str], Delivery] = {}
        self._running = 0

    @property
    def in_hand(self) -> int:
        """How many deliveries are in hand: waiting, being sent, or being recorded."""
        return len(self._held)

    @property
    def held(self) -> list[Delivery]:
        """The deliveries that are in hand."""
        return list(self._held.values())

    @property
    def full(self) -> bool:
        """Whether no more may be taken in hand."""
        return len(self._held) >= self._bounds.waiting

    def busy(self) -> list[str]:
        """The endpoints for which enough waits already."""
        return [lane.webhook_id for lane in self._lanes.values() if lane.busy]

    def accept(self, delivery: Delivery, now: Instant, *, next_in_order: bool = False) -> Lane | None:
        """Takes a delivery in hand; its lane, or None if it was in hand already or there is no room."""
        key = (delivery.event_id, delivery.webhook_id)
        lane = self._lanes.get(delivery.webhook_id)
        if key in self._held or self.full or (lane is not None and lane.full):
            return None
        if lane is None:
            lane = self._lanes[delivery.webhook_id] = Lane(delivery.webhook_id, self._bounds)
        lane.add(delivery, now, next_in_order=next_in_order)
        self._held[key] = delivery
        return lane

    def let_go(self, delivery: Delivery) -> None:
        """A delivery is done with, one way or the other."""
        self._held.pop((delivery.event_id, delivery.webhook_id), None)

    def admit(self, lane: Lane) -> bool:
        """Gives a lane a place to send, if it has something to send and may; otherwise it gets its turn when a place is free."""
        if not lane.waiting or lane.running >= lane.allowed:
            return False
        free = self._bounds.sending - self._running
        if free <= 0 or (lane.running and free <= self._bounds.sending // 2):
            self._turns[lane.webhook_id] = lane
            return False
        lane.running += 1
        self._running += 1
        return True

    def keeps(self, lane: Lane) -> bool:
        """Whether a lane may use its place again: not if it has too many, or others have waited for one."""
        return lane.running <= lane.allowed and not self._turns

    def leave(self, lane: Lane) -> list[Lane]:
        """Gives a place back. Returns the lanes that should ask for one now, those that have waited longest first."""
        lane.running -= 1
        self._running -= 1
        if lane.forgettable:
            self._lanes.pop(lane.webhook_id, None)
        asking = [*self._turns.values(), lane]
        self._turns.clear()
        return asking
