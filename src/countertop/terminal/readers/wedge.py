"""Keyboard-wedge readers: from keystrokes to stripes.

A wedge types a swipe as a keyboard would, ends it with CR, LF or both, and says nothing when it has nothing to say. So a swipe
ends at its terminator or when the keys fall silent, and one that takes too long was no swipe. What a stripe is worth is not
decided here.
"""

from __future__ import annotations

from typing import Final

from countertop.domain.clock import SECOND, Instant

SILENCE: Final = 250
"""Milliseconds between two keys after which the first belongs to a swipe that is over."""
LONGEST: Final = 5 * SECOND
"""Milliseconds that a swipe may take, from its first key."""
MOST: Final = 79 + 40 + 107
"""Characters that three tracks can hold. What is longer is given on, cut off there, and will not be recognised as a stripe."""


class Wedge:
    """Puts one reader's keystrokes together. Sans-I/O: keys and time in, stripes out, without their terminators."""

    def __init__(self) -> None:
        self._typed: list[str] = []
        self._began: Instant = 0
        self._last: Instant = 0

    @property
    def wakes_at(self) -> Instant | None:
        """When `tick` has something to do: None between swipes."""
        return min(self._last + SILENCE, self._began + LONGEST) if self._typed else None

    def type(self, character: str, now: Instant) -> str | None:
        """A key was typed. Returns the stripe that is complete with it, or that was complete before it."""
        finished = self.tick(now)
        if character in "\r\n":
            return finished or self._take()
        if not self._typed:
            self._began = now
        self._last = now
        if len(self._typed) <= MOST:
            self._typed.append(character)
        return finished

    def tick(self, now: Instant) -> str | None:
        """Time has passed. Returns the stripe that is complete by that; one that took too long is dropped."""
        if not self._typed:
            return None
        if now - self._began >= LONGEST and now - self._last < SILENCE:
            # Still typing after five seconds: a person, or a reader that is stuck.
            self._typed.clear()
            return None
        return self._take() if now - self._last >= SILENCE else None

    def forget(self) -> None:
        """Keys were lost on the way: what has come of this swipe is worth nothing."""
        self._typed.clear()

    def _take(self) -> str | None:
        stripe = "".join(self._typed)
        self._typed.clear()
        return stripe or None
