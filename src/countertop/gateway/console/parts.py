"""What the console is made of."""

from __future__ import annotations

from dataclasses import dataclass

from countertop.domain.clock import Clock
from countertop.domain.ids import RandomBytes
from countertop.gateway.operations.moment import Moment
from countertop.gateway.password import PasswordCheck
from countertop.gateway.store.sealing import Sealer
from countertop.gateway.store.store import Store


@dataclass(frozen=True, slots=True)
class Parts:
    """What the assembly gives."""

    store: Store
    clock: Clock
    random: RandomBytes
    node_id: str
    passwords: PasswordCheck
    sealer: Sealer

    def moment(self) -> Moment:
        """Now, for an operation."""
        return Moment(self.clock.now(), self.random, self.node_id)
