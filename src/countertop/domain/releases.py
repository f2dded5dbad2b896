"""API releases: the dates at which bodies and defaults changed, and which one a caller gets.

A date between two releases means the earlier one; a date before the first means the oldest shapes. The newest release is ours:
what this gateway adds to documented bodies appears from it on, so older callers see exactly what they always saw.
"""

from __future__ import annotations

import datetime
from typing import Final

from countertop.domain.errors import NotReadable

Release = str
"""The date of a release, `YYYY-MM-DD`: as text, because dates written so compare in order."""

OLDEST: Final[Release] = "0000-00-00"
TERMINAL_ACCOUNTS: Final[Release] = "2018-06-01"
"""`GET /terminals` carries the account's fields and spells `nickName`."""
BUSY: Final[Release] = "2018-06-19"
"""A request to a busy terminal ends as BUSY instead of interrupting what runs."""
KEYED_ENTRY: Final[Release] = "2019-07-30"
"""`keyed=ALLOW`; the red X cancels a payment before card entry."""
SERVICE: Final[Release] = "2020-04-21"
"""Transactions carry `service`."""
SURCHARGE: Final[Release] = "2023-05-16"
"""Transactions and terminals carry `surcharge`."""
OUTCOMES: Final[Release] = "2026-12-01"
"""Ended requests carry `outcome`; Smart Terminals carry `online`, `screen` and `lastSeen`."""

RELEASES: Final = (TERMINAL_ACCOUNTS, BUSY, KEYED_ENTRY, SERVICE, SURCHARGE, OUTCOMES)
NEWEST: Final = RELEASES[-1]


def release_at(text: str) -> Release:
    """The release in force at a date.

    Raises NotReadable if `text` is not a date of the form YYYY-MM-DD.
    """
    try:
        date = datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        raise NotReadable("a release is a date of the form YYYY-MM-DD") from None
    if date != text:  # ISO 8601 has other ways to write a date
        raise NotReadable("a release is a date of the form YYYY-MM-DD")
    return max((release for release in RELEASES if release <= date), default=OLDEST)
