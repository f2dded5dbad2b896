"""`post`: durable `request-read`s a second, each pushed to its connected terminal, against R."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

from bench.data import prepare, token
from bench.load import Load, drive
from bench.process import Server, product, reference
from bench.request import advance, post_read
from bench.result import Goal, Pair, Result
from bench.terminal import drain, plug_all

TERMINALS = 4000
HOUR = 3600


def measure(folder: Path, rounds: int, seconds: float) -> Iterator[Result]:
    """Each round posts to every terminal once; between rounds the clock is moved past all deadlines, which frees them."""
    prepare(folder, TERMINALS)
    with reference("fixed") as bare, product(folder) as gateway:
        terminals = plug_all(gateway.port, (token(number) for number in range(TERMINALS)))
        post_to_each(gateway, terminals)
        pairs = [Pair(post_to_each(gateway, terminals).rate, rate_of(bare, seconds)) for _ in range(rounds)]
    yield Result("post, pushed", "R", "req/s", Goal(0.12), pairs)


def post_to_each(gateway: Server, terminals: list[socket.socket]) -> Load:
    """One `request-read` to each terminal. Raises RuntimeError if one was not pushed."""
    drain(terminals)
    load = drive(gateway.port, (post_read(number) for number in range(len(terminals))))
    pushed = drain(terminals)
    if load.refused or pushed < len(terminals):
        raise RuntimeError(f"{load.refused} posts were refused and {len(terminals) - pushed} not pushed")
    drive(gateway.port, iter([advance(2 * HOUR)]), connections=1)
    return load


def rate_of(bare: Server, seconds: float) -> float:
    """R: what the bare server answers in that time."""
    request = post_read(0)
    return drive(bare.port, iter(lambda: request, None), seconds=seconds).rate
