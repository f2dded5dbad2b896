"""`nodes`: the CPU of a whole life at two nodes of a cluster, against the same work at one of them.

PostgreSQL and NATS from wheels (extra `cluster`). Terminals and points of sale are spread evenly, so that at two nodes half of
all requests have to find their terminals across. The CPU is the nodes' own; PostgreSQL and NATS run on the load's core.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator

import uvloop

from bench.data import prepare
from bench.process import Server, product
from bench.result import Figure, Goal, Pair, Result
from bench.row.life import lives_in
from bench.setting import Setting
from bench.shop import Shop
from countertop.testing.nats import nats_server
from countertop.testing.postgres import postgres_server

TERMINALS = 320


def measure(setting: Setting) -> Iterator[Result]:
    """Closed loops of lives at both nodes, then at one of them."""
    pairs = uvloop.run(_measure(setting))
    yield Result("CPU of a life at two nodes", "one node", "µs", Goal(1.25, at_least=False), pairs)


async def _measure(setting: Setting) -> list[Pair]:
    shop, terminals, seconds = Shop(), setting.some(TERMINALS), setting.seconds
    async with shop.receiving() as hook, _cluster(setting, hook, terminals) as nodes:
        pairs = []
        for number in range(setting.rounds + 1):
            costs = []
            for gateways in (nodes, nodes[:1]):
                async with shop.open(gateways, terminals, pause=0.0):
                    figure = await lives_in(shop, gateways, terminals, seconds if number else setting.warm_up)
                    costs.append(Figure(figure.cost or 0.0))
            pairs.append(Pair(*costs))
        return pairs[1:]


@contextlib.asynccontextmanager
async def _cluster(setting: Setting, hook: int, terminals: int) -> AsyncIterator[list[Server]]:
    with contextlib.ExitStack() as stack:
        postgres = stack.enter_context(postgres_server(durable=True))
        nats = stack.enter_context(nats_server())
        settings = {
            "COUNTERTOP_DATABASE_URL": postgres.url(),
            "COUNTERTOP_BUS_URL": nats.url,
            "COUNTERTOP_SECRET_KEY_FILE": str(setting.folder / "secret.key"),
        }
        prepare(setting.folder, terminals, hook=hook, settings=settings)
        nodes = []
        for number in range(2):
            folder = setting.folder / f"node-{number}"
            folder.mkdir()
            nodes.append(stack.enter_context(product(folder, settings=settings)))
        yield nodes
