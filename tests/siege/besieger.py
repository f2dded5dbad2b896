"""What besiegers send: bytes over sockets, as cheaply as possible, for they share the machine with the server."""

from __future__ import annotations

import asyncio
import base64
import os
import queue
import re
import struct
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

from tests.end_to_end.process import KEY, LOGIN, PASSWORD

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

TEXT, PING, CONTINUATION = 1, 9, 0
_STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3}) ")


def basic(login: str = LOGIN, password: str = PASSWORD) -> str:
    """An `Authorization` header's value."""
    return f"Basic {base64.b64encode(f'{login}:{password}'.encode()).decode()}"


def request(
    method: str, path: str, body: bytes = b"", *, authorization: str | None = None, key: str = KEY, more: str = ""
) -> bytes:
    """A request, whole, with the right login unless told another. `more` are header lines that end in CRLF."""
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nX-PJ-Application-Key: {key}\r\n{more}"
    head += f"Authorization: {authorization or basic()}\r\n"
    if body:
        head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


async def connect(url: str) -> Connection:
    """A connection to a server."""
    place = urlsplit(url)
    return await asyncio.open_connection(place.hostname, place.port)


@asynccontextmanager
async def connected(url: str, count: int) -> AsyncIterator[list[Connection]]:
    """So many connections. Those that were made are closed also if a siege ends before the last one is."""
    made: list[Connection] = []

    async def join() -> None:
        made.append(await connect(url))

    try:
        await asyncio.gather(*(join() for _ in range(count)))
        yield made
    finally:
        for _, writer in made:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in made), return_exceptions=True)


async def statuses(connection: Connection, requests: Sequence[bytes]) -> list[int]:
    """Sends requests at once and returns the statuses of their answers; fewer if the server ends the connection."""
    reader, writer = connection
    writer.write(b"".join(requests))
    found: list[int] = []
    rest = b""
    while len(found) < len(requests) and (piece := await reader.read(65_536)):
        text = rest + piece
        matches = list(_STATUS.finditer(text))
        found += [int(match[1]) for match in matches]
        rest = text[max(matches[-1].end() if matches else 0, len(text) - 12) :]
    return found


async def rest_of(connection: Connection, within_s: float = 20.0) -> bytes:
    """All that a server says until it ends the connection. Raises TimeoutError if it does not."""
    async with asyncio.timeout(within_s):
        with suppress(ConnectionError):
            return await connection[0].read()
    return b""


async def goodbye(connection: Connection, within_s: float = 20.0) -> int | None:
    """The code with which a server ends a WebSocket; None if it ends without one. Raises TimeoutError if it does not."""
    said = b""
    try:
        async with asyncio.timeout(within_s):
            while not (codes := close_codes(said)):
                piece = await connection[0].read(65_536)
                if not piece:
                    return None
                said += piece
            return codes[0]
    except ConnectionError:
        return None
    finally:
        connection[1].close()


@asynccontextmanager
async def meanwhile(*work: Callable[[], Coroutine[None, None, None]]) -> AsyncIterator[None]:
    """Has besiegers work while a block does, in a loop of their own; then ends them.

    Elsewhere they have machines of their own. Here they get the time that the server and its other callers leave them, or the
    machine would make others wait instead of the server.
    """
    stop = asyncio.Event()
    loops: queue.Queue[asyncio.AbstractEventLoop] = queue.Queue()
    thread = threading.Thread(target=lambda: asyncio.run(_besiege(work, loops, stop)))
    thread.start()
    try:
        yield
    finally:
        loops.get().call_soon_threadsafe(stop.set)
        await asyncio.to_thread(thread.join)


async def _besiege(
    work: Sequence[Callable[[], Coroutine[None, None, None]]], loops: queue.Queue[asyncio.AbstractEventLoop], stop: asyncio.Event
) -> None:
    if sys.platform == "linux":
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))  # of this thread only
    tasks = [asyncio.create_task(one()) for one in work]
    loops.put(asyncio.get_running_loop())
    await stop.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


# WebSockets.


def handshake(token: str, more: str = "") -> bytes:
    """A terminal's wish to be connected."""
    return (
        "GET /terminal/channel HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: countertop.v1\r\n"
        f"Authorization: Bearer {token}\r\n{more}\r\n"
    ).encode()


def frame(payload: bytes, opcode: int = TEXT, *, last: bool = True) -> bytes:
    """A client's frame, under a mask that changes nothing."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 65_536:
        length = b"\xfe" + struct.pack("!H", size)
    else:
        length = b"\xff" + struct.pack("!Q", size)
    return bytes([(0x80 if last else 0) | opcode]) + length + bytes(4) + payload


async def knock(url: str, token: str) -> tuple[Connection, int]:
    """A terminal's connection, and how its handshake was answered. After a 101 it may say `hello`."""
    connection = await connect(url)
    try:
        connection[1].write(handshake(token))
        answer = await connection[0].readuntil(b"\r\n\r\n")
    except BaseException:
        connection[1].close()
        raise
    return connection, int(answer[9:12])


async def open_channel(url: str, token: str) -> Connection:
    """A terminal's connection whose handshake is over; `hello` has not been said."""
    connection, status = await knock(url, token)
    assert status == 101
    return connection


def close_codes(said: bytes) -> list[int]:
    """The codes of the close frames in what a server said."""
    codes, place = [], 0
    while place + 2 <= len(said):
        size, start = said[place + 1] & 0x7F, place + 2
        if size == 126:
            size, start = struct.unpack_from("!H", said, start)[0], start + 2
        if said[place] & 0x0F == 8 and size >= 2:
            codes.append(struct.unpack_from("!H", said, start)[0])
        place = start + size
    return codes
