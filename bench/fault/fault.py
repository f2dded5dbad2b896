"""The faults. Each is done `count` times at random moments while lives go on, and leaves everything running."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.fault.shop import Outside
from bench.fault.site import Site, skew
from bench.fault.waiting import until

Inflict = Callable[[Site, Outside, int, float], Awaitable[None]]
"""Does it so many times, with a pause of so many seconds on average."""


SERVING: Final = 0.9


@dataclass(frozen=True)
class Fault:
    """A fault, what it is done to, and how often and how far apart if nobody says otherwise."""

    inflict: Inflict
    words: str
    single: bool
    count: int
    pause_s: float
    settings: dict[str, object] = field(default_factory=dict)


async def a_while(pause_s: float) -> None:
    """A random time, `pause_s` on average."""
    await asyncio.sleep(min(random.expovariate(1 / pause_s), 5 * pause_s))


async def nothing(_: Site, __: Outside, count: int, pause_s: float) -> None:
    """Nothing at all: what the others are compared with."""
    await asyncio.sleep(count * pause_s)


async def kill(site: Site, _: Outside, count: int, pause_s: float) -> None:
    """`kill -9` of a random node, whatever it is doing; it is started again at once.

    Mostly some node serves before the next kill: where none ever does, nothing can be lost. One in ten hits nodes that start.
    """
    for _number in range(count):
        if random.random() < SERVING:
            await until(lambda: any(node.ready for node in site.nodes))
        await a_while(pause_s)
        await until(lambda: any(node.running for node in site.nodes))
        site.kill_one()
    await site.all_ready()


async def stop(site: Site, _: Outside, count: int, pause_s: float) -> None:
    """SIGTERM of one node after the other, as in a rolling restart."""
    for number in range(count):
        await site.stop(site.nodes[number % len(site.nodes)])
        await site.all_ready()
        await a_while(pause_s)


async def _postgres(site: Site, count: int, pause_s: float, *, immediate: bool) -> None:
    assert site.cluster is not None
    for _number in range(count):
        await a_while(pause_s)
        await asyncio.to_thread(site.cluster.stop_postgres, immediate=immediate)
        await asyncio.sleep(random.uniform(0, 2))
        await asyncio.to_thread(site.cluster.start_postgres)


async def postgres(site: Site, _: Outside, count: int, pause_s: float) -> None:
    """PostgreSQL is restarted: it hangs up on everybody."""
    await _postgres(site, count, pause_s, immediate=False)


async def postgres_crash(site: Site, _: Outside, count: int, pause_s: float) -> None:
    """PostgreSQL stops at once, as in a crash, and recovers from its log."""
    await _postgres(site, count, pause_s, immediate=True)


async def nats(site: Site, _: Outside, count: int, pause_s: float) -> None:
    """NATS is gone for a few seconds."""
    assert site.cluster is not None
    for _number in range(count):
        await a_while(pause_s)
        await asyncio.to_thread(site.cluster.stop_nats)
        await asyncio.sleep(random.uniform(2, 5))
        await asyncio.to_thread(site.cluster.start_nats)


async def cut(_: Site, outside: Outside, count: int, pause_s: float) -> None:
    """A third of the terminals lose their connections without a word."""
    for _number in range(count):
        await a_while(pause_s)
        for counter in random.sample(outside.counters, len(outside.counters) // 3):
            counter.agent.cut()


async def network(site: Site, _: Outside, count: int, pause_s: float) -> None:
    """The terminals' network is gone for a few seconds, and nobody is told."""
    assert site.network is not None
    for _number in range(count):
        await a_while(pause_s)
        await asyncio.to_thread(site.network.cut)
        await asyncio.sleep(random.uniform(1, 6))
        await asyncio.to_thread(site.network.mend)


async def pause(site: Site, _: Outside, count: int, pause_s: float) -> None:
    """A node is stopped by SIGSTOP for up to 25 s, longer than its lease, and goes on as if nothing had been."""
    for _number in range(count):
        await a_while(pause_s)
        node = random.choice(site.nodes)
        node.signal(signal.SIGSTOP)
        await asyncio.sleep(random.uniform(1, 25))
        node.signal(signal.SIGCONT)


async def clock(site: Site, _: Outside, count: int, pause_s: float) -> None:
    """One node's clock is a minute ahead, then behind; the next one's after it."""
    for number in range(count):
        node = site.nodes[number // 2 % len(site.nodes)]
        for other in site.nodes:
            skew(other, 0)
        skew(node, 60 if number % 2 == 0 else -60)
        await site.stop(node)
        await site.all_ready()
        await asyncio.sleep(pause_s)


async def disk(site: Site, _: Outside, count: int, pause_s: float) -> None:
    """The disk of a SQLite node is full for a few seconds."""
    ballast = site.disk / "ballast"
    for _number in range(count):
        await a_while(pause_s)
        await asyncio.to_thread(_fill, ballast)
        await asyncio.sleep(random.uniform(1, 4))
        ballast.unlink()


def _fill(ballast: Path) -> None:
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        for size in (64 * 1024, 1024, 1):
            with contextlib.suppress(OSError):
                while file.write(b"\0" * size):
                    pass


FAULTS: Final[dict[str, Fault]] = {
    "nothing": Fault(nothing, "none", single=False, count=30, pause_s=1.0),
    "kill-single": Fault(kill, "`kill -9`, SQLite, one node", single=True, count=20, pause_s=1.0),
    "kill": Fault(kill, "`kill -9`, PostgreSQL, three nodes", single=False, count=20, pause_s=0.6),
    "stop": Fault(stop, "SIGTERM of one node after the other", single=False, count=12, pause_s=2.0),
    "postgres": Fault(postgres, "PostgreSQL restarted", single=False, count=10, pause_s=4.0),
    "postgres-crash": Fault(postgres_crash, "PostgreSQL stopped as in a crash", single=False, count=10, pause_s=4.0),
    "nats": Fault(nats, "NATS stopped for 2–5 s", single=False, count=10, pause_s=3.0),
    "cut": Fault(cut, "a third of the terminals cut off", single=False, count=40, pause_s=0.7),
    "network": Fault(
        network,
        "the terminals' network gone for 1–6 s",
        single=False,
        count=10,
        pause_s=3.0,
        settings={"host": "0.0.0.0"},  # noqa: S104 - a network of its own
    ),
    "pause": Fault(pause, "a node stopped with SIGSTOP for 1–25 s", single=False, count=6, pause_s=2.0),
    "clock": Fault(clock, "a node's clock wrong by a minute", single=False, count=6, pause_s=8.0),
    "disk": Fault(disk, "the disk full for 1–4 s, SQLite", single=True, count=10, pause_s=3.0, settings={"disk_mib": 48}),
}
