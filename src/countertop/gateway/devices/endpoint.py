"""The door of the device channel: who may come in.

Plain ASGI: ten thousand idle terminals wait here, and a framework's request objects would be most of what each of them costs.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any, Final

from countertop.gateway.devices.channel import WHOLE_MESSAGE, Channel, Receive, Send
from countertop.gateway.devices.connections import Connections
from countertop.gateway.devices.parts import Parts
from countertop.gateway.operations.pairing import find_paired
from countertop.gateway.store.trouble import Unavailable
from countertop.protocol.frames import SUBPROTOCOL

PATH: Final = "/terminal/channel"
MOST_TOKEN: Final = 512
"""Longest token in bytes that is looked at."""


class ChannelEndpoint:
    """The WebSocket endpoint at `PATH`. A terminal proves itself with the bearer token from its pairing."""

    def __init__(self, parts: Parts, connections: Connections) -> None:
        self._parts = parts
        self._connections = connections

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Serves one connection."""
        if scope["type"] == "http":
            await _answer_http(send)
            return
        await receive()  # the client's wish to connect
        if SUBPROTOCOL not in scope["subprotocols"]:
            await _deny(send, 400, f"speak the subprotocol {SUBPROTOCOL}")
            return
        if not self._connections.open:
            await _put_off(send)
            return
        try:
            terminal_id = await self._find_terminal(scope)
        except Unavailable:
            await _put_off(send)
            return
        if terminal_id is None:
            await _deny(send, 401, "the token is missing or unknown", (b"www-authenticate", b"Bearer"))
            return
        if wait := self._connections.admit(terminal_id):
            await _deny(send, 429, "the terminal connects too often", (b"retry-after", b"%d" % math.ceil(wait)))
            return
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        send_whole = scope.get("extensions", {}).get(WHOLE_MESSAGE)
        channel = Channel(terminal_id, self._parts, receive, send, self._connections.note, send_whole)
        await self._connections.serve(channel)

    async def _find_terminal(self, scope: Mapping[str, Any]) -> str | None:
        """The terminal that the token was given to. Only the token's SHA-256 is known here: it is as random as the token."""
        credentials = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        scheme, _, token = credentials.partition(b" ")
        token = token.strip()
        if scheme.lower() != b"bearer" or not 0 < len(token) <= MOST_TOKEN:
            return None
        return await self._parts.store.peek(find_paired, hashlib.sha256(token).digest())


async def _deny(send: Send, status: int, reason: str, *headers: tuple[bytes, bytes]) -> None:
    await send(
        {"type": "websocket.http.response.start", "status": status, "headers": [(b"content-type", b"text/plain"), *headers]}
    )
    await send({"type": "websocket.http.response.body", "body": reason.encode()})


async def _put_off(send: Send) -> None:
    await _deny(send, 503, "try again later", (b"retry-after", b"1"))


async def _answer_http(send: Send) -> None:
    headers = [(b"content-type", b"text/plain"), (b"upgrade", b"websocket"), (b"connection", b"upgrade")]
    await send({"type": "http.response.start", "status": 426, "headers": headers})
    await send({"type": "http.response.body", "body": b"this is a WebSocket"})
