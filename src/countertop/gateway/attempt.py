"""How often one origin may try something that could be guessed: a password, a pairing's code."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from typing import Final

from countertop.domain.clock import MINUTE, Instant

WINDOW: Final = MINUTE
_MOST_ORIGINS: Final = 10_000


def origin_of(address: str) -> str:
    """What counts as one origin: an IPv4 address, or the network of an IPv6 address, which has 2⁶⁴ of them to itself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(IPv6Address(int(parsed) >> 64 << 64)) if parsed.version == 6 else address


class Attempts:
    """At most `limit` attempts a minute for each origin. Remembers a bounded number of origins, the latest."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counts: dict[str, tuple[Instant, int]] = {}

    def allow(self, origin: str, now: Instant) -> bool:
        """Counts an attempt. False: that was one too many."""
        since, count = self._counts.pop(origin, (now, 0))
        if not 0 <= now - since < WINDOW:
            since, count = now, 0
        self._counts[origin] = (since, count + 1)
        if len(self._counts) > _MOST_ORIGINS:
            del self._counts[next(iter(self._counts))]
        return count < self._limit
