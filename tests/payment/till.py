"""A store, a cashier and a processor's host on a real socket, and short words for paying."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from joserfc.jwk import ECKey
from sqlalchemy import select

from countertop.domain.amount import Amounts, Part
from countertop.domain.card import Entry, Expiry, PaymentCard
from countertop.domain.clock import Instant
from countertop.domain.intent import Action
from countertop.domain.money import Cents
from countertop.domain.order import PaymentOrder
from countertop.domain.payment import PaymentDecided, PaymentDetails, TakenCard
from countertop.domain.request import Outcome
from countertop.domain.result import Paid
from countertop.domain.sealed_card import SealedCard, seal_card
from countertop.domain.transaction import Details, Status
from countertop.gateway.bus.local import LocalBus
from countertop.gateway.cashier import Cashier
from countertop.gateway.operations.payment import fingerprint_key, finish_payment, start_payment, take_card
from countertop.gateway.operations.request import StartRequest
from countertop.gateway.operations.settlement import settle_terminals
from countertop.gateway.operations.transaction import (
    CreateTransaction,
    EditTransaction,
    StoredTransaction,
    create_transaction,
    edit_transaction,
    find_transaction,
)
from countertop.gateway.operations.work import LEASE
from countertop.gateway.processors.iso8583 import HostAddress, Iso8583Processor, Patience
from countertop.gateway.store import table
from countertop.testing.host import HostSimulator, Quirk
from tests import canary
from tests.store.world import CONNECT, SHOWN, World, opened

VISA: Final = canary.BANK
MASTERCARD: Final = "5105105105105100"
PATIENCE: Final = Patience(connect_s=2, answer_s=0.3, first_pause_s=0.01, attempts=2)


class Clock:
    """The time of a world, as parts of a node see it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> Instant:
        return self._world.now

    async def sleep_until(self, instant: Instant) -> None:  # noqa: ARG002 - whatever the time
        # Whoever sweeps sleeps for good; tests say when it is time, with `drain`.
        await asyncio.get_running_loop().create_future()


@cache
def processor_key() -> ECKey:
    return ECKey.generate_key("P-256")


@dataclass
class Till:
    """A world that takes payments."""

    world: World
    host: HostSimulator
    cashier: Cashier
    key: bytes = field(repr=False)

    def card(self, number: str = VISA, entry: Entry = Entry.CHIP) -> SealedCard:
        return seal_card(PaymentCard(number, Expiry(2030, 12), entry), processor_key(), self.key)

    async def order(
        self,
        base: Cents = 10_00,
        action: Action = Action.CHARGE,
        *,
        invoice: str = "",
        note: str = "",
        tips: bool = False,
        keyed: bool = False,
        surcharge: bool = True,
        terminal_id: int = 1,
        heard: bool = True,
        receipt: bool = True,
        receipt_email: str = "",
    ) -> str:
        """A payment on the terminal's screen; `heard`: the gateway has the terminal's word of that."""
        order = PaymentOrder(action, Amounts(base), receipt, True, tips, keyed, False, True, receipt_email)
        command = StartRequest(self.world.terminals[0], terminal_id, order, False, CONNECT, SHOWN)
        details = PaymentDetails(Details(invoice_number=invoice), note)
        world = self.world
        request_id = await world.store.write(start_payment, world.at(), world.caller, command, details, surcharge=surcharge)
        if heard:
            await world.show(request_id)
        return request_id

    async def take(
        self, request_id: str, number: str = VISA, *, tip: Cents = 0, entry: Entry = Entry.CHIP
    ) -> PaymentDecided | None:
        world = self.world
        taken = TakenCard(self.card(number, entry), tip)
        return await world.store.write(take_card, world.at(), world.terminals[0], request_id, taken)

    async def finish(self, request_id: str, outcome: Outcome, result: Paid) -> None:
        world = self.world
        await world.store.write(finish_payment, world.at(), world.terminals[0], request_id, outcome, result)

    async def pay(self, base: Cents = 10_00, action: Action = Action.CHARGE, *, number: str = VISA, invoice: str = "") -> int:
        """A whole payment up to its decision. Returns the transaction's number."""
        request_id = await self.order(base, action, invoice=invoice)
        await self.take(request_id, number)
        await self.cashier.drain()
        view = await self.world.view(request_id)
        assert view.transaction_id is not None
        found = await self.find(view.transaction_id)
        outcome = Outcome.APPROVED if found.rules.decision.approved else Outcome.DECLINED
        await self.finish(request_id, outcome, Paid(view.transaction_id))
        return view.transaction_id

    async def create(self, command: CreateTransaction) -> int:
        world = self.world
        number = await world.store.write(create_transaction, world.at(), world.caller, command)
        await self.cashier.drain()
        return number

    async def refund(self, original: int, amounts: Mapping[Part, Cents] | None = None) -> int:
        return await self.create(CreateTransaction(Action.REFUND, original_id=original, amounts=amounts or {}))

    async def find(self, number: int) -> StoredTransaction:
        return await self.world.store.read(find_transaction, self.world.caller.merchant_id, number)

    async def status(self, number: int) -> tuple[Status, str]:
        found = await self.find(number)
        return found.rules.status, found.rules.decision.code

    async def edit(
        self, number: int, status: Status | None = None, amounts: Mapping[Part, Cents] | None = None, **more: Any
    ) -> StoredTransaction:
        world = self.world
        wanted = EditTransaction(status, amounts or {}, **more)
        return await world.store.write(edit_transaction, world.at(), world.caller, number, wanted)

    async def settle(self) -> int:
        """Batches of all that was changed before now."""
        return await self.world.store.write(settle_terminals, self.world.at(), self.world.now, 100)

    async def events(self, kind: str) -> list[str]:
        event = table.event.c
        found = await self.world.rows(select(event.subject_id, event.sequence, event.data).where(event.type == kind))
        return [data for *_, data in sorted(found)]

    def pause(self) -> None:
        """From here on the cashier hears no hints: it works only when it is told to `drain`."""
        self.world.publish = None

    async def states(self) -> dict[int, str]:
        found = await self.world.rows(select(table.transaction.c.id, table.transaction.c.intent_state))
        return dict(sorted(found))


def make_cashier(till_world: World, processor: Iso8583Processor, bus: LocalBus, *, lease: int = LEASE) -> Cashier:
    return Cashier(till_world.store, Clock(till_world), bus, processor, node_id=till_world.node, lease=lease, random=os.urandom)


@asynccontextmanager
async def opened_till(
    url: str, *, quirks: Mapping[Cents, Quirk] | None = None, deaf_to_reversals: int = 0
) -> AsyncIterator[Till]:
    if url.startswith("sqlite:///"):
        canary.watch(Path(url.removeprefix("sqlite:///")).parent)
    async with opened(url) as world, HostSimulator(processor_key(), quirks=quirks, deaf_to_reversals=deaf_to_reversals) as host:
        processor = Iso8583Processor(HostAddress("127.0.0.1", host.port), PATIENCE)
        await processor.start()
        bus = LocalBus()
        cashier = make_cashier(world, processor, bus)
        await cashier.start()
        world.publish = bus.publish
        await world.listen()
        try:
            yield Till(world, host, cashier, await world.store.read(fingerprint_key, world.caller.merchant_id))
        finally:
            await cashier.stop()
            await processor.stop()
