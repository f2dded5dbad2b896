"""A WebSocket connection: uvicorn's, with bounds on what a client may send that never becomes a message.

Whoever serves a WebSocket counts its messages. Pings, empty fragments and handshakes that cannot be read never get that far, so
they are counted here.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, Final

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request
from websockets.protocol import State

from countertop.gateway.connection import Config
from countertop.gateway.devices.channel import WHOLE_MESSAGE
from countertop.protocol.session import CloseCode

READ_AHEAD: Final = 4
"""Messages that may wait before no more is read: a terminal says one at a time, and to stop and go on costs as much as one."""
MOST_BESIDE: Final = 128
"""Frames without a message of their own (pings, pongs, fragments) that may come within `WINDOW`."""
WINDOW: Final = 10.0
"""Seconds."""
AT_ONCE: Final = 1024
"""Bytes that are taken up at once: thousands of tiny frames fit into what one read brings."""
GOODBYE: Final = 3.0
"""Seconds within which a client must answer the end of the conversation with its own."""


class WebSocket(WebSocketsSansIOProtocol):
    """One WebSocket connection."""

    config: Config

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.close_timeout = GOODBYE
        self._turns = self.config.turns
        self._unread = b""
        self._place = 0
        self._ended = False
        self._beside = 0
        self._since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Bytes came. The first are the handshake, whole; if it cannot be read, the refusal goes out and the connection ends."""
        if not self.handshake_initiated:
            self._shake_hands(data)
        elif len(data) > AT_ONCE or self._unread:
            self._put_off(data)
        else:
            super().data_received(data)

    def _shake_hands(self, data: bytes) -> None:
        super().data_received(data)
        if not self.handshake_initiated and not self.transport.is_closing():
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        super().connection_lost(exc)
        self._unread = b""

    async def receive(self) -> ASGIReceiveEvent:
        """The next message. Who has sent many waits for the others after each."""
        if not self.queue.empty():
            await asyncio.sleep(0)
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            self._read_on()
        return message

    def _put_off(self, data: bytes) -> None:
        """Has bytes taken up piece by piece, before more are read."""
        if self._unread:
            self._unread += data
            return
        self._unread = data
        self.transport.pause_reading()
        self._read_on()

    def _read_on(self) -> None:
        if self._unread:
            self._turns.put(self._take_piece)
        else:
            self.transport.resume_reading()

    def _take_piece(self) -> None:
        start = self._place
        self._place += AT_ONCE
        piece = self._unread[start : self._place]
        if self._place >= len(self._unread):
            self._unread, self._place = b"", 0
        if self._ended or self.transport.is_closing():
            return
        super().data_received(piece)
        if not self.read_paused:
            self._read_on()

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

    def handle_connect(self, event: Request) -> None:
        """The handshake is here: a connection begins to be served."""
        super().handle_connect(event)
        if self.response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            self.scope["extensions"] = {**(self.scope["extensions"] or {}), WHOLE_MESSAGE: self.send_whole}  # type: ignore[dict-item]  # ASGI lets it be anything

    def send_receive_event_to_app(self) -> None:
        """A message is here whole."""
        if self.queue.qsize() >= READ_AHEAD or self.read_paused:
            super().send_receive_event_to_app()
        else:
            self.read_paused = True  # so that it is not paused now
            super().send_receive_event_to_app()
            self.read_paused = False

    def send_whole(self, text: str) -> bool:
        """The ASGI extension `WHOLE_MESSAGE`: sends a message at once. False, and nothing is sent, if that is not possible."""
        if self.close_sent or not self.handshake_complete or not self.writable.is_set():
            return False
        if self.conn.state is not State.OPEN or self.transport.is_closing():
            return False
        self.transport.write(_text_frame(text.encode()))
        return True

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
        self.frames, self._unread = [], b""
        self.queue.put_nowait({"type": "websocket.disconnect", "code": CloseCode.FLOOD, "reason": ""})
        if self.handshake_complete:
            self.conn.fail(CloseCode.FLOOD, "pings and fragments came too fast")
            self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()


def _text_frame(payload: bytes) -> bytes:
    """A whole, unmasked text frame (RFC 6455, section 5.2)."""
    size = len(payload)
    if size < 126:
        return b"\x81%c%b" % (size, payload)
    return (b"\x81\x7e" + size.to_bytes(2) if size < 65536 else b"\x81\x7f" + size.to_bytes(8)) + payload


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
