"""Whether this node is the only one over a SQLite file.

Then whatever a node before it had in hand is nobody's any more, and is taken up at once instead of when its lease ends.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self

LOCK: Final = "countertop.lock"


class SoleNode:
    """A lock in a data directory, held from entering until leaving; the system takes it from a process that ends in any way."""

    def __init__(self, data: Path) -> None:
        self._path = data / LOCK
        self._file: int | None = None

    def __enter__(self) -> Self:
        """Tries to take the lock, without waiting."""
        with contextlib.suppress(ImportError, OSError):  # no such locks on this system, or somebody else has it
            import fcntl  # noqa: PLC0415 - not on every system

            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(file)
                raise
            self._file = file
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @property
    def sole(self) -> bool:
        """Whether this process has the lock."""
        return self._file is not None
