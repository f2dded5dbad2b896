"""Identifiers. All are lower-case UUID strings; those of things that grow in number are time-ordered (RFC 9562, version 7).

Time-ordered ids keep the newest rows together in an index, so inserting costs the same with a million rows as with ten.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from countertop.domain.clock import Instant

RandomBytes = Callable[[int], bytes]
"""Gives so many random bytes: `os.urandom` in a server, a seeded source in a test."""

_VERSION_7: Final = 0x7 << 76
_VARIANT: Final = 0x2 << 62


def ordered_uuid(now: Instant, random: RandomBytes) -> str:
    """A UUID of version 7: 48 bits of `now`, then 74 random bits."""
    noise = int.from_bytes(random(10))
    value = (now & 0xFFFF_FFFF_FFFF) << 80 | _VERSION_7 | (noise >> 62 & 0xFFF) << 64 | _VARIANT | noise & 0x3FFF_FFFF_FFFF_FFFF
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def first_uuid(instant: Instant) -> str:
    """The least id that `ordered_uuid` can give at an instant: ids from before are less."""
    return ordered_uuid(instant, bytes)
