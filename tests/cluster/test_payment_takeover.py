"""A node that is gone while it asks its processor: the payment ends without waiting for that node's lease."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from urllib3.exceptions import HTTPError

from countertop.domain.clock import SECOND
from countertop.gateway.operations.work import LEASE
from countertop.testing.caller import Caller
from countertop.testing.cluster import NodeProcess, Shop, plant_shop
from countertop.testing.host import HostSimulator, Quirk, State
from countertop.testing.postgres import PostgresServer
from tests import canary
from tests.payment.till import processor_key

FORM: Final = {
    "cardNumber": canary.BANK,
    "cardExpMonth": "12",
    "cardExpYear": "2030",
    "amountBase": "13.00",
    "invoiceNumber": "A1",
}


@pytest.fixture
async def host() -> AsyncIterator[HostSimulator]:
    """It does what it is asked for, and says nothing."""
    async with HostSimulator(processor_key(), quirks={13_00: Quirk.SILENT}) as silent:
        yield silent


def settings(folder: Path, host: HostSimulator) -> dict[str, object]:
    key = folder / "processor.pem"
    key.write_bytes(processor_key().as_pem(private=False))
    processor = {"processor_host": "127.0.0.1", "processor_port": host.port, "processor_key": key, "processor_tls": False}
    return {"server": "production", "rate_limit": "100000/100000", **processor}


@contextmanager
def running(*nodes: NodeProcess) -> Iterator[None]:
    try:
        for node in nodes:
            node.start()
        yield
    finally:
        for node in nodes:
            node.kill()


def caller(node: NodeProcess, shop: Shop) -> Caller:
    return Caller(node.url, shop.login, shop.password, shop.application_key)


@asynccontextmanager
async def asking(node: NodeProcess, shop: Shop, host: HostSimulator) -> AsyncIterator[asyncio.Future[int]]:
    """The host has heard of a payment, and the node that asks waits for an answer that never comes.

    Gives the status that whoever asked the node gets, 0 if there is no answer.
    """

    def pay() -> int:
        with caller(node, shop) as paying, contextlib.suppress(HTTPError):
            return paying.post("/transactions", FORM).status
        return 0

    waiting = asyncio.ensure_future(asyncio.to_thread(pay))
    await asyncio.wait_for(host.until_heard("0100"), 20)
    try:
        yield waiting
    finally:
        await waiting


async def ended(node: NodeProcess, shop: Shop) -> dict[str, Any]:
    """The one payment there is, once it is decided: before that nobody finds it."""
    with caller(node, shop) as asks:
        async with asyncio.timeout(20):
            while True:
                found = (await asyncio.to_thread(asks.get, "/transactions?invoiceNumber=A1")).json["results"]
                if found:
                    [payment] = found
                    assert isinstance(payment, dict)
                    return payment
                await asyncio.sleep(0.05)


async def is_reversed(host: HostSimulator, payment: dict[str, Any]) -> None:
    """Without an answer it is declined, and the host was told so and asked no second time."""
    assert (payment["status"], payment["response"]["code"]) == ("DECLINED", "91")
    await asyncio.wait_for(host.until_heard("0400"), 10)
    assert host.book[payment["transactionId"]].state is State.REVERSED
    assert host.heard["0100"] == 1


async def test_the_only_node_takes_up_what_it_asked_before_it_was_killed(tmp_path: Path, host: HostSimulator) -> None:
    shop, chosen = Shop.new(), settings(canary.watch(tmp_path), host)
    node = NodeProcess(tmp_path / "node", chosen)
    await asyncio.to_thread(plant_shop, shop, {"data": node.folder / "data", **chosen})
    with running(node):
        async with asking(node, shop, host) as status:
            node.kill()
            assert await status == 0
        began = time.monotonic()
        await asyncio.to_thread(node.start)
        await is_reversed(host, await ended(node, shop))
    assert time.monotonic() - began < LEASE / SECOND


@pytest.mark.cluster
@pytest.mark.postgres
async def test_another_node_takes_over_from_one_that_stops(tmp_path: Path, host: HostSimulator, postgres: PostgresServer) -> None:
    shop, name = Shop.new(), postgres.create_database()
    shared = {"database_url": postgres.url(name), "secret_key_file": tmp_path / "secret.key"}
    chosen = settings(canary.watch(tmp_path), host) | shared
    await asyncio.to_thread(plant_shop, shop, {"data": tmp_path, **chosen})
    stopping, other = (NodeProcess(tmp_path / f"node-{number}", chosen) for number in (1, 2))
    with running(stopping, other):
        async with asking(stopping, shop, host) as status:
            began = time.monotonic()
            assert await asyncio.to_thread(stopping.stop) == 0
            assert await status == 503
        assert "not everything has finished" not in stopping.log.read_text()
        await is_reversed(host, await ended(other, shop))
        assert time.monotonic() - began < LEASE / SECOND
    postgres.drop_database(name)
