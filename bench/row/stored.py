"""`stored`: posts and polls a second with 1,000,000 requests stored, against the same gateway with 1,000."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from bench.data import fill, prepare, token
from bench.process import Server, product
from bench.request import poll
from bench.result import Figure, Goal, Pair, Result
from bench.row.poll import REQUESTS, ask, make_requests
from bench.row.post import free_all, post_to_each
from bench.setting import Setting
from bench.terminal import plug_all

FEW, MANY = 1_000, 1_000_000
TERMINALS = 2000


def measure(setting: Setting) -> Iterator[Result]:
    """Two gateways that differ in what is stored. The requests have ended within the last hours, so none is purged meanwhile."""
    terminals = setting.some(TERMINALS)
    for name, count in (("few", FEW), ("many", setting.some(MANY))):
        prepare(setting.folder / name, terminals)
        fill(setting.folder / name, count, terminals)
    with contextlib.ExitStack() as stack:
        few, many = (stack.enter_context(product(setting.folder / name)) for name in ("few", "many"))
        polls = {server.port: polls_of(server, setting.some(REQUESTS)) for server in (few, many)}
        plugged = {
            server.port: stack.enter_context(plug_all(server.port, map(token, range(terminals)))) for server in (few, many)
        }

        def post(server: Server) -> Figure:
            return post_to_each(server, plugged[server.port])

        def asked(server: Server) -> Figure:
            return ask(server, polls[server.port], setting.seconds)

        post(few), post(many)
        rounds = range(setting.rounds)
        yield Result(
            "posts, 1,000,000 requests stored", "1,000", "req/s", Goal(0.9), [Pair(post(many), post(few)) for _ in rounds]
        )
        yield Result(
            "polls, 1,000,000 requests stored", "1,000", "req/s", Goal(0.9), [Pair(asked(many), asked(few)) for _ in rounds]
        )


def polls_of(server: Server, count: int) -> list[bytes]:
    """Polls of requests that are made for it, and end at once so that their terminals are free."""
    polls = [poll(request_id) for request_id in asyncio.run(make_requests(server.port, count))]
    free_all(server)
    return polls
