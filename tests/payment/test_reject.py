"""A bank sends a settled payment back: the transaction, its batch and its account's history all say so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select, update

from countertop.domain.amount import Part
from countertop.domain.errors import Invalid, NotFound
from countertop.domain.intent import Action
from countertop.domain.settlement import BatchLine
from countertop.domain.transaction import AccountType, AchFacts, CardHistory, Status
from countertop.gateway.bus.local import LocalBus
from countertop.gateway.cashier import Cashier
from countertop.gateway.operations.intent import card_history
from countertop.gateway.operations.settlement import (
    StoredSettlement,
    find_settlement,
    reject_transaction,
    settle_terminals,
)
from countertop.gateway.operations.transaction import (
    CreateTransaction,
    StoredTransaction,
    create_transaction,
    find_transaction,
    search_transactions,
)
from countertop.gateway.store import table
from countertop.gateway.store.sealing import Sealer
from countertop.gateway.store.statement import Command
from countertop.gateway.store.unit import Unit
from countertop.sandbox.processor import sandbox_acquirer
from tests.payment.till import Clock
from tests.store.world import KEYRING, World, opened

BANK = 2
ACCOUNT = AchFacts(AccountType.CHECKING, "6789", b"a" * 32)


def _open_bank(unit: Unit) -> None:
    unit.run(Command(update(table.terminal).where(table.terminal.c.terminal_id == BANK).values(type="ACH", enabled=True)))


@pytest.fixture
async def shop(url: str) -> AsyncIterator[World]:
    """A merchant who takes bank accounts."""
    async with opened(url) as world:
        await world.store.write(_open_bank)
        await world.listen()
        yield world


async def charge(shop: World, *bases: int) -> list[int]:
    bus = LocalBus()
    cashier = Cashier(shop.store, Clock(shop), bus, sandbox_acquirer(Sealer(KEYRING)).processor, node_id="node-1")
    await cashier.start()
    shop.publish = bus.publish
    numbers = []
    for base in bases:
        command = CreateTransaction(amounts={Part.BASE: base}, ach=ACCOUNT, ach_type="PPD", terminal_id=BANK)
        numbers.append(await shop.store.write(create_transaction, shop.at(), shop.caller, command))
    await cashier.drain()
    await cashier.stop()
    return numbers


async def settle(shop: World) -> None:
    shop.now += 1
    assert await shop.store.write(settle_terminals, shop.at(), shop.now, 10) == 1


async def reject(shop: World, number: int) -> StoredTransaction:
    return await shop.store.write(reject_transaction, shop.at(), shop.caller.merchant_id, number)


async def batch(shop: World, number: int) -> StoredSettlement:
    found = await shop.store.read(find_transaction, shop.caller.merchant_id, number)
    assert found.rules.settlement_id is not None
    return await shop.store.read(find_settlement, shop.caller.merchant_id, found.rules.settlement_id)


def line(status: str, count: int, amount: int) -> BatchLine:
    return BatchLine(AccountType.CHECKING, Action.CHARGE, status, count, amount)


async def test_money_that_is_sent_back_is_counted_no_more(shop: World) -> None:
    stays, goes = await charge(shop, 10_00, 25_00)
    await settle(shop)
    assert ((await batch(shop, goes)).net, (await batch(shop, goes)).breakdown) == (35_00, [line("CAPTURED", 2, 35_00)])
    events = await shop.rows(select(func.count()).select_from(table.event))

    rejected = await reject(shop, goes)

    assert (rejected.rules.status, rejected.rules.modified) == (Status.REJECT, shop.now)
    assert ((await batch(shop, goes)).net, (await batch(shop, goes)).breakdown) == (
        10_00,
        [line("CAPTURED", 1, 10_00), line("REJECT", 1, 25_00)],
    )
    merchant_id = shop.caller.merchant_id
    history = await shop.store.read(card_history, shop.at(), merchant_id, ACCOUNT.fingerprint)
    assert history == CardHistory(10_00, 0), "what came back is not refunded"
    found = await shop.store.read(search_transactions, merchant_id, {"status": "REJECT"}, 0, 50)
    assert [each.rules.id for each in found] == [goes]
    assert await shop.rows(select(func.count()).select_from(table.event)) == events
    assert stays != goes


async def test_only_what_a_bank_has_paid_is_sent_back_and_once(shop: World) -> None:
    (number,) = await charge(shop, 10_00)
    with pytest.raises(Invalid, match="transactionId"):
        await reject(shop, number)
    await settle(shop)
    await reject(shop, number)
    with pytest.raises(Invalid, match="transactionId"):
        await reject(shop, number)
    for merchant_id, other in ((shop.caller.merchant_id, 999), ("another merchant", number)):
        with pytest.raises(NotFound):
            await shop.store.write(reject_transaction, shop.at(), merchant_id, other)


async def test_many_that_come_back_at_once_are_all_counted(shop: World) -> None:
    numbers = await charge(shop, *range(1_00, 1_12))
    await settle(shop)
    await asyncio.gather(*(reject(shop, number) for number in numbers[1:]))
    found = await batch(shop, numbers[0])
    assert (found.net, [each.count for each in found.breakdown]) == (1_00, [1, 11])
