"""Time as a part that can be replaced: the one port through which anything learns what time it is.

An *instant* is an `int`: milliseconds since 1970-01-01T00:00:00Z. Durations are milliseconds too, unless a name ends in `_s`.
"""

from __future__ import annotations

from typing import Protocol

Instant = int
"""Milliseconds since 1970-01-01T00:00:00Z."""

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Clock(Protocol):
    """What time it is, and waiting for a time. The system's clock, or a test server's that can be advanced."""

    def now(self) -> Instant:
        """The present instant."""
        ...

    async def sleep_until(self, instant: Instant) -> None:
        """Returns once `now() >= instant`, at once if it is past."""
        ...
