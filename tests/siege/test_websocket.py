"""WebSockets that nobody asked for, that say too much, or nothing."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, suppress
from itertools import cycle
from typing import Final

import pytest

from countertop.protocol.frames import MAX_FRAME
from countertop.protocol.session import CloseCode
from tests.end_to_end.process import COUNTER, REAL, ServerProcess, post_read, terminal, wait_until
from tests.siege.besieger import (
    CONTINUATION,
    PING,
    TEXT,
    Connection,
    connect,
    connected,
    frame,
    goodbye,
    handshake,
    knock,
    meanwhile,
    open_channel,
    rest_of,
)
from tests.siege.conftest import Memory, Neighbour, Siege

TERMINALS: Final = 300
TOKENS: Final = [f"a token that no server has made, {number:08d}" for number in range(TERMINALS)]
TAKEN: Final = 8
"""How many terminals have fallen into the besiegers' hands where they are to do their worst."""
HELLO = frame(b'{"frame":"hello","software":"siege","screen":"IDLE"}')
BOUND_MIB = 48
TOO_BIG = 1009
"""Close code of a message that is too long (RFC 6455, section 7.4.1)."""
PROTOCOL_ERROR = 1002


@pytest.fixture(scope="module", autouse=True)
def _paired(server: ServerProcess) -> None:
    """Pairs terminals without an operator."""
    paired = "INSERT INTO smart_terminal (id, merchant_id, nick_name, serial_number, virtual, token_hash, created) "
    paired += "SELECT ?, merchant_id, nick_name, ?, 0, ?, created FROM smart_terminal WHERE id = ?"
    with closing(sqlite3.connect(server.data / "countertop.db")) as database, database:
        for number, token in enumerate(TOKENS):
            name = f"99999999-4444-4444-4444-{number:012d}"
            database.execute(paired, (name, f"siege {number}", hashlib.sha256(token.encode()).digest(), REAL))


@pytest.fixture(autouse=True)
def _in_order(server: ServerProcess, memory: Memory) -> Iterator[None]:
    """After each siege memory is within its bound, all connections are gone, and a terminal works as ever."""
    before = memory.files()
    yield
    assert memory.growth() < BOUND_MIB
    wait_until(lambda: memory.files() <= before + 5, 20)
    with server.caller() as caller:
        caller.post(f"/smartterminals/{COUNTER}/main")
        terminal(caller).until("IDLE", "CANCELLED", "CARD_READ")
        request_id = post_read(caller)
        terminal(caller).until("SWIPE_CARD")
        caller.post(f"/smartterminals/{COUNTER}/main")
        assert caller.get(f"/smartterminals/requests/{request_id}?wait=5").json["status"] in ("COMPLETE", "IN_PROGRESS")


def besieging(work: Callable[[], Awaitable[object]], besiegers: int = 4) -> Siege:
    """A siege of several who do the same over and over."""

    async def over_and_over() -> None:
        while True:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await work()

    @asynccontextmanager
    async def siege() -> AsyncIterator[None]:
        async with meanwhile(*[over_and_over] * besiegers):
            yield

    return siege


async def test_wrong_tokens(server: ServerProcess, neighbour: Neighbour) -> None:
    answers: list[bytes] = []

    async def guess() -> None:
        async with connected(server.url, 10) as connections:
            for number, (_, writer) in enumerate(connections):
                writer.write(handshake(f"wrong{len(answers)}-{number}"))
            answers.extend(await asyncio.gather(*map(rest_of, connections)))

    await neighbour.is_spared(besieging(guess, 2))
    while len(answers) < 500:
        await guess()
    assert {answer[:13] for answer in answers} == {b"HTTP/1.1 401 "}


async def test_handshakes_that_cannot_be_read(server: ServerProcess) -> None:
    many = "".join(f"x-{number}: y\r\n" for number in range(200))
    long = f"x: {'y' * 20_000}\r\n"
    async with connected(server.url, 200) as connections:
        for number, (_, writer) in enumerate(connections):
            writer.write(handshake("wrong", (many, long)[number % 2]))
        said = await asyncio.gather(*map(rest_of, connections))
    assert {answer[:13] for answer in said} == {b"HTTP/1.1 431 "}


async def test_connections_that_never_say_hello(server: ServerProcess, neighbour: Neighbour) -> None:
    silent = await asyncio.gather(*(open_channel(server.url, token) for token in TOKENS))

    @asynccontextmanager
    async def siege() -> AsyncIterator[None]:
        yield

    await neighbour.is_spared(siege)
    assert set(await asyncio.gather(*map(goodbye, silent))) == {CloseCode.SILENT}


MUCH: Final = frame(b'{"frame":"screen","screen":"IDLE"}') * 20_000
FLOODS: Final = [
    frame(b"x" * 125, PING) * 20_000,
    frame(b"", TEXT, last=False) + frame(b"", CONTINUATION, last=False) * 200_000,
]
OVERSIZED: Final = [
    frame(b"x" * (MAX_FRAME + 1)),
    frame(b"x" * 60_000, TEXT, last=False) + frame(b"x" * 60_000, CONTINUATION, last=False) * 20,
]
NESTED: Final = [
    frame(b"[" * MAX_FRAME),
    frame(b'{"frame":' * 7_000),
    frame(b'{"frame":"hello","software":' + b"[" * 30_000 + b"]" * 30_000 + b"}"),
    frame(b'{"frame":"shown","request_id":' + b"9" * 60_000 + b"}"),
    frame(b'{"frame":"shown",' + b'"a":1,' * 10_000 + b'"b":2}'),
]
NOISE: Final = [b"\xff" * 100_000]
TOO_OFTEN: Final = 429
"""Not a close code: the terminal was not let in, because it had come too often."""


@pytest.mark.parametrize(
    ("kinds", "code"),
    [(FLOODS, CloseCode.FLOOD), (OVERSIZED, TOO_BIG), (NESTED, CloseCode.ILLEGAL), (NOISE, PROTOCOL_ERROR)],
    ids=["floods", "oversized", "nested", "noise"],
)
async def test_frames_that_no_terminal_sends(server: ServerProcess, neighbour: Neighbour, kinds: list[bytes], code: int) -> None:
    seen: set[int | None] = set()
    turns = cycle((token, frames) for frames in kinds for token in TOKENS[:TAKEN])

    async def say(token: str, frames: bytes) -> int | None:
        connection, status = await knock(server.url, token)
        if status == TOO_OFTEN:
            connection[1].close()
            return TOO_OFTEN
        connection[1].write(HELLO + frames)
        return await goodbye(connection)

    async def besiege() -> None:
        seen.add(await say(*next(turns)))

    await neighbour.is_spared(besieging(besiege, 2))
    assert TOO_OFTEN in seen
    assert seen <= {code, CloseCode.REPLACED, TOO_OFTEN, None}  # two besiegers share a token: the newer replaces the older
    assert {await say(TOKENS[-1], frames) for frames in kinds} <= {code, None}  # None: cut off while it was still sending


async def test_terminals_that_say_more_than_they_are_heard(server: ServerProcess, neighbour: Neighbour) -> None:
    @asynccontextmanager
    async def siege() -> AsyncIterator[None]:
        talkers = [await open_channel(server.url, token) for token in TOKENS[TAKEN : 2 * TAKEN]]
        for _, writer in talkers:
            writer.write(HELLO + MUCH)
        yield
        again = [await open_channel(server.url, token) for token in TOKENS[TAKEN : 2 * TAKEN]]
        for _, writer in again:
            writer.write(HELLO)
        # They were being listened to until then, and what they had yet to say keeps nobody waiting.
        assert set(await asyncio.gather(*map(goodbye, talkers))) == {CloseCode.REPLACED}
        for _, writer in again:
            writer.close()

    await neighbour.is_spared(siege)


async def test_who_never_reads_what_pings_are_answered_with(server: ServerProcess) -> None:
    connection: Connection = await open_channel(server.url, TOKENS[-2])
    connection[0]._transport.pause_reading()  # type: ignore[attr-defined]  # noqa: SLF001 - a client that does not read
    connection[1].write(HELLO + frame(b"x" * 125, PING) * 200_000)
    with suppress(ConnectionError, TimeoutError):
        await asyncio.wait_for(connection[1].drain(), 5)
    connection[1].transport.abort()
    (await connect(server.url))[1].close()
