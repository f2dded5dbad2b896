"""`post`: durable `request-read`s a second, each pushed to its connected terminal, against R."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from bench.data import prepare, token
from bench.load import Load, drive
from bench.process import CONNECT_DEADLINE, Server, product, reference
from bench.request import advance, post_read
from bench.result import Figure, Goal, Pair, Result
from bench.setting import Setting
from bench.terminal import drain, hear_all, plug_all

TERMINALS = 4000


def measure(setting: Setting) -> Iterator[Result]:
    """Each round posts to every terminal once; between rounds the clock is moved past all deadlines, which frees them."""
    count = setting.some(TERMINALS)
    prepare(setting.folder, count)
    with (
        reference("fixed") as bare,
        product(setting.folder) as gateway,
        plug_all(gateway.port, map(token, range(count))) as terminals,
    ):
        post_to_each(gateway, terminals)
        pairs = [Pair(post_to_each(gateway, terminals), rate_of(bare, setting.seconds)) for _ in range(setting.rounds)]
    yield Result("post, pushed", "R", "req/s", Goal(0.12), pairs)


def post_to_each(gateway: Server, terminals: list[socket.socket]) -> Figure:
    """One `request-read` to each terminal. Raises RuntimeError if one was not pushed."""
    drain(terminals)
    before = gateway.cpu
    load = drive(gateway.port, (post_read(number) for number in range(len(terminals))))
    figure = figure_of(load, gateway, before)
    missing = hear_all(terminals)
    if load.refused or missing:
        raise RuntimeError(f"{load.refused} posts were refused and {missing} not pushed")
    free_all(gateway)
    return figure


def free_all(gateway: Server) -> None:
    """Moves the clock past all deadlines: what has not been shown ends, and its terminal is free."""
    drive(gateway.port, iter([advance(CONNECT_DEADLINE + 1)]), connections=1)


def figure_of(load: Load, server: Server, before: float) -> Figure:
    """Requests a second, and the CPU of each since the server had used `before`."""
    return Figure(load.rate, 1e6 * (server.cpu - before) / load.answered)


def rate_of(bare: Server, seconds: float) -> Figure:
    """R: what the bare server answers in that time."""
    request = post_read(0)
    before = bare.cpu
    return figure_of(drive(bare.port, iter(lambda: request, None), seconds=seconds), bare, before)
