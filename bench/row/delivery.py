"""`delivery`: webhooks a second out of a full outbox, against W, the bare HTTP client posting such bodies to such a receiver."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bench.data import merchant_id, prepare, store
from bench.process import product, start_client
from bench.result import Goal, Pair, Result
from bench.sink import listening
from countertop.domain.ids import ordered_uuid
from countertop.domain.releases import NEWEST
from countertop.gateway.store import table

DELIVERIES = 5000


class Arrivals:
    """When the first and the last of so many bodies came; the first tenth is left out, as a warm-up."""

    def __init__(self, count: int) -> None:
        self._skipped = count // 10
        self._count = count
        self._came = 0
        self._first = 0.0
        self.done: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def take(self, _body: bytes) -> None:
        """One more."""
        self._came += 1
        if self._came == self._skipped:
            self._first = time.perf_counter()
        elif self._came == self._count:
            self.done.set_result((self._count - self._skipped) / (time.perf_counter() - self._first))


def measure(folder: Path, rounds: int, _seconds: float) -> Iterator[Result]:
    """Each round fills the outbox of a new data directory and starts a gateway over it."""
    pairs = [asyncio.run(one_round(folder / str(number))) for number in range(rounds)]
    yield Result("webhook deliveries", "W", "/s", Goal(0.5), pairs)


async def one_round(folder: Path) -> Pair:
    """Product and reference, one after the other."""
    return Pair(await delivered(folder), await posted())


async def delivered(folder: Path) -> float:
    """Deliveries a second by a gateway that finds its outbox full."""
    arrivals = Arrivals(DELIVERIES)
    async with listening(arrivals.take) as port:
        fill_outbox(folder, port)
        with product(folder):
            return await asyncio.wait_for(arrivals.done, 60)


async def posted() -> float:
    """W: posts a second by the bare client."""
    arrivals = Arrivals(DELIVERIES)
    async with listening(arrivals.take) as port:
        client = start_client(port, DELIVERIES)
        rate = await asyncio.wait_for(arrivals.done, 60)
        client.wait()
        return rate


def fill_outbox(folder: Path, port: int) -> None:
    """As many deliveries that are due, each of a request of its own."""
    engine = prepare(folder, 0, hook=port)
    with engine.begin() as connection:
        webhook = connection.execute(select(table.webhook.c.id)).scalar_one()
        events = list(_events(merchant_id(connection)))
        store(connection, table.event, iter(events))
        store(connection, table.delivery, (_delivery(event, webhook) for event in events))
    engine.dispose()


def _events(merchant: str) -> Iterator[dict[str, Any]]:
    now = time.time_ns() // 1_000_000
    for _ in range(DELIVERIES):
        yield {
            "id": ordered_uuid(now, os.urandom),
            "merchant_id": merchant,
            "type": "SMARTTERMINAL_REQUEST",
            "subject_id": ordered_uuid(now, os.urandom),
            "sequence": 2,
            "release": NEWEST,
            "data": '{"status":"IN_PROGRESS"}',
            "created": now,
        }


def _delivery(event: dict[str, Any], webhook: str) -> dict[str, Any]:
    return {
        "event_id": event["id"],
        "webhook_id": webhook,
        "merchant_id": event["merchant_id"],
        "subject_id": event["subject_id"],
        "sequence": event["sequence"],
        "created": event["created"],
        "attempts": 0,
        "due": event["created"],
        "leased_until": 0,
        "state": "PENDING",
    }
