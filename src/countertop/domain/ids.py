"""Identifiers. All are lower-case UUID strings; those of things that grow in number are time-ordered (RFC 9562, version 7).

Time-ordered ids keep the newest rows together in an index, so inserting costs the same with a million rows as with ten.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from countertop.domain.clock import Instant

RandomBytes = Callable[[int], bytes]
"""Gives so many random bytes: `os.urandom` in a server, a seeded source in a test."""

_VARIANT: Final = "89ab"


def ordered_uuid(now: Instant, random: RandomBytes) -> str:
    """A UUID of version 7: 48 bits of `now`, then 74 random bits."""
    time = f"{now:012x}"
    noise = random(10).hex()
    return f"{time[:8]}-{time[8:]}-7{noise[:3]}-{_VARIANT[int(noise[3], 16) & 3]}{noise[4:7]}-{noise[7:19]}"


def first_uuid(instant: Instant) -> str:
    """The least id that `ordered_uuid` can give at an instant: ids from before are less."""
    return ordered_uuid(instant, bytes)
