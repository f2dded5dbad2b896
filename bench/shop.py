"""A whole shop on one event loop: points of sale, terminals with customers, and the receiver of webhooks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from bench.client import Client
from bench.data import token
from bench.process import Server
from bench.request import post_read
from bench.sink import listening
from bench.terminal import Till, plug


@dataclass
class Life:
    """The moments of one read, by `time.perf_counter`."""

    posted: float
    shown: float = 0.0
    swiped: float = 0.0
    told: float = 0.0
    """When the webhook of its end was here."""


class Shop:
    """Keeps the moments of every request, whichever of post's answer, frame and webhook is here first."""

    def __init__(self) -> None:
        self.webhooks = 0
        self._shown: dict[str, float] = {}
        self._swiped: dict[str, float] = {}
        self._ends: dict[str, asyncio.Future[float]] = {}

    def show(self, request_id: str) -> None:
        """A terminal shows a request."""
        self._shown[request_id] = time.perf_counter()

    def swipe(self, request_id: str) -> None:
        """Its customer swipes."""
        self._swiped[request_id] = time.perf_counter()

    def take(self, body: bytes) -> None:
        """A webhook came."""
        self.webhooks += 1
        data: dict[str, Any] = json.loads(body)["data"]
        if data["status"] == "COMPLETE":
            self._end(data["requestId"]).set_result(time.perf_counter())

    def _end(self, request_id: str) -> asyncio.Future[float]:
        return self._ends.setdefault(request_id, asyncio.get_running_loop().create_future())

    async def live(self, client: Client, terminal: int) -> Life:
        """One read from its post to the webhook of its end."""
        life = Life(time.perf_counter())
        status, body = await client.send(post_read(terminal))
        if status != 200:
            raise RuntimeError(f"a post was answered {status}")
        request_id = json.loads(body)["requestId"]
        life.told = await asyncio.wait_for(self._end(request_id), 60)
        del self._ends[request_id]
        life.shown, life.swiped = self._shown.pop(request_id), self._swiped.pop(request_id)
        return life

    @contextlib.asynccontextmanager
    async def open(self, gateways: Sequence[Server], terminals: int, pause: float) -> AsyncIterator[None]:
        """Plugs the terminals in, in turn at each gateway; the sink of the webhooks has to listen already."""
        tills = []
        for number in range(terminals):
            connection = await asyncio.to_thread(plug, gateways[number % len(gateways)].port, token(number))
            tills.append(await Till.plug(connection, pause, self.show, self.swipe))
        try:
            yield
        finally:
            for till in tills:
                till.close()

    @contextlib.asynccontextmanager
    async def receiving(self) -> AsyncIterator[int]:
        """Listens for webhooks; gives the port."""
        async with listening(self.take) as port:
            yield port
