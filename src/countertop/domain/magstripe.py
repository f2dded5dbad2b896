"""What a reader sends when a card is swiped: framing, tracks, read errors.

A reader that acts as a keyboard types each track between a start and an end sentinel, and Return at the end:

    %B924696827707852^?;924696827707852=?⏎
    └─ track 1 ───────┘└─ track 2 ──────┘

A track that it could not decode it types as the single letter E. Sentinels are required: a reader that leaves them out can be set
to send nothing but the account number of a payment card, which then looks like any other number. Sentinels and lengths are those
of ISO/IEC 7811-2; the terminator, track 3's `+` and the `E` those of MagTek's keyboard readers (manual 99875206).

Nothing here shows what was on a card: not a `repr`, not an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from countertop.domain.errors import NotReadable

LONGEST: Final = 79 + 40 + 107
"""Characters that the three tracks of one card can hold together."""

_TERMINATORS: Final = ("\r\n", "\r", "\n")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_FRAMED: Final = re.compile(r"(?:[%;+][^?]*\?)+")
_TRACK: Final = re.compile(r"([%;+])([^?]*)\?")


class Sentinel(StrEnum):
    """The character that a track starts with, and which track that makes it."""

    TRACK_1 = "%"
    TRACK_2 = ";"
    TRACK_3 = "+"


@dataclass(frozen=True, slots=True)
class Track:
    """One track without its sentinels."""

    sentinel: Sentinel
    data: str = field(repr=False)

    @property
    def damaged(self) -> bool:
        """Whether the reader says that it could not decode this track. Some readers send lower case, hence `e` too."""
        return self.data in ("E", "e")


@dataclass(frozen=True, slots=True)
class Stripe:
    """A swipe whose framing is sound: `text` as swiped without the terminator, and its tracks in the order they came."""

    text: str = field(repr=False)
    tracks: tuple[Track, ...]

    @property
    def damaged(self) -> bool:
        """Whether any track was not decoded: then the others are not to be trusted either."""
        return any(track.damaged for track in self.tracks)


def parse(raw: str) -> Stripe:
    """The stripe in what a reader sent, `raw` being one swipe with or without its terminator.

    Raises NotReadable if that is not a row of tracks between sentinels and nothing else.
    """
    text = _without_terminator(raw)
    if len(text) > LONGEST:
        raise NotReadable("a swipe is longer than a card can hold")
    if _CONTROL.search(text):
        raise NotReadable("a swipe holds no control characters")
    if not _FRAMED.fullmatch(text):
        raise NotReadable("a swipe is tracks between sentinels, and nothing else")
    return Stripe(text, tuple(Track(Sentinel(sentinel), data) for sentinel, data in _TRACK.findall(text)))


def _without_terminator(raw: str) -> str:
    """`raw` without one terminator: a second one is a fault of framing, not a terminator."""
    for terminator in _TERMINATORS:
        if raw.endswith(terminator):
            return raw.removesuffix(terminator)
    return raw
