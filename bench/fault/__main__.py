"""`python -m bench.fault`: does faults to a gateway while lives go on, and accounts for every life.

    python -m bench.fault                            every fault, a short while each
    python -m bench.fault kill --count 500           500 kills of nodes of a cluster

Prints a row for each fault; exit status 1 if anything was lost, out of order or unexplained.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

from bench.fault.fault import FAULTS, Fault
from bench.fault.ledger import Ledger, Reckoning
from bench.fault.network import possible
from bench.fault.nursery import Nursery, nursery
from bench.fault.shop import Outside
from bench.fault.site import Site, cluster_site, single_site
from countertop.testing.catcher import catch

HEAD = (
    "| Fault | Times | Lives | Payments | Unanswered | Lost | Duplicated | Out of order | Unexplained "
    "| Median life | Slowest life |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|"
)
SECRET = "known to both"  # noqa: S105 - of a receiver that lives as long as the run
SETTLE_S = 180.0


def main() -> int:
    """Runs the faults that were asked for, all if none was."""
    parser = argparse.ArgumentParser(prog="python -m bench.fault", description="Accounts for every life while things fail.")
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=f"one of {', '.join(FAULTS)}; all if none is named")
    parser.add_argument("--count", type=int, help="how many times each fault is done")
    parser.add_argument("--pause", type=float, help="mean seconds between two of them")
    parser.add_argument("--rate", type=float, default=10.0, help="lives that begin each second")
    parser.add_argument("--payments", type=float, default=0.3, help="what part of them are payments, between 0 and 1")
    parser.add_argument("--nodes", type=int, default=3, help="nodes of a cluster")
    parser.add_argument("--terminals", type=int, default=150, help="terminals, each good for one life at a time")
    parser.add_argument("--seed", type=int, help="of the random moments")
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()), help="where single nodes keep their files")
    given = parser.parse_args()
    if unknown := set(given.faults) - set(FAULTS):
        parser.error(f"no such fault: {', '.join(sorted(unknown))}")
    random.seed(given.seed)
    print(HEAD, flush=True)
    clean = True
    with nursery() as nodes:
        for name in given.faults or FAULTS:
            if name == "network" and not possible():
                print(f"  {name} is left out: it takes root and network namespaces", file=sys.stderr, flush=True)
                continue
            clean = run(FAULTS[name], nodes, given) and clean
    return 0 if clean else 1


def run(fault: Fault, nodes: Nursery, given: argparse.Namespace) -> bool:
    """One fault: prints its row, and below it what calls for a remark. Returns whether the account is clean."""
    count, pause_s = given.count or fault.count, given.pause or fault.pause_s
    with contextlib.ExitStack() as stack:
        if fault.single:
            site = stack.enter_context(single_site(nodes, given.data, given.terminals, fault.settings))
        else:
            site = stack.enter_context(cluster_site(nodes, given.nodes, given.terminals, fault.settings))
        began = time.monotonic()
        found = asyncio.run(suffer(site, fault, count, pause_s, rate=given.rate, paying=given.payments))
        print(line(fault, count, found), flush=True)
        for remark, times in sorted(found.remarks.items()):
            print(f"  {remark}: {times}", file=sys.stderr)
        print(f"  {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return found.clean


async def suffer(site: Site, fault: Fault, count: int, pause_s: float, *, rate: float, paying: float) -> Reckoning:
    """Lets lives go on while the fault is done so many times, then waits for all ends and reckons."""
    ledger, enough = Ledger(site.bank), asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(site.bank.open())
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        outside = Outside(site.shop, [node.url for node in site.nodes], ledger, session)
        catcher = await stack.enter_async_context(catch(SECRET, on_caught=ledger.caught))
        await outside.subscribe(catcher.url, SECRET)
        await stack.enter_async_context(outside.terminals(site.shop, site.network))
        keeping = asyncio.create_task(site.keep_running())
        arriving = asyncio.create_task(outside.arrive(rate, paying, enough))
        await fault.inflict(site, outside, count, pause_s)
        enough.set()
        await arriving
        await outside.settle(SETTLE_S)
        site.keeping = False
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        return ledger.reckon()


def line(fault: Fault, count: int, found: Reckoning) -> str:
    """A row of the table."""
    counts = [count, found.lives, found.payments, found.unanswered]
    counts += [found.lost, found.duplicated, found.out_of_order, found.unexplained]
    cells = " | ".join(f"{number:,}" for number in counts)
    return f"| {fault.words} | {cells} | {found.median:.2f} s | {found.slowest:.1f} s |"


if __name__ == "__main__":
    sys.exit(main())
