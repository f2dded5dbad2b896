"""`poll`: answered polls of requests a second, against R."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

from bench.client import Client
from bench.data import prepare
from bench.load import drive
from bench.process import product, reference
from bench.request import poll, post_read
from bench.result import Goal, Pair, Result
from bench.row.post import rate_of

REQUESTS = 500


async def make_requests(port: int) -> list[str]:
    """The ids of as many requests, each on a terminal of its own."""
    client = await Client.connect(port)
    answers = [await client.send(post_read(number)) for number in range(REQUESTS)]
    client.close()
    return [json.loads(body)["requestId"] for _, body in answers]


def measure(folder: Path, rounds: int, seconds: float) -> Iterator[Result]:
    """Polls go round all requests."""
    prepare(folder, REQUESTS)
    with reference("fixed") as bare, product(folder) as gateway:
        polls = [poll(request_id) for request_id in asyncio.run(make_requests(gateway.port))]
        drive(gateway.port, itertools.cycle(polls), seconds=seconds / 2)
        pairs = []
        for _ in range(rounds):
            load = drive(gateway.port, itertools.cycle(polls), seconds=seconds)
            if load.refused:
                raise RuntimeError(f"{load.refused} polls were refused")
            pairs.append(Pair(load.rate, rate_of(bare, seconds)))
    yield Result("poll", "R", "req/s", Goal(0.35), pairs)
