"""Several nodes are one gateway: whoever is asked, wherever the terminal is, with NATS or without it, after a node's death."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from countertop.domain.clock import SECOND
from countertop.gateway.operations.delivery import LEASE_MS
from countertop.gateway.timers import NODE_LEASE
from countertop.protocol.screens import Screen
from countertop.testing.caller import Caller
from countertop.testing.catcher import Catcher, Hold, Reply, catch
from countertop.testing.cluster import Cluster
from tests.canary import GIFT_STRIPE
from tests.cluster.counter import connected, end, post, shows, start

pytestmark = [pytest.mark.cluster, pytest.mark.postgres]

SECRET = "s3cret"
AFTER_ALL = max(LEASE_MS, NODE_LEASE, 60 * SECOND) + SECOND
"""When every lease and every deadline is over, also that of a request which was shown just before its node died."""


@pytest.fixture
async def catcher(cluster: Cluster) -> AsyncIterator[Catcher]:
    async with catch(SECRET) as receiver:
        with cluster.caller() as caller:
            form = {"event": "SMARTTERMINAL_REQUEST", "url": receiver.url, "secret": SECRET}
            webhook = await post(caller, "/webhooks", form)
            yield receiver
            await asyncio.to_thread(caller.delete, f"/webhooks/{webhook['webhookId']}")


def statuses(catcher: Catcher, request_id: str) -> list[str]:
    return [caught.data["status"] for caught in catcher.caught if caught.data["requestId"] == request_id]


async def a_life(cluster: Cluster, *, terminal_at: int, asked_at: int, polled_at: int, device: int = 0) -> tuple[str, float]:
    """Reads a card. Returns the request's id, and the seconds from asking until the screen changed."""
    async with connected(cluster, terminal_at, device=device) as (agent, smart_terminal_id):
        with cluster.caller(asked_at) as asking, cluster.caller(polled_at) as polling:
            began = time.monotonic()
            request_id = await start(asking, smart_terminal_id)
            await shows(agent, Screen.SWIPE_CARD)
            shown_after = time.monotonic() - began
            agent.swipe(GIFT_STRIPE)
            ending = await end(polling, request_id)
            assert ending.get("trackData") == GIFT_STRIPE, ending
    return request_id, shown_after


@pytest.mark.parametrize(("terminal_at", "asked_at", "polled_at"), [(0, 1, 0), (1, 0, 1), (0, 0, 1)])
async def test_any_node_serves_any_part_of_a_life(
    cluster: Cluster, catcher: Catcher, terminal_at: int, asked_at: int, polled_at: int
) -> None:
    request_id, _ = await a_life(cluster, terminal_at=terminal_at, asked_at=asked_at, polled_at=polled_at)
    await catcher.wait_for(lambda _: len(statuses(catcher, request_id)) == 3)
    assert statuses(catcher, request_id) == ["CONNECTING", "IN_PROGRESS", "COMPLETE"]
    assert all(caught.verdict.good for caught in catcher.caught)


async def test_without_nats_everything_takes_a_little_longer(cluster: Cluster, catcher: Catcher) -> None:
    await asyncio.to_thread(cluster.stop_nats)
    try:
        request_id, shown_after = await a_life(cluster, terminal_at=0, asked_at=1, polled_at=1)
        assert shown_after < 10.0  # the sweep is every 2 s; the rest is a busy machine's
        await catcher.wait_for(lambda _: len(statuses(catcher, request_id)) == 3)
    finally:
        await asyncio.to_thread(cluster.start_nats)
    with cluster.caller(0) as first, cluster.caller(1) as second:
        for caller in (first, second):
            await ready(caller)
    times = [(await a_life(cluster, terminal_at=0, asked_at=1, polled_at=0))[1] for _ in range(3)]
    assert min(times) < 1.0  # sooner than any sweep would bring it


async def ready(caller: Caller) -> None:
    async with asyncio.timeout(20):
        while (await asyncio.to_thread(caller.get, "/readyz")).status != 200:  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.05)


async def test_a_terminal_goes_on_at_another_node(cluster: Cluster) -> None:
    async with connected(cluster, 0, 1, device=1) as (agent, smart_terminal_id):
        with cluster.caller(1) as caller:
            request_id = await start(caller, smart_terminal_id)
            await shows(agent, Screen.SWIPE_CARD)
            cluster.nodes[0].kill()
            try:
                agent.swipe(GIFT_STRIPE)
                assert (await end(caller, request_id))["trackData"] == GIFT_STRIPE
            finally:
                await asyncio.to_thread(cluster.nodes[0].start)


async def test_others_take_over_what_a_dead_node_had_in_hand(cluster: Cluster, catcher: Catcher) -> None:
    async with connected(cluster, 1, device=2) as (_, smart_terminal_id):
        catcher.reply = Hold()
        with cluster.caller(1) as dying:
            request_id = await start(dying, smart_terminal_id)
        await catcher.wait_for(lambda _: statuses(catcher, request_id))
        cluster.nodes[1].kill()
    try:
        catcher.reply = Reply(200)
        catcher.release()
        with cluster.caller(0) as caller:
            assert await online(caller, smart_terminal_id)
            await post(caller, "/test/clock/advance", {"seconds": AFTER_ALL // SECOND})
            assert not await online(caller, smart_terminal_id)
            assert (await end(caller, request_id))["status"] == "NO_CONNECTION"
        await catcher.wait_for(lambda _: statuses(catcher, request_id)[-1] == "NO_CONNECTION")
        assert statuses(catcher, request_id)[0] == "CONNECTING"
    finally:
        await asyncio.to_thread(cluster.nodes[0].stop)  # its clock is not the others' any more
        for node in cluster.nodes:
            await asyncio.to_thread(node.start)


async def online(caller: Caller, smart_terminal_id: str) -> bool:
    listed = (await asyncio.to_thread(caller.get, "/smartterminals")).json["results"]
    (found,) = (one for one in listed if one["smartTerminalId"] == smart_terminal_id)
    return bool(found["online"])


async def test_a_node_that_stops_leaves_nothing_waiting(cluster: Cluster, catcher: Catcher) -> None:
    async with connected(cluster, 0, 1, device=3) as (agent, smart_terminal_id):
        catcher.reply = Hold()
        with cluster.caller(0) as caller:
            request_id = await start(caller, smart_terminal_id)
        await catcher.wait_for(lambda _: statuses(catcher, request_id))
        catcher.reply = Reply(200)
        began = time.monotonic()
        assert await asyncio.to_thread(cluster.nodes[0].stop) == 0
        try:
            catcher.release()
            await shows(agent, Screen.SWIPE_CARD)
            await catcher.wait_for(lambda _: "IN_PROGRESS" in statuses(catcher, request_id))
            assert time.monotonic() - began < LEASE_MS / SECOND  # nobody waited for a lease
        finally:
            await asyncio.to_thread(cluster.nodes[0].start)
