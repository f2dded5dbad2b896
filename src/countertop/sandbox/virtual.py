"""Virtual terminals: the real terminal software, run inside a test server and connected to it over the real channel."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import secrets
from importlib.metadata import version
from typing import Final

import aiohttp

from countertop.domain.allowlist import Allowlist
from countertop.domain.clock import Clock, Instant
from countertop.gateway.operations.terminal import VirtualTerminal, list_virtual_terminals, set_token
from countertop.gateway.seed import Autopilot
from countertop.gateway.store.store import Store
from countertop.gateway.store.unit import Unit
from countertop.sandbox.autopilot import fly
from countertop.terminal.agent import Agent
from countertop.terminal.machine import Machine

CONNECT: Final = 10.0
SOFTWARE: Final = f"countertop-virtual/{version('countertop')}"


class VirtualTerminals:
    """The virtual terminals of one server, by id. Each is given a new token at every start, known to this process only."""

    def __init__(self, gateway: str, clock: Clock, allowlist: Allowlist) -> None:
        self._gateway = gateway
        self._clock = clock
        self._allowlist = allowlist
        self._agents: dict[str, Agent] = {}
        self._owners: dict[str, str] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None

    def find(self, smart_terminal_id: str) -> Agent | None:
        """A terminal's agent; None if there is no such virtual terminal."""
        return self._agents.get(smart_terminal_id)

    def find_of(self, merchant_id: str, smart_terminal_id: str) -> Agent | None:
        """A merchant's terminal; None if the merchant has no such virtual terminal."""
        return self._agents.get(smart_terminal_id) if self._owners.get(smart_terminal_id) == merchant_id else None

    async def start(self, store: Store, now: Instant) -> None:
        """Starts all that the store knows, and returns when each is connected, or after `CONNECT` seconds."""
        devices = await store.read(list_virtual_terminals, now)
        tokens = {device.id: secrets.token_urlsafe(32) for device in devices}
        await store.write(_set_tokens, tokens)
        # They connect to this very process, so there is nobody's certificate to doubt.
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, ssl=False))
        for device in devices:
            self._start(device, tokens[device.id], self._session)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONNECT):
                await asyncio.gather(*(online(agent) for agent in self._agents.values()))

    async def stop(self) -> None:
        """Ends all terminals and their customers."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _start(self, device: VirtualTerminal, token: str, session: aiohttp.ClientSession) -> None:
        machine = Machine(SOFTWARE, self._allowlist)
        agent = Agent(self._gateway, token, machine, self._clock, session=session, random=random.random)
        self._agents[device.id] = agent
        self._owners[device.id] = device.merchant_id
        self._tasks.append(asyncio.create_task(agent.run()))
        if device.autopilot is not None:
            autopilot = Autopilot.model_validate_json(device.autopilot)
            self._tasks.append(asyncio.create_task(fly(agent, autopilot, self._clock)))


async def online(agent: Agent) -> None:
    """Returns when a terminal is connected."""
    async for view in agent.watch():
        if view.online:
            return


def _set_tokens(unit: Unit, tokens: dict[str, str]) -> None:
    for smart_terminal_id, token in tokens.items():
        set_token(unit, smart_terminal_id, hashlib.sha256(token.encode()).digest())
