"""Connections to receivers: opened under the guard's eyes, kept for a while, used again."""

from __future__ import annotations

import asyncio
import ssl
from functools import lru_cache
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from countertop.domain.value import value
from countertop.gateway.delivery.connection import Connection
from countertop.gateway.delivery.guard import Guard

KEEP_ALIVE_S: Final = 15.0
"""How long a connection is kept that nobody uses."""
KNOW_NAMES_S: Final = 10.0
"""How long the addresses of a name are remembered. Each is judged anew whenever it is connected to."""
_MOST_NAMES: Final = 4096


class NoAddress(OSError):
    """The host's name has no address."""


class NoConnection(TimeoutError):
    """There was no connection in time."""


@value
class Target:
    """Where a URL leads. `head` is what each request to it begins with."""

    host: str
    port: int
    secure: bool
    head: str


@lru_cache(maxsize=4096)
def target_of(url: str) -> Target:
    """The target of a URL that `domain.webhook.url_fault` has found right. Path and query stay as they were given."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    usual = 443 if secure else 80
    host = parts.hostname or ""
    port = parts.port or usual
    name = f"[{host}]" if ":" in host else host
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    head = f"POST {path} HTTP/1.1\r\nHost: {name if port == usual else f'{name}:{port}'}\r\n"
    return Target(host, port, secure, head)


class Pool:
    """The open connections of one sender. How many there may be is for its user to bound."""

    def __init__(self, guard: Guard, tls: ssl.SSLContext, connect_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._guard = guard
        self._tls = tls
        self._connect_s = connect_s
        self._idle: dict[tuple[str, int, bool], list[Connection]] = {}
        self._sweep: asyncio.TimerHandle | None = None
        self._names: dict[str, tuple[float, asyncio.Task[list[str]]]] = {}

    def take(self, target: Target) -> Connection | None:
        """The connection to a target that was used last; None if none is open and free."""
        kept = self._idle.get((target.host, target.port, target.secure))
        while kept:
            connection = kept.pop()
            if connection.usable:
                return connection
        return None

    def keep(self, target: Target, connection: Connection) -> None:
        """Takes a connection back, if it is of use."""
        if not connection.usable:
            return
        connection.idle_since = self._loop.time()
        self._idle.setdefault((target.host, target.port, target.secure), []).append(connection)
        if self._sweep is None:
            self._sweep = self._loop.call_later(KEEP_ALIVE_S, self._close_idle)

    async def open(self, target: Target) -> Connection:
        """A new connection. Raises NoConnection, NoAddress, AddressRefused, ssl.SSLError or another OSError."""
        try:
            async with asyncio.timeout(self._connect_s):
                addresses = await self._addresses(target.host)
                return await self._connect(addresses, target)
        except TimeoutError:
            raise NoConnection from None

    async def _connect(self, addresses: list[str], target: Target) -> Connection:
        socket = await self._guard.connect(addresses, target.port)
        tls, name = (self._tls, target.host) if target.secure else (None, None)
        try:
            _, connection = await self._loop.create_connection(Connection, sock=socket, ssl=tls, server_hostname=name)
        except BaseException:
            socket.close()
            raise
        return connection

    def close(self) -> None:
        """Ends all connections that are kept."""
        if self._sweep is not None:
            self._sweep.cancel()
        for kept in self._idle.values():
            for connection in kept:
                connection.close()
        self._idle.clear()
        for _, look_up in self._names.values():
            look_up.cancel()

    def _close_idle(self) -> None:
        earliest = self._loop.time() - KEEP_ALIVE_S
        for key, kept in list(self._idle.items()):
            for connection in kept:
                if connection.idle_since <= earliest:
                    connection.close()
            self._idle[key] = [connection for connection in kept if connection.idle_since > earliest]
            if not self._idle[key]:
                del self._idle[key]
        self._sweep = self._loop.call_later(KEEP_ALIVE_S / 4, self._close_idle) if self._idle else None

    async def _addresses(self, host: str) -> list[str]:
        """The addresses of a host. Whoever asks for a name while it is being looked up waits for that."""
        try:
            ip_address(host)
        except ValueError:
            pass
        else:
            return [host]
        now = self._loop.time()
        until, look_up = self._names.get(host, (0.0, None))
        if look_up is None or now >= until or _failed(look_up):
            if len(self._names) >= _MOST_NAMES:
                self._names.clear()
            look_up = self._loop.create_task(self._guard.look_up(host))
            look_up.add_done_callback(_hear)
            self._names[host] = (now + KNOW_NAMES_S, look_up)
        try:
            addresses = await asyncio.shield(look_up)
        except TimeoutError:
            raise
        except OSError:
            raise NoAddress from None
        if not addresses:
            raise NoAddress
        return addresses


def _failed(look_up: asyncio.Task[list[str]]) -> bool:
    return look_up.done() and (look_up.cancelled() or look_up.exception() is not None)


def _hear(look_up: asyncio.Task[list[str]]) -> None:
    if not look_up.cancelled():
        look_up.exception()  # whoever waited has it; if nobody waits any more, nobody need know
