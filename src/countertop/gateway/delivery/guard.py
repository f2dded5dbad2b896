"""Keeps deliveries out of anybody's own network (server-side request forgery).

A merchant chooses where deliveries go, so a URL may be aimed at what only this machine can reach: a cloud's metadata, a database,
a router. Looking at names does not help, because what a name means can change between looking and connecting. So the address is
judged, at the one place that every connection passes with its final address: where its socket is opened.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from aiohappyeyeballs import AddrInfoType, start_connection

from countertop.domain.webhook import is_public_address, url_fault

LOOK_UPS: Final = 64
"""Names looked up at the same time. A name whose servers are silent keeps a thread busy for as long as the system tries."""
CHECKS: Final = 16
"""The same for names in URLs that somebody wants to save: looking up many that nobody answers for holds up no delivery."""
LOOK_UP_S: Final = 5.0
NEXT_ADDRESS_S: Final = 0.25
"""How long an address may hesitate before the next is tried beside it."""

NameResolver = Callable[[str], Awaitable[list[str]]]
"""The addresses of a name. Raises OSError if it has none."""


class AddressRefused(OSError):
    """The address is not on the public internet."""

    def __init__(self) -> None:
        super().__init__("the host's address is not public")


class Guard:
    """Decides which addresses may be connected to. `loopback` (a test server) lets the loopback interface through."""

    def __init__(self, *, loopback: bool, resolve: NameResolver | None = None) -> None:
        self._loopback = loopback
        self._resolve = resolve or SystemNames().resolve
        self._check = resolve or SystemNames(CHECKS).resolve

    def admits(self, address: str) -> bool:
        """Whether an IP address may be connected to."""
        parsed = ip_address(address)
        return is_public_address(parsed) or (self._loopback and parsed.is_loopback)

    async def fault(self, url: str) -> str | None:
        """What is wrong with a URL that somebody wants to save, in words for the caller; None if nothing is.

        A name that cannot be resolved now is let through: deliveries to it fail, and are tried again, until it can be.
        """
        fault = url_fault(url, loopback=self._loopback)
        if fault is not None:
            return fault
        try:
            async with asyncio.timeout(LOOK_UP_S):
                addresses = await self._check(urlsplit(url).hostname or "")
        except (OSError, TimeoutError):
            return None
        return None if all(map(self.admits, addresses)) else "The host is not a public address."

    async def look_up(self, name: str) -> list[str]:
        """The addresses of a name. Raises OSError if it has none, TimeoutError if they do not come."""
        async with asyncio.timeout(LOOK_UP_S):
            return await self._resolve(name)

    async def connect(self, addresses: Sequence[str], port: int) -> socket.socket:
        """A socket that is connected to the first of some addresses that answers (RFC 8305).

        Raises AddressRefused if no address may be connected to, another OSError if none can.
        """
        return await start_connection(
            [_info(address, port) for address in addresses],
            happy_eyeballs_delay=NEXT_ADDRESS_S,
            socket_factory=self._open,
        )

    def _open(self, info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        if not self.admits(str(address[0])):
            raise AddressRefused
        return socket.socket(family, kind, protocol)


class SystemNames:
    """Names as the system knows them.

    Each look-up has a thread of its own, for which nobody waits at exit. In a shared pool a few names whose servers are silent
    would hold up all others.
    """

    def __init__(self, most: int = LOOK_UPS) -> None:
        """`most` names are looked up at the same time."""
        self._room = most

    async def resolve(self, name: str) -> list[str]:
        """The addresses of a name. Raises OSError if it has none, or too many are being looked up."""
        if self._room == 0:
            raise OSError("too many names are being looked up")
        self._room -= 1
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[str]] = loop.create_future()
        threading.Thread(target=self._look_up, args=(name, loop, answer), name="name-look-up", daemon=True).start()
        return await answer

    def _look_up(self, name: str, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[list[str]]) -> None:
        try:
            found: list[str] | OSError = [str(info[4][0]) for info in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]
        except OSError as error:
            found = error
        except UnicodeError:
            found = OSError("not a name")
        with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody waits any more
            loop.call_soon_threadsafe(self._found, found, answer)

    def _found(self, found: list[str] | OSError, answer: asyncio.Future[list[str]]) -> None:
        self._room += 1
        if answer.done():
            return
        if isinstance(found, OSError):
            answer.set_exception(found)
        else:
            answer.set_result(found)


def _info(address: str, port: int) -> AddrInfoType:
    if ":" in address:
        return socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, 0, 0)
    return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)
