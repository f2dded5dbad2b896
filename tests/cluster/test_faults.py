"""A short run of the fault harness: nothing acknowledged is lost, out of order or unexplained, whatever is taken away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.fault.__main__ import suffer
from bench.fault.fault import FAULTS, Fault
from bench.fault.network import possible
from bench.fault.nursery import Nursery, nursery
from bench.fault.shop import Outside
from bench.fault.site import Site, cluster_site, single_site
from countertop.testing.nats import NatsMissing
from countertop.testing.postgres import PostgresMissing

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nursery]:
    with nursery() as running:
        yield running


def all_of(*names: str) -> Fault:
    """Several faults, one after the other, in one run."""

    async def inflict(site: Site, outside: Outside, count: int, pause_s: float) -> None:
        for name in names:
            await FAULTS[name].inflict(site, outside, count, pause_s)

    return Fault(inflict, " and ".join(names), single=False, count=1, pause_s=0.5)


def test_one_node_over_sqlite_loses_nothing(nodes: Nursery, tmp_path: Path) -> None:
    with single_site(nodes, tmp_path, 30, {}) as site:
        found = asyncio.run(suffer(site, all_of("kill-single", "cut", "stop"), 2, 0.5, rate=10, paying=0.5))
    assert found.clean, found
    assert found.lives > 10
    assert found.payments > found.unanswered


@pytest.mark.postgres
def test_a_cluster_loses_nothing(nodes: Nursery) -> None:
    far = possible()
    faults = all_of("kill", "postgres", "nats", "clock", "postgres-crash", *(["network"] if far else []))
    try:
        with cluster_site(nodes, 2, 30, {"host": "0.0.0.0"} if far else {}) as site:  # noqa: S104 - on a machine's own network
            site.bank.think_s = 0  # or a killed node's lease has to be waited for
            found = asyncio.run(suffer(site, faults, 1, 0.5, rate=8, paying=0.5))
    except (PostgresMissing, NatsMissing) as missing:
        pytest.skip(f"no cluster: {missing}")
    assert found.clean, found
    assert found.lives > 10
