"""`idle`: memory of a connected idle terminal; the bare Starlette echo server's beside it."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from bench.data import prepare, token
from bench.machine import memory_of
from bench.process import Server, product, reference
from bench.result import Goal, Pair, Result
from bench.terminal import plug

TERMINALS = 4000
KIB = 1024
WARM_UP = 100
GOAL = 40.0


def measure(folder: Path, rounds: int, _seconds: float) -> Iterator[Result]:
    """Growth of a fresh server by terminals that connect and stay silent. Two rounds are enough: it hardly moves."""
    prepare(folder, TERMINALS)
    own, echo = [], []
    for _ in range(min(rounds, 2)):
        with reference("echo") as bare:
            echo.append(growth(bare, welcomed=False))
        with product(folder) as gateway:
            own.append(growth(gateway, welcomed=True))
    name = f"memory of an idle terminal (echo: {statistics.median(echo):.1f} KiB)"
    yield Result(name, "goal", "KiB", Goal(1.0, at_least=False), [Pair(kib, GOAL) for kib in own])


def growth(server: Server, *, welcomed: bool) -> float:
    """KiB a connection."""
    with contextlib.ExitStack() as connections:
        for number in range(WARM_UP):
            connections.enter_context(plug(server.port, token(number), welcomed=welcomed))
        before = memory_of(server.pid)
        for number in range(WARM_UP, TERMINALS):
            connections.enter_context(plug(server.port, token(number), welcomed=welcomed))
        time.sleep(1)
        return (memory_of(server.pid) - before) / KIB / (TERMINALS - WARM_UP)
