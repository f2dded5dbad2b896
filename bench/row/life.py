"""`life`: whole lives a second on one core (post, show, finish, three signed webhooks, all durable), against R."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop

from bench.client import Client
from bench.data import prepare
from bench.process import Server, product, reference
from bench.result import Goal, Pair, Result
from bench.row.post import rate_of
from bench.shop import Shop

TERMINALS = 320
AT_ONCE = 64
EVENTS = 3


def measure(folder: Path, rounds: int, seconds: float) -> Iterator[Result]:
    """`AT_ONCE` points of sale, each beginning its next read on another terminal when the webhook of the last one's end came."""
    pairs = uvloop.run(_measure(folder, rounds, seconds))
    yield Result("whole lives", "R", "/s", Goal(0.0125), pairs)


async def _measure(folder: Path, rounds: int, seconds: float) -> list[Pair]:
    shop = Shop()
    async with shop.receiving() as hook:
        prepare(folder, TERMINALS, hook=hook)
        with reference("fixed") as bare, product(folder) as gateway:
            async with shop.open(gateway, TERMINALS, pause=0.0):
                await lives_in(shop, gateway, seconds / 2)
                return [Pair(await lives_in(shop, gateway, seconds), rate_of(bare, seconds)) for _ in range(rounds)]


async def lives_in(shop: Shop, gateway: Server, seconds: float) -> float:
    """Whole lives a second. Raises RuntimeError if a webhook is missing."""
    before, start = shop.webhooks, time.perf_counter()
    end = start + seconds

    async def point_of_sale(number: int) -> int:
        client = await Client.connect(gateway.port)
        lives = 0
        for terminal in itertools.cycle(range(number, TERMINALS, AT_ONCE)):
            if time.perf_counter() >= end:
                break
            await shop.live(client, terminal)
            lives += 1
        client.close()
        return lives

    lives = sum(await asyncio.gather(*map(point_of_sale, range(AT_ONCE))))
    taken = time.perf_counter() - start
    if shop.webhooks - before != EVENTS * lives:
        raise RuntimeError(f"{lives} lives made {shop.webhooks - before} webhooks")
    return lives / taken
