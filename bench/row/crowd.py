"""`crowd`: posts a second with 10,000 idle terminals connected, against the same gateway with 10."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from bench.data import prepare, token
from bench.process import product
from bench.result import Goal, Pair, Result
from bench.row.post import post_to_each
from bench.terminal import plug_all

CROWD = 10_000
BUSY = 2000
"""Terminals that get requests, on both sides."""


def measure(folder: Path, rounds: int, _seconds: float) -> Iterator[Result]:
    """Two gateways with databases alike; at one a crowd is connected that does nothing."""
    for name in ("few", "many"):
        prepare(folder / name, BUSY + CROWD)
    with contextlib.ExitStack() as stack:
        few, many = (stack.enter_context(product(folder / name)) for name in ("few", "many"))
        busy_few, busy_many = (plug_all(gateway.port, map(token, range(BUSY))) for gateway in (few, many))
        idle = plug_all(many.port, map(token, range(BUSY, BUSY + CROWD)))
        post_to_each(few, busy_few)
        post_to_each(many, busy_many)
        pairs = [Pair(post_to_each(many, busy_many).rate, post_to_each(few, busy_few).rate) for _ in range(rounds)]
        for terminal in idle:
            terminal.close()
    yield Result("posts beside 10,000 idle terminals", "without", "req/s", Goal(0.9), pairs)
