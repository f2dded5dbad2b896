"""Instants as the wire writes them: ISO 8601 in UTC, to the second in resources, to the millisecond in webhook envelopes."""

from __future__ import annotations

from functools import lru_cache
from time import gmtime, strftime

from countertop.domain.clock import SECOND, Instant


def to_the_second(instant: Instant) -> str:
    """`2016-08-22T18:12:10Z`."""
    return _seconds(instant // SECOND) + "Z"


def to_the_millisecond(instant: Instant) -> str:
    """`2018-02-20T20:30:01.756Z`."""
    return f"{_seconds(instant // SECOND)}.{instant % SECOND:03d}Z"


@lru_cache(maxsize=256)
def _seconds(seconds: int) -> str:
    # Events come thick and fast within one second, and formatting a date costs more than the rest of a body.
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds))
