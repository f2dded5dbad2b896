"""What faults are done to: some nodes, and what they stand on."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from bench.fault.bank import Bank, bank
from bench.fault.network import Network, network
from bench.fault.nursery import OFFSET, Nursery
from bench.fault.waiting import until
from countertop.testing.cluster import Cluster, NodeProcess, Shop, plant_shop, run_cluster

PATIENT: Final[dict[str, object]] = {
    "connect_deadline": 300,
    "request_deadline": 300,
    "poll_interval": 0,
    "rate_limit": "100000/100000",
    "log_level": "warning",
}
"""Deadlines beyond any fault: whatever does not end with its card was spoiled, not merely late."""


class Site:
    """Nodes, their shop, their bank, and their cluster if they are one.

    `disk` is where a single node's data is, `network` the terminals' own if they have one.
    """

    def __init__(  # noqa: PLR0917 - a site's parts
        self,
        shop: Shop,
        bank: Bank,
        nodes: list[NodeProcess],
        cluster: Cluster | None,
        disk: Path,
        network: Network | None = None,
    ) -> None:
        self.shop = shop
        self.bank = bank
        self.nodes = nodes
        self.cluster = cluster
        self.disk = disk
        self.network = network
        self.failed_starts = 0
        self.keeping = True

    async def keep_running(self) -> None:
        """Starts whatever node is down, again and again, until `keeping` ends."""
        while True:
            for node in self.nodes:
                if self.keeping and not node.running:
                    node.launch()
            await asyncio.sleep(0.02)

    async def all_ready(self, within_s: float = 60.0) -> None:
        """Returns when every node serves. Raises TimeoutError."""
        await until(lambda: all(node.ready for node in self.nodes), within_s)

    async def stop(self, node: NodeProcess) -> None:
        """SIGTERM, and waits for the end; `keep_running` starts it again."""
        pid = node.pid
        node.signal(signal.SIGTERM)
        await until(lambda: not node.running or node.pid != pid)

    def kill_one(self) -> None:
        """`kill -9` of a node that runs, starting or serving."""
        running = [node for node in self.nodes if node.running]
        if running:
            random.choice(running).kill()


def skew(node: NodeProcess, offset_s: float) -> None:
    """From its next start on, a node's clock is wrong by so much."""
    node.environment[OFFSET] = str(offset_s)


@contextlib.contextmanager
def cluster_site(nursery: Nursery, nodes: int, terminals: int, settings: Mapping[str, object]) -> Iterator[Site]:
    """Nodes over PostgreSQL and NATS; those that listen on all addresses have their terminals on a network of their own."""
    with contextlib.ExitStack() as stack:
        far = stack.enter_context(network()) if "host" in settings else None
        payee = stack.enter_context(bank())
        given = {**PATIENT, **payee.settings, **settings}
        cluster = stack.enter_context(run_cluster(given, nodes=nodes, terminals=terminals, spawn=nursery.spawn))
        yield Site(cluster.shop, payee, cluster.nodes, cluster, cluster.folder, far)


@contextlib.contextmanager
def single_site(nursery: Nursery, folder: Path, terminals: int, settings: Mapping[str, object]) -> Iterator[Site]:
    """One node over SQLite."""
    shop = Shop.new(terminals)
    with (
        bank() as payee,
        tempfile.TemporaryDirectory(prefix="fault-", dir=folder) as name,
        _small_disk(Path(name), settings) as disk,
    ):
        given = {key: value for key, value in {**PATIENT, **payee.settings, **settings}.items() if key != "disk_mib"}
        node = NodeProcess(disk / "node", given, spawn=nursery.spawn)
        plant_shop(shop, {"data": disk / "node" / "data", **given})
        node.start()
        try:
            yield Site(shop, payee, [node], None, disk)
        finally:
            node.kill()


@contextlib.contextmanager
def _small_disk(folder: Path, settings: Mapping[str, object]) -> Iterator[Path]:
    """The folder; with `disk_mib` a file system of that size in it, for which one has to be root."""
    size = settings.get("disk_mib")
    if size is None:
        yield folder
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", str(folder)], check=True)  # noqa: S607 - a system's own
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)  # noqa: S607
