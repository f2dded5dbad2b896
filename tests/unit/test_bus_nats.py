"""The bus of several nodes, on a real NATS server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from nats.aio.client import Client

from countertop.domain.hint import DeliveryHint, Hint, RequestHint, ShowHint
from countertop.domain.order import ReadOrder
from countertop.gateway.bus.nats import QUEUE, NatsBus
from countertop.testing.nats import NatsServer, nats_server


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    with nats_server() as running:
        yield running


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.005)


@asynccontextmanager
async def node(url: str, name: str) -> AsyncIterator[tuple[NatsBus, list[Hint]]]:
    bus, heard = NatsBus(url, name), list[Hint]()
    for kind in (ShowHint, RequestHint, DeliveryHint):
        bus.subscribe(kind, heard.append)
    await bus.start()
    try:
        yield bus, heard
    finally:
        await bus.stop()


async def test_other_nodes_hear_a_hint_and_the_sender_hears_it_once(server: NatsServer) -> None:
    async with AsyncExitStack() as stack:
        one, two, three = [await stack.enter_async_context(node(server.url, name)) for name in ("one", "two", "three")]
        await until(lambda: one[0].ready and two[0].ready and three[0].ready)
        one[0].publish([ShowHint("t", "r", ReadOrder()), RequestHint("r"), DeliveryHint()])
        told = [ShowHint("t", "r"), RequestHint("r"), DeliveryHint()]
        await until(lambda: two[1] == told and three[1] == told)
        two[0].publish([RequestHint("end")])
        await until(lambda: one[1][-1] == RequestHint("end"))
        assert one[1] == [ShowHint("t", "r", ReadOrder()), RequestHint("r"), DeliveryHint(), RequestHint("end")]


async def test_thousands_of_hints_arrive_in_order(server: NatsServer) -> None:
    async with node(server.url, "one") as (one, _), node(server.url, "two") as (two, heard):
        await until(lambda: one.ready and two.ready)
        hints = [RequestHint(str(number)) for number in range(5_000)]
        for hint in hints:
            one.publish([hint])
        await until(lambda: len(heard) == len(hints))
        assert heard == hints


async def test_what_was_published_last_is_handed_over_when_a_node_stops(server: NatsServer) -> None:
    async with node(server.url, "two") as (two, heard):
        async with node(server.url, "one") as (one, _):
            await until(lambda: one.ready and two.ready)
            one.publish([RequestHint("last")])
        await until(lambda: heard == [RequestHint("last")])


async def test_a_foreign_message_is_ignored(server: NatsServer) -> None:
    async with node(server.url, "one") as (one, heard):
        await until(lambda: one.ready)
        stranger = Client()
        await stranger.connect(server.url)
        await stranger.publish("countertop.hints", b"\xffhello")
        await stranger.publish("countertop.hints", b'{"node":"stranger","hints":[["request","r"]]}')
        await until(lambda: heard == [RequestHint("r")])
        await stranger.close()


async def test_without_nats_a_node_starts_works_and_loses_only_the_oldest_hints() -> None:
    with nats_server() as gone:
        port = gone.port
    async with node(f"nats://127.0.0.1:{port}", "one") as (one, own), node(f"nats://127.0.0.1:{port}", "two") as (two, heard):
        for number in range(QUEUE + 10):
            one.publish([RequestHint(str(number))])
        assert len(own) == QUEUE + 10
        assert not one.ready
        with nats_server(port):
            await until(lambda: one.ready and two.ready)
            one.publish([RequestHint("back")])
            await until(lambda: RequestHint("back") in heard)


async def test_a_restarted_nats_is_found_again() -> None:
    with nats_server() as first:
        stack = AsyncExitStack()
        one, _ = await stack.enter_async_context(node(first.url, "one"))
        two, heard = await stack.enter_async_context(node(first.url, "two"))
        await until(lambda: one.ready and two.ready)
    async with stack:
        await until(lambda: not one.ready and not two.ready)
        one.publish([RequestHint("meanwhile")])
        with nats_server(first.port):
            await until(lambda: one.ready and two.ready)
            one.publish([RequestHint("again")])
            await until(lambda: RequestHint("again") in heard)
