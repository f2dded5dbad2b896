"""No processor: what a node asks when its settings name none. The door refuses new payments, so only leftovers come here."""

from __future__ import annotations

from countertop.domain.intent import Intent
from countertop.domain.money import Cents
from countertop.domain.response import Decision
from countertop.domain.sealed_card import SealedCard
from countertop.gateway.processors.port import Unreachable


class AbsentProcessor:
    """Is never there: intents that were never sent are declined, and what is owed is owed until a processor is named again."""

    @property
    def bank_accounts(self) -> bool:
        """None."""
        return False

    async def start(self) -> None:
        """Nothing to begin."""

    async def stop(self) -> None:
        """Nothing to let go of."""

    async def authorise(self, intent: Intent, card: SealedCard | None) -> Decision:
        """Raises Unreachable."""
        raise _absent(intent, card)

    async def capture(self, intent: Intent, approval_code: str, amount: Cents) -> None:
        """Raises Unreachable."""
        raise _absent(intent, approval_code, amount)

    async def reverse(self, intent: Intent) -> None:
        """Raises Unreachable."""
        raise _absent(intent)


def _absent(*_: object) -> Unreachable:
    return Unreachable("no processor is configured")
