"""A gateway's device side over real sockets and a real SQLite file, and terminals that connect to it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import aiohttp
import pytest
from sqlalchemy import insert
from starlette.applications import Starlette

from countertop.domain.clock import SECOND, Instant
from countertop.domain.hint import Hint
from countertop.domain.order import Order, ReadOrder
from countertop.domain.releases import NEWEST
from countertop.gateway.bus.local import LocalBus
from countertop.gateway.cashier import Cashier
from countertop.gateway.clock import SystemClock
from countertop.gateway.console.assembly import make_console
from countertop.gateway.console.parts import Parts as ConsoleParts
from countertop.gateway.devices.assembly import Devices, make_devices
from countertop.gateway.devices.parts import Parts
from countertop.gateway.operations.access import Caller
from countertop.gateway.operations.connection import renew_node
from countertop.gateway.operations.request import RequestView, StartRequest, find_request, start_request
from countertop.gateway.password import PasswordCheck, hash_password
from countertop.gateway.processors.acquirer import Acquirer
from countertop.gateway.server import Listener
from countertop.gateway.settings import Settings
from countertop.gateway.store import merchant, table
from countertop.gateway.store.sealing import Sealer, load_keyring
from countertop.gateway.store.statement import Command
from countertop.gateway.store.store import Store, open_store
from countertop.gateway.store.unit import Unit
from countertop.terminal.agent import GREETING, Agent
from countertop.terminal.machine import Machine
from countertop.terminal.view import View
from tests import canary
from tests.device.bank import Bank

COUNTER = "88888888-4444-4444-4444-cccccccccccc"
OTHER = "99999999-4444-4444-4444-cccccccccccc"
UNPAIRED = "77777777-4444-4444-4444-cccccccccccc"
TOKENS = {COUNTER: "token-of-the-counter", OTHER: "token-of-another-merchant"}
PASSWORD = "correct horse"

T = TypeVar("T")

_INSERT_ACCOUNT = Command(insert(table.terminal))
_INSERT_SMART_TERMINAL = Command(insert(table.smart_terminal))


class Clock(SystemClock):
    """The system's clock, which a test may put forward."""

    def __init__(self) -> None:
        self._ahead = 0
        self._advanced = asyncio.Event()

    def now(self) -> Instant:
        return super().now() + self._ahead

    async def sleep_until(self, instant: Instant) -> None:
        while (left := instant - self.now()) > 0:
            try:
                await asyncio.wait_for(self._advanced.wait(), left / SECOND)
            except TimeoutError:
                continue

    def advance(self, milliseconds: int) -> None:
        self._ahead += milliseconds
        advanced, self._advanced = self._advanced, asyncio.Event()
        advanced.set()


def seed(unit: Unit, now: Instant, password_hash: str) -> None:
    """Two merchants: the first with a paired and an unpaired terminal, the second with a paired one."""
    for name, smart_terminals in (("Corner Books", (COUNTER, UNPAIRED)), ("Other Books", (OTHER,))):
        merchant_id = f"merchant of {name}"
        unit.run(merchant.INSERT, id=merchant_id, name=name, created=now)
        unit.run(
            merchant.INSERT_LOGIN,
            id=f"login of {name}",
            merchant_id=merchant_id,
            login=name.split()[0].lower(),
            password_hash=password_hash,
            created=now,
        )
        unit.run(
            _INSERT_ACCOUNT,
            merchant_id=merchant_id,
            terminal_id=1,
            account_id=f"account of {name}",
            nick_name="Main",
            type="CARD",
            enabled=True,
            is_default=True,
            level3=False,
            company_dba=name,
            company_legal=name,
            merchant_number="1",
            surcharge_rate=None,
        )
        for number, smart_terminal_id in enumerate(smart_terminals, start=1):
            seed_smart_terminal(unit, now, merchant_id, smart_terminal_id, number)


def seed_smart_terminal(unit: Unit, now: Instant, merchant_id: str, smart_terminal_id: str, number: int) -> None:
    """A Smart Terminal, paired if it has a token."""
    token = TOKENS.get(smart_terminal_id)
    unit.run(
        _INSERT_SMART_TERMINAL,
        id=smart_terminal_id,
        merchant_id=merchant_id,
        nick_name=f"Counter {number}",
        serial_number=smart_terminal_id[:8],
        request_deadline=None,
        virtual=False,
        sealed_autopilot=None,
        token_hash=token and hashlib.sha256(token.encode()).digest(),
        created=now,
    )


CALLER = Caller("merchant of Corner Books", "login of Corner Books", NEWEST)


@dataclass
class Gateway:
    """One node's device side, listening."""

    url: str
    parts: Parts
    devices: Devices
    clock: Clock
    session: aiohttp.ClientSession
    running: list[asyncio.Task[None]] = field(default_factory=list)
    closing: list[aiohttp.ClientSession] = field(default_factory=list)

    async def stop_terminals(self) -> None:
        for task in self.running:
            task.cancel()
        await asyncio.gather(*self.running, return_exceptions=True)
        for other in self.closing:
            await other.close()

    @property
    def store(self) -> Store:
        return self.parts.store

    async def request(self, order: Order | None = None, terminal: str = COUNTER, caller: Caller = CALLER) -> str:
        command = StartRequest(terminal, 1, order or ReadOrder(), False, 10_000, 60_000)
        return await self.store.write(start_request, self.parts.moment(), caller, command)

    async def view(self, request_id: str, caller: Caller = CALLER) -> RequestView:
        return await self.store.read(find_request, caller.merchant_id, request_id)

    async def settled(self, request_id: str, done: Callable[[RequestView], bool]) -> RequestView:
        """The request, once it is as it should become."""
        return await eventually(lambda: self.view(request_id), done)

    async def ended(self, request_id: str) -> RequestView:
        return await self.settled(request_id, lambda view: not view.status.running)

    def terminal(
        self, token: str = TOKENS[COUNTER], session: aiohttp.ClientSession | None = None, before: str | None = None
    ) -> Agent:
        """A terminal that runs; it tries the URL `before` first."""
        urls, greeting = ([self.url], GREETING) if before is None else ([before, self.url], 0.5)
        agent = Agent(
            urls,
            token,
            Machine("test/1"),
            self.clock,
            session=session or self.session,
            random=random.random,
            greeting=greeting,
        )
        self.running.append(asyncio.create_task(agent.run()))
        return agent


async def eventually(ask: Callable[[], Awaitable[T]], done: Callable[[T], bool]) -> T:
    """The answer to a question, once it is as it should become."""
    async with asyncio.timeout(20):
        while True:
            answer = await ask()
            if done(answer):
                return answer
            await asyncio.sleep(0.01)


async def until(agent: Agent, done: Callable[[View], bool]) -> View:
    """The terminal's view, once it is as it should become."""
    async with asyncio.timeout(20):
        async for view in agent.watch():
            if done(view):
                return view
    raise AssertionError


@asynccontextmanager
async def gateway_at(
    folder: Path,
    port: int = 0,
    *,
    node_id: str = "node-1",
    lose: Callable[[Hint], bool] = lambda _hint: False,
    acquirer: Callable[[Sealer], Acquirer] | None = None,
) -> AsyncIterator[Gateway]:
    """A node on the store in a folder that `make_store` made. `lose` says which hints get lost, `acquirer` who takes payments."""
    clock, bus = Clock(), LocalBus()
    sealer = Sealer(load_keyring(folder / "keys"))
    url = f"sqlite:///{folder / 'countertop.db'}"
    store = await open_store(url, sealer, lambda hints: bus.publish([hint for hint in hints if not lose(hint)]))
    parts = Parts(store, bus, clock, os.urandom, node_id, "test", acquirer=acquirer and acquirer(sealer))
    await store.write(renew_node, parts.moment(), 600_000)
    passwords = PasswordCheck()
    devices = make_devices(parts)
    devices.connections.start()
    listener = Listener(Settings.model_validate({"port": port}))
    console = ConsoleParts(store, clock, os.urandom, node_id, passwords, sealer)
    await listener.start(Starlette(routes=devices.routes + make_console(console)))
    async with _cashier(parts), aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        gateway = Gateway(listener.url, parts, devices, clock, session)
        try:
            yield gateway
        finally:
            await gateway.stop_terminals()
            await devices.connections.stop()
            await listener.stop()
            await store.close()
            passwords.close()


@asynccontextmanager
async def _cashier(parts: Parts) -> AsyncIterator[None]:
    """Asks the processor for as long as the node runs, if there is one."""
    if parts.acquirer is None:
        yield
        return
    cashier = Cashier(parts.store, parts.clock, parts.bus, parts.acquirer.processor, node_id=parts.node_id)
    await cashier.start()
    yield
    await cashier.stop(within_s=0.1)


async def make_store(folder: Path) -> None:
    """Makes the database and the keys in a folder."""
    store = await open_store(f"sqlite:///{folder / 'countertop.db'}", Sealer(load_keyring(folder / "keys")), lambda _hints: None)
    await store.write(seed, SystemClock().now(), hash_password(PASSWORD))
    await store.close()


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store as every test begins with, made once: migrations take longer than most tests."""
    folder = tmp_path_factory.mktemp("seeded")
    asyncio.run(make_store(folder))
    return folder


@pytest.fixture
def data(tmp_path: Path, seeded: Path) -> Path:
    """A folder with a store of the test's own."""
    return Path(shutil.copytree(seeded, tmp_path / "data"))


@pytest.fixture
async def gateway(data: Path) -> AsyncIterator[Gateway]:
    async with gateway_at(data) as running:
        yield running


@pytest.fixture
def bank() -> Bank:
    return Bank()


@pytest.fixture
async def till(data: Path, bank: Bank) -> AsyncIterator[Gateway]:
    """A node that takes payments."""
    canary.watch(data)
    async with gateway_at(data, acquirer=bank.acquirer) as running:
        yield running
