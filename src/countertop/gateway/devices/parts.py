"""What the device side of a gateway is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from countertop.domain.allowlist import EMPTY, Allowlist
from countertop.domain.clock import Clock
from countertop.domain.ids import RandomBytes
from countertop.gateway.bus.port import Bus
from countertop.gateway.operations.moment import Moment
from countertop.gateway.processors.acquirer import Acquirer
from countertop.gateway.store.store import Store


@dataclass(frozen=True, slots=True)
class Parts:
    """What the assembly gives. `allowlist` must hold what the terminals' own lists hold: a card is screened at both ends."""

    store: Store
    bus: Bus
    clock: Clock
    random: RandomBytes
    node_id: str
    server: Literal["test", "production"]
    allowlist: Allowlist = EMPTY
    acquirer: Acquirer | None = None

    def moment(self) -> Moment:
        """Now, for an operation."""
        return Moment(self.clock.now(), self.random, self.node_id)
