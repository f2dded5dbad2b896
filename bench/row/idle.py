"""`idle`: memory of a connected idle terminal; the bare Starlette echo server's beside it."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Iterator

from bench.data import prepare, token
from bench.machine import memory_of
from bench.process import Server, product, reference
from bench.result import Goal, Result, pair
from bench.setting import Setting
from bench.terminal import plug

TERMINALS = 4000
KIB = 1024
WARM_UP = 100
GOAL = 40.0


def measure(setting: Setting) -> Iterator[Result]:
    """Growth of a fresh server by terminals that connect and stay silent. Two rounds are enough: it hardly moves."""
    count = WARM_UP + setting.some(TERMINALS)
    prepare(setting.folder, count)
    own, echo = [], []
    for _ in range(min(setting.rounds, 2)):
        with reference("echo") as bare:
            echo.append(growth(bare, count, welcomed=False))
        with product(setting.folder) as gateway:
            own.append(growth(gateway, count, welcomed=True))
    name = f"memory of an idle terminal (echo: {statistics.median(echo):.1f} KiB)"
    yield Result(name, "goal", "KiB", Goal(1.0, at_least=False), [pair(kib, GOAL) for kib in own])


def growth(server: Server, count: int, *, welcomed: bool) -> float:
    """KiB a connection."""
    with contextlib.ExitStack() as connections:
        for number in range(WARM_UP):
            connections.enter_context(plug(server.port, token(number), welcomed=welcomed))
        before = memory_of(server.pid)
        for number in range(WARM_UP, count):
            connections.enter_context(plug(server.port, token(number), welcomed=welcomed))
        time.sleep(1)
        return (memory_of(server.pid) - before) / KIB / (count - WARM_UP)
