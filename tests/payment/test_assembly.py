"""Payments in an assembled server: the test processor on a test server, a host by settings, none in production without one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from countertop.domain.amount import Part
from countertop.domain.card import Entry, Expiry, PaymentCard
from countertop.domain.clock import DAY
from countertop.domain.hint import TransactionHint
from countertop.domain.releases import NEWEST
from countertop.domain.sealed_card import read_key, seal_card
from countertop.domain.transaction import Status
from countertop.gateway.assembly import Node
from countertop.gateway.bus.local import LocalBus
from countertop.gateway.cashier import Cashier
from countertop.gateway.operations.access import Caller
from countertop.gateway.operations.payment import fingerprint_key
from countertop.gateway.operations.seed import Seed, SeedMerchant, SeedTerminal, apply_seed
from countertop.gateway.operations.settlement import StoredSettlement, list_settlements
from countertop.gateway.operations.transaction import (
    CreateTransaction,
    StoredTransaction,
    create_transaction,
    find_transaction,
)
from countertop.gateway.operations.work import LEASE
from countertop.gateway.processors.absent import AbsentProcessor
from countertop.gateway.settings import Settings, SettingsError
from countertop.sandbox.assembly import TestServer
from countertop.testing.host import HostSimulator, State
from tests import canary
from tests.payment.till import VISA, Clock, Till, processor_key
from tests.store.world import named

SHOP = Seed([SeedMerchant("Shop", terminals=[SeedTerminal(1, "Main", is_default=True)])])


def settings(tmp_path: Path, **more: object) -> Settings:
    return Settings.model_validate({"port": 0, "data": canary.watch(tmp_path)} | more)


async def charge(node: Node, base: int) -> StoredTransaction:
    """A keyed card as the API's door treats it: sealed at once, and then waited for."""
    assert node.acquirer is not None
    store = node.store
    await store.write(apply_seed, node.moment(), SHOP)
    caller = Caller(await store.read(named, "Shop"), "login", NEWEST)
    fingerprints = await store.read(fingerprint_key, caller.merchant_id)
    public = read_key(node.acquirer.public_pem.encode())
    card = seal_card(PaymentCard(VISA, Expiry(2030, 12), Entry.KEYED), public, fingerprints)
    decided = asyncio.Event()
    node.bus.subscribe(TransactionHint, lambda _: decided.set())
    number = await store.write(create_transaction, node.moment(), caller, CreateTransaction(amounts={Part.BASE: base}, card=card))
    await asyncio.wait_for(decided.wait(), 10)
    return await store.read(find_transaction, caller.merchant_id, number)


async def batches(node: Node) -> list[StoredSettlement]:
    merchant_id = await node.store.read(named, "Shop")
    return await node.store.read(list_settlements, merchant_id, 0, 50)


@asynccontextmanager
async def serving(chosen: Settings) -> AsyncIterator[TestServer]:
    async with TestServer(chosen) as server:
        await server.serve()
        yield server


async def test_a_test_server_decides_by_the_amount(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as server:
        good, bad = await charge(server.node, 10_00), await charge(server.node, 8)
        assert (good.rules.status, good.rules.decision.approval_code) == (Status.CAPTURE, "PJ20AP")
        assert (bad.rules.status, bad.rules.decision.message) == (Status.DECLINED, "Declined (insufficient funds)")
        assert good.rules.payer.last_four == VISA[-4:]


async def test_a_restarted_test_server_still_opens_what_was_sealed_for_it(tmp_path: Path) -> None:
    keys = []
    for _ in range(2):
        async with TestServer(settings(tmp_path)) as server:
            assert server.node.acquirer is not None
            keys.append(server.node.acquirer.public_pem)
    assert keys[0] == keys[1]
    assert "PUBLIC KEY" in keys[0]
    assert "PRIVATE" not in keys[0]


async def test_a_night_settles(tmp_path: Path) -> None:
    async with serving(settings(tmp_path, settlement_hour=3, settlement_zone="America/Los_Angeles")) as server:
        found = await charge(server.node, 10_00)
        assert await batches(server.node) == []
        await server.advance(DAY)
        [batch] = await batches(server.node)
        assert (batch.net, batch.pending) == (10_00, False)
        await server.advance(DAY)
        assert len(await batches(server.node)) == 1
        assert found.rules.settlement_id is None


async def test_a_production_server_asks_the_host_of_its_settings(tmp_path: Path) -> None:
    key_file = tmp_path / "processor.pem"
    key_file.write_bytes(processor_key().as_pem(private=False))
    async with HostSimulator(processor_key()) as host:
        named_host = {"processor_host": "127.0.0.1", "processor_port": host.port, "processor_key": key_file}
        chosen = settings(tmp_path, server="production", processor_tls=False, **named_host)
        async with Node(chosen) as node:
            await node.serve()
            found = await charge(node, 10_00)
            assert found.rules.status is Status.CAPTURE
            assert host.book[found.rules.id].state is State.HELD
            assert host.book[found.rules.id].last_four == VISA[-4:]


async def test_a_production_server_without_a_host_has_nobody_to_ask(tmp_path: Path) -> None:
    async with Node(settings(tmp_path, server="production")) as node:
        await node.serve()
        assert node.acquirer is None


async def test_what_is_left_of_a_processor_that_is_named_no_more_ends(till: Till) -> None:
    till.pause()
    request_id = await till.order()
    await till.take(request_id)
    world = till.world
    world.now += LEASE
    await Cashier(world.store, Clock(world), LocalBus(), AbsentProcessor(), node_id="node-2").drain()
    number = (await world.view(request_id)).transaction_id
    assert number is not None
    assert await till.status(number) == (Status.DECLINED, "91")


@pytest.mark.parametrize(
    "wrong",
    [
        {"processor_host": "bank.example"},
        {"processor_port": 5000},
        {"processor_host": "bank.example", "processor_port": 1, "processor_key": "key.pem", "processor_tls": False},
        {"processor_tls_cert": "cert.pem"},
        {"settlement_zone": "Mars/Olympus"},
        {"settlement_hour": 24},
    ],
)
def test_settings_that_hang_not_together_are_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"PROCESSOR|SETTLEMENT|settlement"):
        settings(tmp_path, **wrong)


async def test_a_key_that_is_none_is_refused(tmp_path: Path) -> None:
    key_file = tmp_path / "processor.pem"
    key_file.write_text("not a key")
    chosen = settings(tmp_path, processor_host="127.0.0.1", processor_port=1, processor_key=key_file, processor_tls=False)
    with pytest.raises(SettingsError, match="PROCESSOR_KEY"):
        async with Node(chosen):
            pass
