"""`poll`: answered polls of requests a second, against R."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator

from bench.client import Client
from bench.data import prepare
from bench.load import drive
from bench.process import Server, product, reference
from bench.request import poll, post_read
from bench.result import Figure, Goal, Pair, Result
from bench.row.post import figure_of, rate_of
from bench.setting import Setting

REQUESTS = 500


async def make_requests(port: int, count: int) -> list[str]:
    """The ids of as many requests, each on a terminal of its own."""
    client = await Client.connect(port)
    answers = [await client.send(post_read(number)) for number in range(count)]
    client.close()
    return [json.loads(body)["requestId"] for _, body in answers]


def measure(setting: Setting) -> Iterator[Result]:
    """Polls go round all requests."""
    count = setting.some(REQUESTS)
    prepare(setting.folder, count)
    with reference("fixed") as bare, product(setting.folder) as gateway:
        polls = [poll(request_id) for request_id in asyncio.run(make_requests(gateway.port, count))]
        ask(gateway, polls, setting.warm_up)
        seconds = setting.seconds
        pairs = [Pair(ask(gateway, polls, seconds), rate_of(bare, seconds)) for _ in range(setting.rounds)]
    yield Result("poll", "R", "req/s", Goal(0.35), pairs)


def ask(gateway: Server, polls: list[bytes], seconds: float) -> Figure:
    """Polls for that time. Raises RuntimeError if one was refused."""
    before = gateway.cpu
    load = drive(gateway.port, itertools.cycle(polls), seconds=seconds)
    if load.refused:
        raise RuntimeError(f"{load.refused} polls were refused")
    return figure_of(load, gateway, before)
