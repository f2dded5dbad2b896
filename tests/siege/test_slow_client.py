"""Clients that connect and say nothing, or say what they say byte by byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle

from countertop.gateway.server import HEAD_WITHIN
from tests.end_to_end.process import REAL, ServerProcess, wait_until
from tests.siege.besieger import connected, meanwhile, request, rest_of
from tests.siege.conftest import Memory, Neighbour

SLOW = 300
IDLE = 600
BOUND_MIB = 48
READ = f"/smartterminals/{REAL}/request-read"


async def drip(url: str, begin: bytes, letters: bytes) -> None:
    """Makes connections, begins on each, and then sends each of them the next byte in turn."""
    async with connected(url, SLOW) as connections:
        for _, writer in connections:
            writer.write(begin)
        for letter in cycle(letters):
            for _, writer in connections:
                if not writer.is_closing():
                    writer.write(bytes([letter]))
            await asyncio.sleep(0.02)


async def test_heads_byte_by_byte_and_idle_connections(server: ServerProcess, neighbour: Neighbour, memory: Memory) -> None:
    before = memory.files()
    head = b"GET /terminals HTTP/1.1\r\n" + b"x-slow: " + b"y" * 100_000

    @asynccontextmanager
    async def siege() -> AsyncIterator[None]:
        async with meanwhile(lambda: drip(server.url, b"", head)):
            yield

    async with connected(server.url, IDLE) as idle:
        await neighbour.is_spared(siege)
        said = await asyncio.gather(*(rest_of(connection, 2 * HEAD_WITHIN) for connection in idle))
    assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in said)
    assert memory.growth() < BOUND_MIB
    wait_until(lambda: memory.files() <= before + 5)


async def test_bodies_byte_by_byte(server: ServerProcess, neighbour: Neighbour, memory: Memory) -> None:
    before = memory.files()
    begun = request("POST", READ, b"terminalId=1&text=" + b"x" * 100_000)
    head, _, body = begun.partition(b"\r\n\r\n")

    @asynccontextmanager
    async def siege() -> AsyncIterator[None]:
        async with meanwhile(lambda: drip(server.url, head + b"\r\n\r\n" + body[:50_000], body)):
            yield

    await neighbour.is_spared(siege)
    assert memory.growth() < BOUND_MIB
    wait_until(lambda: memory.files() <= before + 5)
    with server.caller() as caller:
        online = caller.get("/smartterminals").json["results"]
        assert REAL in str(online)
