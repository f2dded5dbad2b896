"""Waiting for something to change. Hints wake whoever waits; asking again every so often finds what no hint told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Final

ASK_AGAIN: Final = 2.0
"""Seconds after which whoever waits looks into the store without a hint."""


class Waiting:
    """Everybody who waits at this node, each for one thing by its id."""

    def __init__(self) -> None:
        self._bells: dict[str, set[asyncio.Event]] = {}
        self.closed = False

    def wake(self, subject: str) -> None:
        """Something changed: wakes who waits for it."""
        for bell in self._bells.get(subject, ()):
            bell.set()

    def close(self) -> None:
        """Wakes everybody for good: the server stops."""
        self.closed = True
        for bells in self._bells.values():
            for bell in bells:
                bell.set()

    @property
    def count(self) -> int:
        """How many wait."""
        return sum(map(len, self._bells.values()))

    @contextlib.contextmanager
    def bell(self, subject: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever the thing may have changed. Take it before looking, so no change falls in between."""
        bell = asyncio.Event()
        self._bells.setdefault(subject, set()).add(bell)
        try:
            yield bell
        finally:
            bells = self._bells[subject]
            bells.discard(bell)
            if not bells:
                del self._bells[subject]


async def ring(bell: asyncio.Event, gone: asyncio.Task[None], seconds: float) -> None:
    """Returns when the bell rings, the client has gone, or the time is over."""
    rung = asyncio.create_task(bell.wait())
    try:
        await asyncio.wait((rung, gone), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        rung.cancel()
    bell.clear()
