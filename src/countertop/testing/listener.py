"""How a server that misbehaves on purpose stops to listen without leaving a connection behind."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Protocol


class Listener(Protocol):
    """A listening socket, as it is or as an asyncio server shows it."""

    def fileno(self) -> int:
        """Its descriptor."""


async def stop_accepting(listeners: Iterable[Listener]) -> None:
    """Has nothing more accepted, and what was accepted belong to its server, which may then be closed.

    asyncio (3.11 to 3.13) forgets to close a connection that it has accepted, and not looked after yet, when its server closes.
    Such a connection comes to its protocol only after this returns.
    """
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):  # Windows waits for connections in another way
        for listener in listeners:
            loop.remove_reader(listener.fileno())
    await asyncio.sleep(0)
