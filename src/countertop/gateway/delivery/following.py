"""Deliveries that wait for earlier ones of their subject, as this node wrote them: so that they need not be read again."""

from __future__ import annotations

from typing import Final

from countertop.domain.clock import SECOND, Instant
from countertop.domain.delivery import Delivery

KEPT: Final = 10 * SECOND
"""How long one is remembered. If its turn comes later, as after a failure, it is found in the database like everything else."""
MOST: Final = 4_000

Place = tuple[str, str, int]


class Following:
    """What is remembered of such deliveries: by endpoint, subject and place in the subject's order, the oldest first."""

    def __init__(self) -> None:
        self._waiting: dict[Place, tuple[Instant, Delivery]] = {}

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._waiting)

    def remember(self, delivery: Delivery, now: Instant) -> None:
        """One waits."""
        self._waiting[delivery.webhook_id, delivery.subject_id, delivery.sequence] = (now + KEPT, delivery)
        if len(self._waiting) > MOST:
            del self._waiting[next(iter(self._waiting))]

    def take(self, delivery: Delivery) -> Delivery | None:
        """The one that comes right after `delivery`, if it is known; it is remembered no longer."""
        found = self._waiting.pop((delivery.webhook_id, delivery.subject_id, delivery.sequence + 1), None)
        return None if found is None else found[1]

    def forget(self, now: Instant) -> None:
        """Forgets those whose turn has not come in time."""
        while self._waiting:
            oldest = next(iter(self._waiting))
            if now < self._waiting[oldest][0]:
                return
            del self._waiting[oldest]
