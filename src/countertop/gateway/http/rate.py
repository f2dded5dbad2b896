"""How often somebody may ask for one thing."""

from __future__ import annotations

from typing import Final

from countertop.domain.clock import Instant

_MOST_PACES: Final = 100_000


class Pace:
    """At most one poll of one thing in an interval. Remembers only polls that are younger than that."""

    def __init__(self, interval: int) -> None:
        """`interval` is milliseconds; 0 lets everything through."""
        self._interval = interval
        self._last: dict[tuple[str, str], Instant] = {}

    def step(self, key: tuple[str, str], now: Instant) -> int:
        """Notes a poll. Returns 0, or if it comes too soon, in how many milliseconds the next may come."""
        interval = self._interval
        if not interval:
            return 0
        last = self._last.pop(key, None)
        if last is not None and 0 <= now - last < interval:
            self._last[key] = last
            return interval - (now - last)
        self._forget(now)
        self._last[key] = now
        return 0

    def pardon(self, key: tuple[str, str]) -> None:
        """Forgets the last poll of a thing, because it was answered with news: the next may follow at once."""
        self._last.pop(key, None)

    def _forget(self, now: Instant) -> None:
        """Oldest first, so each poll is looked at once; a poll refused just now is at the end and keeps its time."""
        while self._last:
            oldest = next(iter(self._last))
            if 0 <= now - self._last[oldest] < self._interval and len(self._last) < _MOST_PACES:
                return
            del self._last[oldest]
