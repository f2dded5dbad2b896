"""Identifiers. All are lower-case UUID strings; those of things that grow in number are time-ordered (RFC 9562, version 7).

Time-ordered ids keep the newest rows together in an index, so inserting costs the same with a million rows as with ten.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from countertop.domain.clock import Instant

RandomBytes = Callable[[int], bytes]
"""Gives so many random bytes: `os.urandom` in a server, a seeded source in a test."""

_NOISE: Final = 10
"""Random bytes in an id."""
_STOCK: Final = 256
_VARIANT: Final = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def ordered_uuid(now: Instant, random: RandomBytes) -> str:
    """A UUID of version 7: 48 bits of `now`, then 74 random bits."""
    noise = random(_NOISE).hex()
    return f"{_beginning(now)}{noise[:3]}-{_VARIANT[noise[3]]}{noise[4:7]}-{noise[7:19]}"


@lru_cache(maxsize=16)
def _beginning(now: Instant) -> str:
    time = f"{now:012x}"
    return f"{time[:8]}-{time[8:]}-7"


def stocked(random: RandomBytes) -> RandomBytes:
    """The same source, asked for many ids' worth at a time: asking the system costs more than all the rest of an id."""
    stock: list[bytes] = []

    def give(count: int) -> bytes:
        if count != _NOISE:
            return random(count)
        while True:
            try:
                return stock.pop()  # threads may share a stock, but never a piece of it
            except IndexError:
                block = random(_NOISE * _STOCK)
                stock.extend(block[at : at + _NOISE] for at in range(0, len(block), _NOISE))

    return give


def first_uuid(instant: Instant) -> str:
    """The least id that `ordered_uuid` can give at an instant: ids from before are less."""
    return ordered_uuid(instant, bytes)
