"""`countertop cluster`: a whole gateway of several nodes on one machine, to be tried out."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import aiohttp
from rich.console import Console
from rich.text import Text

from countertop.cli.demo import curl_commands
from countertop.cli.process import run_until_stopped
from countertop.cli.terminal import SOFTWARE, serve_screen
from countertop.gateway.clock import SystemClock
from countertop.gateway.logs import set_up_logs
from countertop.gateway.settings import SettingsError, load_settings
from countertop.sandbox.demo import DemoAccess
from countertop.terminal.agent import Agent
from countertop.terminal.machine import Machine
from countertop.testing.cluster import SHOP, Cluster, run_cluster
from countertop.testing.nats import NatsMissing
from countertop.testing.postgres import PostgresMissing

MOST_NODES: Final = 16


def run(nodes: int, data: Path | None) -> int:
    """Runs until Ctrl-C or SIGTERM. Returns the exit status."""

    folder = None if data is None else data.absolute()

    async def show(stop: asyncio.Event) -> None:
        if not 1 <= nodes <= MOST_NODES:
            raise SettingsError(f"--nodes {nodes}: from 1 to {MOST_NODES}")
        set_up_logs("warning")
        console = Console(highlight=False)
        async with contextlib.AsyncExitStack() as stack:
            cluster = await _started(stack, nodes, folder)
            screen = await stack.enter_async_context(_terminal(cluster))
            _explain(console, cluster, screen)
            await stop.wait()
            console.print("\nStopping …")

    return run_until_stopped(show)


async def _started(stack: contextlib.AsyncExitStack, nodes: int, data: Path | None) -> Cluster:
    # Starting and stopping wait for processes, so they have a thread.
    running = run_cluster(folder=data, nodes=nodes)
    try:
        cluster = await asyncio.to_thread(running.__enter__)
    except (PostgresMissing, NatsMissing) as missing:
        raise SettingsError(f"a cluster needs PostgreSQL and NATS: {missing}") from None
    except OSError as error:
        raise SettingsError(f"--data {data} cannot be used: {error.strerror}") from None
    stack.push_async_callback(asyncio.to_thread, running.__exit__, None, None, None)
    return cluster


@contextlib.asynccontextmanager
async def _terminal(cluster: Cluster) -> AsyncIterator[str]:
    """The shop's terminal, with its page; it goes to the next node when it loses one. Gives the page's URL."""
    smart_terminal_id, token = next(iter(cluster.shop.tokens.items()))
    settings = load_settings({"server": "test", "host": "127.0.0.1", "port": 0, "data": cluster.folder})
    urls = [node.url for node in cluster.nodes]
    async with aiohttp.ClientSession() as session:
        agent = Agent(urls, token, Machine(SOFTWARE), SystemClock(), session=session, random=random.random)
        async with serve_screen(agent, settings) as url:
            running = asyncio.create_task(agent.run(), name=smart_terminal_id)
            try:
                yield url
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)


def _explain(console: Console, cluster: Cluster, screen: str) -> None:
    shop, urls = cluster.shop, [node.url for node in cluster.nodes]
    nodes = {f"Node {number}": f"{node.url}  (process {node.pid})" for number, node in enumerate(cluster.nodes, 1)}
    facts = {
        **nodes,
        "PostgreSQL": cluster.postgres.url(),
        "NATS": cluster.nats.url,
        "Terminal": screen,
        "Login": shop.login,
        "Password": shop.password,
        "Application key": shop.application_key,
        "Kept in": str(cluster.folder / SHOP),
    }
    console.print(Text(f"Countertop, a cluster of {len(urls)} nodes\n", style="bold"))
    for name, value in facts.items():
        console.print(Text(f"  {name:<16}", style="dim").append(value, style="default"), soft_wrap=True)
    access = DemoAccess(
        login=shop.login,
        password=shop.password,
        application_key=shop.application_key,
        smart_terminal_id=next(iter(shop.tokens)),
        webhook_secret="",
        webhook_port=0,
    )
    read, _ = curl_commands(urls[0], access, cluster.folder)
    _, poll = curl_commands(urls[-1], access, cluster.folder)
    console.print(Text("\nAsk for a card at the first node, and for what was read at the last:\n", style="bold"))
    for command in (read, poll):
        console.print(Text(command), soft_wrap=True)
    console.print("\nStop a node, even with kill -9: the others go on, and its terminal with them. Ctrl-C ends the cluster.\n")
