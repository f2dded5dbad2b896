"""Receivers of webhooks that are slow, silent, endless, or point elsewhere; and one that is dead while thousands wait for it."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any, Final

from countertop.testing.caller import Caller
from countertop.testing.catcher import Drip, Hold, catch, redirect
from countertop.testing.listener import stop_accepting
from tests.canary import watch
from tests.end_to_end.process import KEY, LOGIN, PASSWORD, REAL, ServerProcess, wait_until
from tests.siege.besieger import connected, request, statuses
from tests.siege.conftest import Memory, Neighbour

BOUND_MIB = 80
READ: Final = request("POST", f"/smartterminals/{REAL}/request-read", b"terminalId=1")
METADATA: Final = "http://169.254.169.254/latest/meta-data/"
SECONDS_A_THOUSAND: Final = 20.0
ANSWER_WITHIN_S: Final = 15

Talk = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[str]:
    """A receiver that says what `talk` writes, once it has been sent something; gives its URL."""

    talks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(65_536)
            await talk(writer)
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()

    def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if server.is_serving():
            talks[asyncio.create_task(converse(reader, writer))] = writer
        else:
            writer.transport.abort()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        await stop_accepting(server.sockets)
        server.close()
        for one in talks:
            one.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        for writer in talks.values():
            writer.transport.abort()  # a talk that had not begun has not ended its connection either
            with suppress(ConnectionError):
                await writer.wait_closed()


async def drip_a_head(writer: asyncio.StreamWriter) -> None:
    """A head without an end, byte by byte."""
    for byte in b"HTTP/1.1 200 OK\r\nx-slow: " + b"y" * 1_000_000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.02)


async def pour_a_head(writer: asyncio.StreamWriter) -> None:
    """Headers without an end, as fast as they are read."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(100_000):
        writer.write(b"x-%d: %b\r\n" % (number, b"y" * 1_000))
        await writer.drain()


async def pour_a_body(writer: asyncio.StreamWriter) -> None:
    """A body without an end, as fast as it is read."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000000000\r\n\r\n")
    for _ in range(10_000):
        writer.write(b"y" * 65_536)
        await writer.drain()


def subscribe(caller: Caller, *urls: str) -> list[str]:
    """Subscribes the URLs to what happens to requests; returns the subscriptions' ids."""
    replies = [caller.post("/webhooks", {"event": "SMARTTERMINAL_REQUEST", "url": url}) for url in urls]
    assert {reply.status for reply in replies} == {200}
    return [reply.json["webhookId"] for reply in replies]


async def post(server: ServerProcess, count: int) -> None:
    """Starts so many requests; each owes every subscription an event."""
    async with connected(server.url, 4) as connections:
        each = [READ] * (count // len(connections))
        for found in await asyncio.gather(*(statuses(connection, each) for connection in connections)):
            assert set(found) == {200}


def stored(server: ServerProcess, question: str, *values: str) -> list[Any]:
    """Rows of the server's database."""
    with closing(sqlite3.connect(server.data / "countertop.db")) as database:
        return database.execute(question, values).fetchall()


def owed(server: ServerProcess, hook: str) -> set[str]:
    """The events that a subscription is owed, those included that it has been sent."""
    return {row[0] for row in stored(server, "SELECT event_id FROM delivery WHERE webhook_id = ?", hook)}


@asynccontextmanager
async def subscribed(server: ServerProcess, *urls: str) -> AsyncIterator[list[str]]:
    """Subscriptions of receivers, for as long as the block runs."""
    with server.caller() as caller:
        hooks = await asyncio.to_thread(subscribe, caller, *urls)
        try:
            yield hooks
        finally:
            for hook in hooks:
                await asyncio.to_thread(caller.delete, f"/webhooks/{hook}")


async def test_receivers_that_misbehave(server: ServerProcess, neighbour: Neighbour, memory: Memory) -> None:
    async with AsyncExitStack() as receivers:
        enter = receivers.enter_async_context
        good, silent, dripping, elsewhere, inside, trap = [await enter(catch()) for _ in range(6)]
        silent.reply, dripping.reply = Hold(), Drip(every_s=0.02)
        elsewhere.reply, inside.reply = redirect(trap.url, 307), redirect(METADATA, 308)
        poured = [await enter(talking(talk)) for talk in (drip_a_head, pour_a_head, pour_a_body)]
        bad = [silent.url, dripping.url, elsewhere.url, inside.url, *poured]

        @asynccontextmanager
        async def siege() -> AsyncIterator[None]:
            async with subscribed(server, *bad):
                await post(server, 100)
                ids = owed(server, working)
                assert len(ids) >= 100
                await good.wait_for(lambda caught: {one.id for one in caught} >= ids)  # nobody who misbehaves delays it
                yield

        async with subscribed(server, good.url) as (working,):
            await neighbour.is_spared(siege)
        assert len(silent.caught) <= 32 * 4  # as many as may be sent to one at a time, for each time it was tried
        assert trap.caught == []
        redirected = stored(server, "SELECT DISTINCT status, failure FROM attempt WHERE status IN (307, 308)")
        assert sorted(redirected) == [(307, None), (308, None)]
        assert memory.growth() < BOUND_MIB


async def test_thousands_that_wait_for_a_dead_receiver(server: ServerProcess, neighbour: Neighbour, memory: Memory) -> None:
    began = time.monotonic()
    async with catch() as good, catch() as dead:
        dead.reply = Hold()
        async with subscribed(server, good.url, dead.url) as (_, hook):

            @asynccontextmanager
            async def siege() -> AsyncIterator[None]:
                await post(server, max(2_000 - len(owed(server, hook)), 100))
                yield

            await neighbour.is_spared(siege)
            ids = owed(server, hook)
            assert len(ids) >= 2_000
            await good.wait_for(lambda caught: {one.id for one in caught} >= ids, 2 * SECONDS_A_THOUSAND)
            waiting = "SELECT count(*) FROM delivery WHERE webhook_id = ? AND state = 'PENDING'"
            assert stored(server, waiting, hook)[0][0] >= len(ids) - len(dead.caught)
            assert len(dead.caught) <= 32 + 4 * ((time.monotonic() - began) // ANSWER_WITHIN_S)
            assert memory.growth() < BOUND_MIB
            dead.release()


PRODUCTION: Final = f"""
[[merchant]]
name = "Corner Books"
login = [{{ login = "{LOGIN}", password = "{PASSWORD}" }}]
application_key = [{{ key = "{KEY}" }}]
terminal = [{{ terminalId = 1, nickName = "Main", type = "CARD" }}]
smart_terminal = [{{ smartTerminalId = "{REAL}", nickName = "Counter 3" }}]
"""


async def test_a_name_that_has_come_to_mean_this_machine(tmp_path: Path) -> None:
    """The name was let through when it was saved, and means another address when it is sent to."""
    (tmp_path / "seed.toml").write_text(PRODUCTION)
    server = ServerProcess(tmp_path, {"server": "production", "log_level": "error"}, ["--seed", "seed.toml"])
    watch(tmp_path)
    server.start()
    try:
        reached = asyncio.Event()

        async def reach(_: asyncio.StreamWriter) -> None:
            reached.set()

        async with talking(reach) as inside:
            with server.caller() as caller:
                refused = caller.post("/webhooks", {"event": "SMARTTERMINAL_REQUEST", "url": "https://localhost/hook"})
                assert refused.status == 400
                (hook,) = subscribe(caller, "https://rebound.invalid/hook")
            rebound = inside.replace("http://127.0.0.1", "https://localhost")
            with closing(sqlite3.connect(server.data / "countertop.db")) as database, database:
                database.execute("UPDATE webhook SET url = ? WHERE id = ?", (rebound, hook))
            await post(server, 20)
            failures = "SELECT DISTINCT status, failure FROM attempt WHERE webhook_id = ?"
            await asyncio.to_thread(wait_until, lambda: stored(server, failures, hook))
            assert stored(server, failures, hook) == [(None, "the host's address is not public")]
            assert not reached.is_set()
        assert server.stop() == 0
    finally:
        server.kill()
