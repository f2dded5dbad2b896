"""A process that takes payments as fast as it can, until it is killed. Prints each transaction that a customer saw approved."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys

from countertop.domain.amount import Amounts
from countertop.domain.card import Entry, Expiry, PaymentCard
from countertop.domain.hint import DecidedHint
from countertop.domain.intent import Action
from countertop.domain.order import PaymentOrder
from countertop.domain.payment import PaymentDecided, PaymentDetails, TakenCard
from countertop.domain.request import Outcome
from countertop.domain.result import Paid
from countertop.domain.sealed_card import SealingKey, read_key, seal_card
from countertop.domain.transaction import Details
from countertop.gateway.bus.local import LocalBus
from countertop.gateway.cashier import Cashier
from countertop.gateway.operations.payment import fingerprint_key, finish_payment, start_payment, take_card
from countertop.gateway.operations.request import StartRequest, show_request
from countertop.gateway.processors.iso8583 import HostAddress, Iso8583Processor
from countertop.gateway.store.sealing import Keyring
from tests.payment.till import VISA, Clock
from tests.store.world import CONNECT, SHOWN, World, opened, populate

COUNTERS = 8


class Counter:
    """One terminal with a queue of customers."""

    def __init__(self, world: World, bus: LocalBus, terminal: str, key: SealingKey, fingerprints: bytes) -> None:
        self._world = world
        self._terminal = terminal
        self._key = key
        self._fingerprints = fingerprints
        self._decided: asyncio.Queue[PaymentDecided] = asyncio.Queue()
        bus.subscribe(DecidedHint, self._hear)

    def _hear(self, hint: DecidedHint) -> None:
        if hint.smart_terminal_id == self._terminal and hint.decided is not None:
            self._decided.put_nowait(hint.decided)

    async def serve(self) -> None:
        world = self._world
        for number in itertools.count():
            order = PaymentOrder(Action.CHARGE, Amounts(10_00 + number % 50), True, True, False, False, False, True)
            command = StartRequest(self._terminal, 1, order, False, CONNECT, SHOWN)
            details = PaymentDetails(Details(invoice_number=f"{self._terminal[:8]} {number}"))
            request_id = await world.store.write(start_payment, world.at(), world.caller, command, details)
            await world.store.write(show_request, world.at(), self._terminal, request_id)
            card = seal_card(PaymentCard(VISA, Expiry(2030, 12), Entry.CHIP), self._key, self._fingerprints)
            frame = (self._terminal, request_id, TakenCard(card))
            # A terminal that reconnects says it again, perhaps to the same node at the same moment.
            await asyncio.gather(*(world.store.write(take_card, world.at(), *frame) for _ in range(2)))
            decided = await self._decided.get()
            outcome = Outcome.APPROVED if decided.approved else Outcome.DECLINED
            paid = Paid(decided.transaction_id)
            await world.store.write(finish_payment, world.at(), self._terminal, request_id, outcome, paid)
            if decided.approved:
                print("approved", decided.transaction_id, flush=True)  # noqa: T201 - the parent reads it


async def main(url: str, keyring: str, port: str, pem: str) -> None:
    """Serves all counters for ever."""
    async with opened(url, keyring=Keyring.parse(keyring)) as world:
        world.caller, terminals = await populate(world.store, "Busy Shop", COUNTERS)
        bus = LocalBus()
        world.publish = bus.publish
        processor = Iso8583Processor(HostAddress("127.0.0.1", int(port)))
        await processor.start()
        cashier = Cashier(world.store, Clock(world), bus, processor, node_id="child", random=os.urandom)
        await cashier.start()
        fingerprints = await world.store.read(fingerprint_key, world.caller.merchant_id)
        key = read_key(pem.encode())
        counters = [Counter(world, bus, terminal, key, fingerprints) for terminal in terminals]
        await asyncio.gather(*(counter.serve() for counter in counters))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
