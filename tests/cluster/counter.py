"""Terminals outside the nodes, at a chosen node, and lives that go from one node to another."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from countertop.gateway.clock import SystemClock
from countertop.protocol.screens import Screen
from countertop.terminal.agent import Agent
from countertop.terminal.machine import Machine
from countertop.testing.caller import Caller, ended
from countertop.testing.cluster import Cluster


@asynccontextmanager
async def connected(cluster: Cluster, *nodes: int, device: int = 0) -> AsyncIterator[tuple[Agent, str]]:
    """One of the shop's terminals, connected to the first of these nodes, and its id."""
    smart_terminal_id, token = list(cluster.shop.tokens.items())[device]
    urls = [cluster.nodes[node].url for node in nodes]
    async with aiohttp.ClientSession() as session:
        agent = Agent(urls, token, Machine("test/1"), SystemClock(), session=session, random=random.random)
        running = asyncio.create_task(agent.run())
        try:
            await shows(agent, Screen.IDLE)
            yield agent, smart_terminal_id
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def shows(agent: Agent, screen: Screen, within_s: float = 20.0) -> None:
    """Returns when the terminal shows a screen. Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        async for view in agent.watch():
            if view.screen is screen:
                return


async def post(caller: Caller, path: str, form: dict[str, Any] | None = None) -> Any:
    """The JSON of an answer that has to be 200."""
    reply = await asyncio.to_thread(caller.post, path, form)
    assert reply.status == 200, reply.body
    return reply.json if reply.body else None


async def start(caller: Caller, smart_terminal_id: str) -> str:
    """Asks for a card. Returns the request's id."""
    answer = await post(caller, f"/smartterminals/{smart_terminal_id}/request-read", {"terminalId": 1})
    return str(answer["requestId"])


async def end(caller: Caller, request_id: str) -> dict[str, Any]:
    """Polls a request until it has ended."""
    return await asyncio.to_thread(ended, caller, request_id, 20)
