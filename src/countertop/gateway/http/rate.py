"""How often somebody may ask: a token bucket for each API login, and a pace for polling one request."""

from __future__ import annotations

from typing import Final

from countertop.domain.clock import SECOND, Instant

_MOST_PACES: Final = 100_000


class Bucket:
    """So many requests a second, and a burst of so many at once.

    Tokens flow in steadily up to the burst; a request takes one. Times are instants of any clock, as long as it is the same one.
    """

    __slots__ = ("_burst", "_filled", "_level", "_rate")

    def __init__(self, rate: float, burst: float, now: Instant) -> None:
        """`rate` is requests a second."""
        self._rate = rate / SECOND
        self._burst = burst
        self._level = burst
        self._filled = now

    def take(self, now: Instant) -> float:
        """Takes a token. Returns 0, or if there is none, in how many milliseconds there will be."""
        level = self._level
        if now != self._filled:
            # A clock that was set back fills nothing, and must not empty the bucket either.
            level = min(self._burst, level + max(0, now - self._filled) * self._rate)
            self._filled = now
        if level >= 1:
            self._level = level - 1
            return 0
        self._level = level
        return (1 - level) / self._rate


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
