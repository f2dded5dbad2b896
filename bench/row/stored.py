"""`stored`: posts and polls a second with 1,000,000 requests stored, against the same gateway with 1,000."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path

from bench.data import ended_events, ended_requests, merchant_id, prepare, store, token
from bench.load import drive
from bench.process import Server, product
from bench.request import advance, poll
from bench.result import Goal, Pair, Result
from bench.row.poll import make_requests
from bench.row.post import HOUR, post_to_each
from bench.terminal import plug_all
from countertop.gateway.store import table

FEW, MANY = 1_000, 1_000_000
TERMINALS = 2000


def measure(folder: Path, rounds: int, seconds: float) -> Iterator[Result]:
    """Two gateways that differ in what is stored. The requests have ended within the last hours, so none is purged meanwhile."""
    for count in (FEW, MANY):
        fill(folder / str(count), count)
    with contextlib.ExitStack() as stack:
        few, many = (stack.enter_context(product(folder / str(count))) for count in (FEW, MANY))
        polls = {server.port: itertools.cycle(polls_of(server)) for server in (few, many)}
        terminals = {server.port: plug_all(server.port, map(token, range(TERMINALS))) for server in (few, many)}

        def post(server: Server) -> float:
            return post_to_each(server, terminals[server.port]).rate

        def ask(server: Server) -> float:
            return drive(server.port, polls[server.port], seconds=seconds).rate

        post(few), post(many)
        posted = [Pair(post(many), post(few)) for _ in range(rounds)]
        asked = [Pair(ask(many), ask(few)) for _ in range(rounds)]
    yield Result("posts with 1,000,000 requests stored", "with 1,000", "req/s", Goal(0.9), posted)
    yield Result("polls with 1,000,000 requests stored", "with 1,000", "req/s", Goal(0.9), asked)


def fill(folder: Path, count: int) -> None:
    """A data directory with as many ended requests and their events."""
    engine = prepare(folder, TERMINALS)
    with engine.begin() as connection:
        merchant = merchant_id(connection)
        store(connection, table.request, ended_requests(merchant, count))
        store(connection, table.event, ended_events(merchant, ended_requests(merchant, count)))
    engine.dispose()


def polls_of(server: Server) -> list[bytes]:
    """Polls of requests that are made for it, and end at once so that their terminals are free."""
    polls = [poll(request_id) for request_id in asyncio.run(make_requests(server.port))]
    drive(server.port, iter([advance(2 * HOUR)]), connections=1)
    return polls
