"""A token bucket: so much for long, and a burst of so much at once."""

from __future__ import annotations


class Bucket:
    """Tokens flow in steadily up to the burst; whoever wants something takes one.

    Times are of any clock, in any unit, as long as it is the same one; `rate` is tokens in one unit of it.
    """

    __slots__ = ("_burst", "_filled", "_level", "_rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level = burst
        self._filled = now

    def take(self, now: float) -> float:
        """Takes a token. Returns 0, or if there is none, in how long there will be."""
        self._fill(now)
        if self._level >= 1:
            self._level -= 1
            return 0
        return (1 - self._level) / self._rate

    def borrow(self, now: float) -> float:
        """Takes a token also if it has yet to come. Returns 0, or in how long it will have come."""
        self._fill(now)
        self._level -= 1
        return max(0.0, -self._level / self._rate)

    def _fill(self, now: float) -> None:
        if now != self._filled:
            # A clock that was set back fills nothing, and must not empty the bucket either.
            self._level = min(self._burst, self._level + max(0, now - self._filled) * self._rate)
            self._filled = now
