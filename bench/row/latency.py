"""`latency`: request → frame at the terminal, and swipe → webhook at the receiver, at 200 lives a second, against F."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator

import uvloop

from bench.client import Client
from bench.data import prepare
from bench.machine import flush_time
from bench.process import Server, product
from bench.result import Goal, Pair, Result, pair
from bench.setting import Setting
from bench.shop import Life, Shop

TERMINALS = 200
RATE = 200
PAUSE = 0.05
"""Seconds between a request's frame and the swipe."""


def measure(setting: Setting) -> Iterator[Result]:
    """Reads begin at even distances whether or not earlier ones have ended."""
    show, swipe, swipe99 = zip(*uvloop.run(_measure(setting)), strict=True)
    yield Result("request → frame, p50", "F", "ms", Goal(5, at_least=False), show)
    yield Result("swipe → webhook, p50", "F", "ms", Goal(12, at_least=False), swipe)
    yield Result("swipe → webhook, p99", "F", "ms", Goal(60, at_least=False), swipe99)


async def _measure(setting: Setting) -> list[tuple[Pair, Pair, Pair]]:
    shop = Shop()
    async with shop.receiving() as hook:
        prepare(setting.folder, TERMINALS, hook=hook)
        with product(setting.folder) as gateway:
            async with shop.open([gateway], TERMINALS, PAUSE):
                await lives_at(RATE, shop, gateway, setting.warm_up)
                found = []
                for _ in range(setting.rounds):
                    before = flush_time(setting.folder)
                    lives = await lives_at(RATE, shop, gateway, setting.seconds)
                    found.append(compare(lives, 1000 * (before + flush_time(setting.folder)) / 2))
                return found


def compare(lives: list[Life], flush: float) -> tuple[Pair, Pair, Pair]:
    """The three figures of one round in milliseconds, beside F."""
    shown = [1000 * (life.shown - life.posted) for life in lives]
    told = [1000 * (life.told - life.swiped) for life in lives]
    return (
        pair(statistics.median(shown), flush),
        pair(statistics.median(told), flush),
        pair(statistics.quantiles(told, n=100)[98], flush),
    )


async def lives_at(rate: float, shop: Shop, gateway: Server, seconds: float) -> list[Life]:
    """As many lives a second, each on the terminal that has been free for the longest."""
    clients = [await Client.connect(gateway.port) for _ in range(TERMINALS)]
    count = max(2, int(rate * seconds))
    start = time.perf_counter()
    begun: list[asyncio.Task[Life]] = []
    for number in range(count):
        await asyncio.sleep(max(0.0, start + number / rate - time.perf_counter()))
        begun.append(asyncio.create_task(shop.live(clients[number % TERMINALS], number % TERMINALS)))
    lives = await asyncio.gather(*begun)
    for client in clients:
        client.close()
    return lives
