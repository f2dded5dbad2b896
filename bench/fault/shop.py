"""The outside: points of sale that keep asking, terminals with customers, and the receiver of webhooks."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import random
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import aiohttp

from bench.fault.ledger import Ledger
from bench.fault.life import RUNNING, Life, Payment
from bench.fault.network import Network
from bench.fault.waiting import until
from countertop.gateway.clock import SystemClock
from countertop.protocol.screens import Screen
from countertop.terminal.agent import Agent
from countertop.terminal.machine import Machine
from countertop.terminal.view import View
from countertop.testing.cluster import Shop

ANSWER_S: Final = 5.0
"""How long a point of sale waits for an answer before it asks another node."""
AGAIN_S: Final = 0.05
TRANSIENT: Final = (429, 502, 503)


class Counter:
    """One terminal, and the customer of the life that it serves."""

    def __init__(self, smart_terminal_id: str, agent: Agent) -> None:
        self.id = smart_terminal_id
        self.agent = agent
        self.life: Life | None = None
        self._seen: str | None = None
        agent.listen(self._look)

    def _look(self, view: View) -> None:
        if self.life is not None and view.screen is self.life.asks and view.request_id != self._seen:
            self._seen = view.request_id
            asyncio.get_running_loop().call_later(random.uniform(0.02, 0.2), self._act)

    def _act(self) -> None:
        if self.life is not None:
            self.life.act(self.agent)


class Outside:
    """Lives, one after the other, at a rate that does not care how the gateway is doing."""

    def __init__(self, shop: Shop, urls: Sequence[str], ledger: Ledger, session: aiohttp.ClientSession) -> None:
        self.ledger = ledger
        self.counters: list[Counter] = []
        self._urls = list(urls)
        self._session = session
        self._free: asyncio.Queue[Counter] = asyncio.Queue()
        login = base64.b64encode(f"{shop.login}:{shop.password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {login}", "X-PJ-Application-Key": shop.application_key}
        self._lives: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def terminals(self, shop: Shop, network: Network | None = None) -> AsyncIterator[None]:
        """Runs all terminals of the shop, on their own network if they have one; each connects to whichever node will have it."""
        urls = self._urls if network is None else [network.url(url) for url in self._urls]
        connector = aiohttp.TCPConnector(limit=0, socket_factory=None if network is None else network.open)
        async with aiohttp.ClientSession(connector=connector) as session:
            for smart_terminal_id, token in shop.tokens.items():
                machine, tried = Machine("fault/1"), random.sample(urls, len(urls))
                agent = Agent(tried, token, machine, SystemClock(), session=session, random=random.random)
                self.counters.append(Counter(smart_terminal_id, agent))
            async with self._running():
                yield

    @contextlib.asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        running = [asyncio.create_task(counter.agent.run()) for counter in self.counters]
        for counter in self.counters:
            self._free.put_nowait(counter)
        try:
            yield
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def arrive(self, rate: float, paying: float, stop: asyncio.Event) -> None:
        """Begins so many lives a second until `stop` is set; of that part, between 0 and 1, are payments."""
        due = time.monotonic()
        while not stop.is_set():
            task = asyncio.create_task(self._live(self.ledger.begin(paying)))
            self._lives.add(task)
            task.add_done_callback(self._lives.discard)
            due += 1 / rate
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), max(0.0, due - time.monotonic()))

    async def settle(self, within_s: float) -> None:
        """Waits until all lives have ended, the receiver has heard of all and the bank agrees; polls every one once more."""
        end = time.monotonic() + within_s
        if self._lives:
            _, unfinished = await asyncio.wait(self._lives, timeout=within_s)
            for task in unfinished:
                task.cancel()
        with contextlib.suppress(TimeoutError):
            await until(lambda: not self.ledger.owed(), end - time.monotonic())
        for life in self.ledger.lives:
            if life.acknowledged is not None:
                life.later = await self._poll(life, wait=0)
        for payment in self.ledger.payments:
            payment.transactions = await self._find(payment)
        with contextlib.suppress(TimeoutError):
            await until(lambda: self.ledger.bank.agrees(self.ledger.payments), end - time.monotonic())
        self.ledger.waiting = sum(counter.agent.view.screen is Screen.PROCESSING for counter in self.counters)

    async def subscribe(self, url: str, secret: str) -> None:
        """Has the shop's events sent to a receiver."""
        form = {"event": "SMARTTERMINAL_REQUEST", "url": url, "secret": secret}
        answer = await self._call("POST", "/webhooks", data=form)
        if answer is None or answer[0] != 200:
            raise RuntimeError(f"no subscription: {answer}")

    async def _live(self, life: Life) -> None:
        counter = await self._free.get()
        life.terminal_id, counter.life = counter.id, life
        if await self._ask(life):
            while life.end is None:
                polled = await self._poll(life, wait=5)
                if polled is not None and polled.get("status") not in RUNNING:
                    life.end = polled
        self._free.put_nowait(counter)

    async def _ask(self, life: Life) -> bool:
        """Posts until there is an answer, each time with the same Idempotency-Key. False if the answer is a refusal."""
        while True:
            life.attempts += 1
            path = f"/smartterminals/{life.terminal_id}/{life.kind}"
            answer = await self._call("POST", path, data=life.form, headers={"Idempotency-Key": f"life-{life.number}"})
            if answer is not None and answer[0] == 200:
                life.acknowledge(answer[1], time.monotonic())
                return True
            if answer is not None and answer[0] not in TRANSIENT:
                life.refusal = f"{answer[0]} {answer[1]}"
                return False
            await asyncio.sleep(AGAIN_S)

    async def _poll(self, life: Life, wait: int) -> dict[str, Any] | None:
        """Where a life is, asked until there is an answer."""
        while True:
            answer = await self._call("GET", f"/smartterminals/requests/{life.request_id}?wait={wait}", patience=wait)
            if answer is not None and answer[0] not in TRANSIENT:
                return answer[1] if answer[0] == 200 else {"status": f"HTTP {answer[0]}"}
            await asyncio.sleep(AGAIN_S)

    async def _find(self, payment: Payment) -> list[dict[str, Any]]:
        """What the gateway has of a payment, asked until there is an answer."""
        while True:
            answer = await self._call("GET", f"/transactions?invoiceNumber={payment.invoice}")
            if answer is not None and answer[0] == 200:
                found: list[dict[str, Any]] = answer[1]["results"]
                return found
            await asyncio.sleep(AGAIN_S)

    async def _call(
        self, method: str, path: str, patience: float = 0, headers: dict[str, str] | None = None, **named: Any
    ) -> tuple[int, Any] | None:
        """One attempt at one node. None if no answer came."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_S + patience)
        url = random.choice(self._urls) + path
        try:
            async with self._session.request(
                method, url, headers={**self._headers, **(headers or {})}, timeout=timeout, **named
            ) as answer:
                return answer.status, await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return None
