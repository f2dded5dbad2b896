"""A processor that tests let answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from countertop.domain.intent import Intent
from countertop.domain.money import Cents
from countertop.domain.response import Decision
from countertop.domain.sealed_card import SealedCard
from countertop.gateway.processors.acquirer import Acquirer
from countertop.gateway.store.sealing import Sealer
from countertop.sandbox.processor import SandboxProcessor, sandbox_acquirer


@dataclass
class Bank:
    """A processor that takes its time: it answers when `open` is set, and remembers what it was asked."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[Intent] = field(default_factory=list)
    inner: SandboxProcessor | None = None

    bank_accounts = True

    def acquirer(self, sealer: Sealer) -> Acquirer:
        acquirer = sandbox_acquirer(sealer)
        assert isinstance(acquirer.processor, SandboxProcessor)
        self.inner = acquirer.processor
        return Acquirer(self, acquirer.key)

    async def start(self) -> None:
        """There is nothing to connect to."""

    async def stop(self) -> None:
        """Nor to disconnect from."""

    async def authorise(self, intent: Intent, card: SealedCard | None) -> Decision:
        assert self.inner is not None
        self.asked.append(intent)
        await self.open.wait()
        return await self.inner.authorise(intent, card)

    async def capture(self, intent: Intent, approval_code: str, amount: Cents) -> None:
        """There is no money to take."""

    async def reverse(self, intent: Intent) -> None:
        """There is no money to give back."""
