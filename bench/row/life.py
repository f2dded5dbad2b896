"""`life`: whole lives a second on one core (post, show, finish, three signed webhooks, all durable), against R."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence

import uvloop

from bench.client import Client
from bench.data import prepare
from bench.process import Server, product, reference
from bench.result import Figure, Goal, Pair, Result
from bench.row.post import rate_of
from bench.setting import Setting
from bench.shop import Shop

TERMINALS = 320
AT_ONCE = 64
EVENTS = 3


def measure(setting: Setting) -> Iterator[Result]:
    """`AT_ONCE` points of sale, each beginning its next read on another terminal when the webhook of the last one's end came."""
    yield Result("whole lives", "R", "/s", Goal(0.0125), uvloop.run(_measure(setting)))


async def _measure(setting: Setting) -> list[Pair]:
    shop, terminals, seconds = Shop(), setting.some(TERMINALS), setting.seconds
    async with shop.receiving() as hook:
        prepare(setting.folder, terminals, hook=hook)
        with reference("fixed") as bare, product(setting.folder) as gateway:
            async with shop.open([gateway], terminals, pause=0.0):
                await lives_in(shop, [gateway], terminals, setting.warm_up)
                return [
                    Pair(await lives_in(shop, [gateway], terminals, seconds), rate_of(bare, seconds))
                    for _ in range(setting.rounds)
                ]


async def lives_in(shop: Shop, gateways: Sequence[Server], terminals: int, seconds: float) -> Figure:
    """Whole lives a second, and what each cost all gateways together. Raises RuntimeError if a webhook is missing."""
    webhooks, cpu, start = shop.webhooks, _cpu(gateways), time.perf_counter()
    end = start + seconds

    async def point_of_sale(number: int) -> int:
        client = await Client.connect(gateways[number % len(gateways)].port)
        lives = 0
        for terminal in itertools.cycle(range(number, terminals, AT_ONCE)):
            if time.perf_counter() >= end:
                break
            await shop.live(client, terminal)
            lives += 1
        client.close()
        return lives

    lives = sum(await asyncio.gather(*map(point_of_sale, range(min(AT_ONCE, terminals)))))
    taken = time.perf_counter() - start
    if shop.webhooks - webhooks != EVENTS * lives:
        raise RuntimeError(f"{lives} lives made {shop.webhooks - webhooks} webhooks")
    return Figure(lives / taken, 1e6 * (_cpu(gateways) - cpu) / lives)


def _cpu(gateways: Sequence[Server]) -> float:
    return sum(gateway.cpu for gateway in gateways)
