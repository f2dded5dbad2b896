"""What an operation may know of its surroundings."""

from __future__ import annotations

from countertop.domain.clock import Instant
from countertop.domain.ids import RandomBytes, ordered_uuid
from countertop.domain.value import value


@value
class Moment:
    """When and where an operation happens: the instant, a source of randomness, and the node that carries it out."""

    now: Instant
    random: RandomBytes
    node_id: str

    def new_id(self) -> str:
        """A time-ordered id for something that begins now."""
        return ordered_uuid(self.now, self.random)
