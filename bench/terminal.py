"""Terminals without a screen or a customer: they speak the device channel, and as little else as can be.

Frames to the gateway are masked with zeros, which is legal and costs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Self, cast

from bench.load import connect
from countertop.domain.request import Outcome
from countertop.domain.result import CardRead
from countertop.protocol.frames import Finished, Hello, Shown, encode
from countertop.protocol.screens import Screen

_ANY: Final = "00000000-0000-0000-0000-000000000000"
HELLO: Final = encode(Hello(software="bench", screen=Screen.IDLE))
SHOWN: Final = encode(Shown(request_id=_ANY)).replace(_ANY, "%s")
CARD: Final = CardRead(";7090112233654321?", None, "7090112233654321")
FINISHED: Final = encode(Finished(request_id=_ANY, outcome=Outcome.CARD_READ, result=CARD)).replace(_ANY, "%s")
REQUEST_ID: Final = b'"request_id":"'
OPEN: Final = (
    "GET /terminal/channel HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    "sec-websocket-version: 13\r\nsec-websocket-key: Y291bnRlcnRvcC1iZW5jaA==\r\nsec-websocket-protocol: countertop.v1\r\n"
    "authorization: Bearer %s\r\n\r\n"
)


def text_frame(text: str) -> bytes:
    """A client's text frame."""
    payload = text.encode()
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else bytes([0xFE]) + len(payload).to_bytes(2, "big")
    return b"\x81" + size + b"\0\0\0\0" + payload


def plug(port: int, token: str, *, welcomed: bool = True) -> socket.socket:
    """A connected terminal. `welcomed`: the server is a gateway and says `welcome` after the `hello`."""
    connection = connect(port)
    connection.settimeout(30)
    connection.sendall((OPEN % token).encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(4096)
    if not answer.startswith(b"HTTP/1.1 101"):
        raise ConnectionError(f"no channel: {answer[:12]!r}")
    connection.sendall(text_frame(HELLO))
    if not (connection.recv(4096) or not welcomed):
        raise ConnectionError("no welcome")
    return connection


@contextlib.contextmanager
def plug_all(port: int, tokens: Iterable[str]) -> Iterator[list[socket.socket]]:
    """Many connected terminals."""
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(16) as pool:
        plugged = pool.map(lambda token: plug(port, token), tokens)
        yield [stack.enter_context(terminal) for terminal in plugged]


def drain(terminals: Iterable[socket.socket]) -> list[socket.socket]:
    """Takes what waits in the terminals' sockets. Returns those that had got nothing."""
    silent = []
    for terminal in terminals:
        terminal.setblocking(False)
        try:
            terminal.recv(65536)
        except BlockingIOError:
            silent.append(terminal)
        finally:
            terminal.setblocking(True)
    return silent


def hear_all(terminals: Iterable[socket.socket], within: float = 5.0) -> int:
    """Waits until every terminal has got something. Returns how many have not in that time."""
    end = time.monotonic() + within
    silent = drain(terminals)
    while silent and time.monotonic() < end:
        time.sleep(0.01)
        silent = drain(silent)
    return len(silent)


class Till(asyncio.Protocol):
    """A connected terminal on the event loop, where a customer swipes `pause` seconds (on average) after each request is shown.

    Were it always the same time, the swipes would keep step with the posts, which come at even distances, and each meet one.

    `on_show` and `on_swipe` are told the request's id at these moments.
    """

    def __init__(self, pause: float, on_show: Callable[[str], None], on_swipe: Callable[[str], None]) -> None:
        self._pause = pause
        self._on_show = on_show
        self._on_swipe = on_swipe
        self._waiting = b""
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def plug(
        cls, connection: socket.socket, pause: float, on_show: Callable[[str], None], on_swipe: Callable[[str], None]
    ) -> Self:
        """Takes over a connected terminal."""
        connection.setblocking(False)
        _, till = await asyncio.get_running_loop().create_connection(lambda: cls(pause, on_show, on_swipe), sock=connection)
        return till

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Taken over."""
        self._transport = cast("asyncio.Transport", transport)

    def close(self) -> None:
        """Unplugs the terminal."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Frames of the gateway, never masked."""
        data = self._waiting + data
        while len(data) >= 4:
            size, start = (data[1], 2) if data[1] < 126 else (int.from_bytes(data[2:4], "big"), 4)
            if len(data) < start + size:
                break
            self._hear(data[0], data[start : start + size])
            data = data[start + size :]
        self._waiting = data

    def _hear(self, kind: int, payload: bytes) -> None:
        if kind == 0x81 and payload.startswith(b'{"frame":"show"'):
            at = payload.index(REQUEST_ID) + len(REQUEST_ID)
            request_id = payload[at : at + 36].decode()
            self._on_show(request_id)
            self._say(SHOWN % request_id)
            if self._pause:
                self._loop.call_later(self._pause * (0.5 + random.random()), self._swipe, request_id)
            else:
                self._swipe(request_id)
        elif kind == 0x89 and self._transport is not None:  # a ping
            self._transport.write(bytes([0x8A, 0x80 | len(payload)]) + b"\0\0\0\0" + payload)

    def _swipe(self, request_id: str) -> None:
        self._on_swipe(request_id)
        self._say(FINISHED % request_id)

    def _say(self, text: str) -> None:
        if self._transport is not None:
            self._transport.write(text_frame(text))
