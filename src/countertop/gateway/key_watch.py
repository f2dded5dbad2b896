"""Keeps a node's keys what its key file says, so that keys are changed without a restart."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Final

import structlog

from countertop.gateway.store.sealing import KeyFileUnusable, Sealer, load_keyring

LOOK_S: Final = 1.0
"""How often the key file is looked at. Whoever changes it waits longer before counting on it (`countertop keys`)."""

_log = structlog.stdlib.get_logger(__name__)


class KeyWatch:
    """Looks at a key file, and gives a sealer its keys whenever it was replaced."""

    def __init__(self, path: Path, sealer: Sealer) -> None:
        self._path = path
        self._sealer = sealer
        self._seen = self._state()
        self._watching: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to watch."""
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Ends watching."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    def look(self) -> bool:
        """Takes the keys from the file if it was replaced. Returns whether it did; a file that cannot be used changes nothing."""
        state = self._state()
        if state == self._seen or state is None:
            return False
        try:
            keyring = load_keyring(self._path, create=False)
        except KeyFileUnusable as unusable:
            _log.warning("the key file was changed and cannot be used; the keys of before go on", reason=str(unusable))
            return False
        self._sealer.use(keyring)
        self._seen = state
        _log.info("the key file was changed", keys=len(keyring), current=keyring.current.hex())
        return True

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()

    def _state(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino
