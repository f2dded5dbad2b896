"""`crowd`: posts a second with 10,000 idle terminals connected, against the same gateway without them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from bench.data import prepare, token
from bench.process import product
from bench.result import Goal, Pair, Result
from bench.row.post import post_to_each
from bench.setting import Setting
from bench.terminal import plug_all

CROWD = 10_000
BUSY = 2000
"""Terminals that get requests, on both sides."""


def measure(setting: Setting) -> Iterator[Result]:
    """Two gateways with databases alike; at one a crowd is connected that does nothing. One process is all the terminals."""
    busy, crowd = setting.some(BUSY), setting.some(CROWD)
    for name in ("few", "many"):
        prepare(setting.folder / name, busy + crowd)
    with contextlib.ExitStack() as stack:
        few, many = (stack.enter_context(product(setting.folder / name)) for name in ("few", "many"))
        busy_few, busy_many = (stack.enter_context(plug_all(gateway.port, map(token, range(busy)))) for gateway in (few, many))
        stack.enter_context(plug_all(many.port, map(token, range(busy, busy + crowd))))
        post_to_each(few, busy_few)
        post_to_each(many, busy_many)
        pairs = [Pair(post_to_each(many, busy_many), post_to_each(few, busy_few)) for _ in range(setting.rounds)]
    yield Result("posts beside 10,000 idle terminals", "without", "req/s", Goal(0.9), pairs)
