"""Where webhooks go: answers 204 to each and hands its body on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final, cast

import httptools

TAKEN: Final = b"HTTP/1.1 204 No Content\r\n\r\n"
EVENT_BODY: Final = b"""{
  "id" : "01939f1c-5c5e-7d42-9d5f-3c1a2b4d5e6f",
  "created" : "2026-11-22T20:30:01.756Z",
  "type" : "SMARTTERMINAL_REQUEST",
  "data" : {
    "requestId" : "01939f1c-5c5e-7d42-9d5f-3c1a2b4d5e70",
    "smartTerminalId" : "88888888-4444-4444-4444-cccccccccccc",
    "status" : "IN_PROGRESS"
  }
}"""
"""A body like those that the product sends, for the client that it is measured against."""


class Sink(asyncio.Protocol):
    """One connection of a sender."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self._body = bytearray()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A sender connected."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """A piece of a delivery's body."""
        self._body += body

    def on_message_complete(self) -> None:
        """A delivery is here whole."""
        assert self._transport is not None
        self._transport.write(TAKEN)
        body = bytes(self._body)
        self._body.clear()
        self._take(body)


@contextlib.asynccontextmanager
async def listening(take: Callable[[bytes], None], port: int = 0) -> AsyncIterator[int]:
    """A sink in this event loop; gives its port. `take` is called with each body, after the answer went out."""
    server = await asyncio.get_running_loop().create_server(lambda: Sink(take), "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
