"""`delivery`: webhooks a second out of a full outbox, against W, the bare HTTP client posting such bodies to such a receiver."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bench.data import merchant_id, opened, prepare, store
from bench.machine import cpu_of
from bench.process import product, start_client
from bench.result import Figure, Goal, Pair, Result
from bench.setting import Setting
from bench.sink import listening
from countertop.domain.ids import ordered_uuid
from countertop.domain.releases import NEWEST
from countertop.gateway.store import table

DELIVERIES = 10_000


class Arrivals:
    """When the first and the last of so many bodies came at the receiver; the first tenth is left out, as a warm-up."""

    def __init__(self, count: int) -> None:
        self.counted = count - count // 10
        self._count = count
        self._came = 0
        self._first = 0.0
        self.warm: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.done: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def take(self, _body: bytes) -> None:
        """One more."""
        self._came += 1
        if self._came == self._count - self.counted:
            self._first = time.perf_counter()
            self.warm.set_result(None)
        elif self._came == self._count:
            self.done.set_result(self.counted / (time.perf_counter() - self._first))

    async def figure(self, pid: int) -> Figure:
        """Deliveries a second, and the CPU that each cost the process that sends."""
        async with asyncio.timeout(120):
            await self.warm
            before = cpu_of(pid)
            rate = await self.done
            return Figure(rate, 1e6 * (cpu_of(pid) - before) / self.counted)


def measure(setting: Setting) -> Iterator[Result]:
    """Each round fills the outbox of a new data directory and starts a gateway over it."""
    count = setting.some(DELIVERIES)
    pairs = [asyncio.run(one_round(setting.folder / str(number), count)) for number in range(setting.rounds)]
    yield Result("webhook deliveries", "W", "/s", Goal(0.5), pairs)


async def one_round(folder: Path, count: int) -> Pair:
    """Product and reference, one after the other."""
    return Pair(await delivered(folder, count), await posted(count))


async def delivered(folder: Path, count: int) -> Figure:
    """Deliveries by a gateway that finds its outbox full."""
    arrivals = Arrivals(count)
    async with listening(arrivals.take) as port:
        await asyncio.to_thread(fill_outbox, folder, port, count)
        with product(folder) as gateway:
            return await arrivals.figure(gateway.pid)


async def posted(count: int) -> Figure:
    """W: posts by the bare client."""
    arrivals = Arrivals(count)
    async with listening(arrivals.take) as port:
        client = start_client(port, count)
        figure = await arrivals.figure(client.pid)
        client.wait()
        return figure


def fill_outbox(folder: Path, port: int, count: int) -> None:
    """As many deliveries that are due, each of a request of its own."""
    prepare(folder, 0, hook=port)
    with opened(f"sqlite:///{folder}/countertop.db") as connection:
        webhook = connection.execute(select(table.webhook.c.id)).scalar_one()
        events = list(_events(merchant_id(connection), count))
        store(connection, table.event, iter(events))
        store(connection, table.delivery, (_delivery(event, webhook) for event in events))


def _events(merchant: str, count: int) -> Iterator[dict[str, Any]]:
    now = time.time_ns() // 1_000_000
    for _ in range(count):
        yield {
            "id": ordered_uuid(now, os.urandom),
            "merchant_id": merchant,
            "type": "SMARTTERMINAL_REQUEST",
            "subject_id": ordered_uuid(now, os.urandom),
            "sequence": 2,
            "release": NEWEST,
            "data": '{"kind":"read","status":"IN_PROGRESS"}',
            "created": now,
        }


def _delivery(event: dict[str, Any], webhook: str) -> dict[str, Any]:
    return {"event_id": event["id"], "webhook_id": webhook, "attempts": 0, "due": event["created"], "state": "PENDING"}
