"""A WebSocket connection: uvicorn's, with bounds on what a client may send that never becomes a message.

Whoever serves a WebSocket counts its messages. Pings, empty fragments and handshakes that cannot be read never get that far, so
they are counted here.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from countertop.protocol.session import CloseCode

MOST_QUEUED: Final = 512
"""Messages that may wait to be served. A client that is not read any more has sent at most one read's worth of them."""
MOST_BESIDE: Final = 128
"""Frames without a message of their own (pings, pongs, fragments) that may come within `WINDOW`."""
WINDOW: Final = 10.0
"""Seconds."""
AT_ONCE: Final = 4096
"""Bytes that are read before it is looked whether the connection has been ended."""
GOODBYE: Final = 3.0
"""Seconds within which a client must answer the end of the conversation with its own."""


class WebSocket(WebSocketsSansIOProtocol):
    """One WebSocket connection."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.close_timeout = GOODBYE
        self._ended = False
        self._beside = 0
        self._since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Bytes came. The first are the handshake, whole; if it cannot be read, the refusal goes out and the connection ends."""
        if len(data) <= AT_ONCE:
            super().data_received(data)
        else:
            self._receive_much(data)
        if not self.handshake_initiated and not self.transport.is_closing():
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def _receive_much(self, data: bytes) -> None:
        """Thousands of tiny frames fit into one read; reading them all would hold up everybody else."""
        for start in range(0, len(data), AT_ONCE):
            if self._ended:
                return
            super().data_received(data[start : start + AT_ONCE])

    async def send(self, message: ASGISendEvent) -> None:
        """Sends what the application says. Raises ClientDisconnected, an OSError, if the connection is being ended already."""
        if self.close_sent:
            raise ClientDisconnected
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True  # by an answer in its place, which uvicorn would log as an error

    def handle_cont(self, event: Frame) -> None:
        """A fragment of a message came."""
        self._count()
        super().handle_cont(event)

    def handle_ping(self) -> None:
        """A ping came."""
        self._count()
        super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        """A pong came, asked for or not."""
        self._count()
        super().handle_pong(event)

    def send_receive_event_to_app(self) -> None:
        """A message is here whole."""
        if self.queue.qsize() >= MOST_QUEUED:
            self._end()
        super().send_receive_event_to_app()

    def keepalive_timeout(self) -> None:
        """The client has answered no ping: it will not read a goodbye either."""
        super().keepalive_timeout()
        self.transport.abort()

    def _count(self) -> None:
        now = self.loop.time()
        if now - self._since > WINDOW:
            self._beside, self._since = 0, now
        self._beside += 1
        if self._beside > MOST_BESIDE:
            self._end()

    def _end(self) -> None:
        """Ends the connection, once. What came with the same bytes is dropped."""
        if self.close_sent:
            return
        self.close_sent = self._ended = True
        self.frames = []
        self.queue.put_nowait({"type": "websocket.disconnect", "code": CloseCode.FLOOD, "reason": ""})
        if self.handshake_complete:
            self.conn.fail(CloseCode.FLOOD, "frames came too fast")
            self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()


class Unread:
    """Finds connections whose client does not read: bytes for it have waited for so long that it never will."""

    def __init__(self, within: float) -> None:
        """`within` is seconds."""
        self._within = within
        self._since: dict[asyncio.Transport, float] = {}

    def look(self, transports: list[asyncio.Transport], now: float) -> None:
        """Ends those that had bytes waiting at every look since `within` seconds before `now`, a moment of the loop's time."""
        since = {transport: self._since.get(transport, now) for transport in transports if transport.get_write_buffer_size()}
        self._since = since
        for transport, began in since.items():
            if began < now - self._within:
                transport.abort()
