"""How fast a terminal may speak."""

from __future__ import annotations

from typing import Final

from countertop.protocol.session import CloseCode, Violation

RATE: Final = 100.0
"""Frames a second that a terminal may send for long. A customer who acts at once leads to four frames a request."""
BURST: Final = 400.0


class Flood:
    """A token bucket for one connection. Time is the event loop's, in seconds: the network's pace is not the clock's."""

    __slots__ = ("_level", "_since")

    def __init__(self, now: float) -> None:
        self._level = BURST
        self._since = now

    def count(self, now: float) -> None:
        """One more frame has come. Raises Violation if that was one too many."""
        self._level = min(BURST, self._level + (now - self._since) * RATE) - 1
        self._since = now
        if self._level < 0:
            raise Violation(CloseCode.FLOOD, "frames came too fast")
