"""What the gateway asks of a processor, and how it may fail.

The order of things is the caller's duty: the intent is committed before `authorise` is called, and the decision after it. An
intent without a decision, after a crash or an `Unanswered`, may or may not have taken money; `reverse` puts that right, and is
called until it has. Nobody stays charged for an intent whose decision is not on record.
"""

from __future__ import annotations

from typing import Protocol

from countertop.domain.errors import CountertopError
from countertop.domain.intent import Intent
from countertop.domain.money import Cents
from countertop.domain.response import Decision
from countertop.domain.sealed_card import SealedCard


class ProcessorFailed(CountertopError):
    """A processor did not do what it was asked."""


class Unreachable(ProcessorFailed):
    """Nothing was sent: there is no connection. The intent has no effect and needs no reversal."""


class Unanswered(ProcessorFailed):
    """Something was sent and no (sensible) answer came: whether it took effect is unknown."""


class Processor(Protocol):
    """Who decides about payments."""

    @property
    def bank_accounts(self) -> bool:
        """Whether it takes payments from bank accounts, beside cards."""
        ...

    async def start(self) -> None:
        """Begins to be of use. Returns at once, even if whoever is behind it is out of reach for now."""
        ...

    async def stop(self) -> None:
        """Lets go of everything; questions that are open end as Unanswered."""
        ...

    async def authorise(self, intent: Intent, card: SealedCard | None) -> Decision:
        """Asks for the money, to be taken or, if the intent says so, held; a refund gives it.

        Without a card the intent is about the payer of its `original`, or about a bank account.

        Raises Unreachable if that was never asked, Unanswered if the intent must now be reversed.
        """
        ...

    async def capture(self, intent: Intent, approval_code: str, amount: Cents) -> None:
        """Takes `amount` cents of what an intent held. May be repeated: the processor does it once.

        Raises Unreachable or Unanswered; either way it has to be asked again.
        """
        ...

    async def reverse(self, intent: Intent) -> None:
        """Undoes an intent, whatever came of it: nothing is held, nothing is taken. May be repeated.

        Raises Unreachable or Unanswered; either way it has to be asked again.
        """
        ...
