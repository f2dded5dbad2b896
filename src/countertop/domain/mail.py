"""The rules of mails: which addresses are sent to, and when a mail is tried again."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from countertop.domain.clock import DAY, HOUR, MINUTE, Instant

ADDRESS: Final = r"^[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$"
"""What a mail is sent to: less than what mail servers understand, but nothing that could be two addresses, or a header."""
MAX_ADDRESS: Final = 128

PAUSES: Final = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR)
"""How long after a failed attempt the next one follows, in ms; the last holds for all later ones."""
GIVE_UP_AFTER: Final = 3 * DAY
"""How long after it was ordered a mail is given up, in ms."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A receipt on its way to an address.

    `reply_to` is empty if answers go to the sender. `asks`: whoever gets it is asked to sign, if nobody has signed yet.
    `attempts` is how many there were.
    """

    id: str
    merchant_id: str
    transaction_id: int
    to: str = field(repr=False)
    reply_to: str = field(repr=False)
    asks: bool
    attempts: int
    created: Instant


def is_address(text: str) -> bool:
    """Whether mails are sent there."""
    return len(text) <= MAX_ADDRESS and re.fullmatch(ADDRESS, text) is not None


def next_attempt(attempts_made: int, created: Instant, now: Instant) -> Instant | None:
    """When to try again after `attempts_made` (at least one) failed attempts, the last of which ended `now`; None: give up."""
    due = now + PAUSES[min(attempts_made, len(PAUSES)) - 1]
    return due if due <= created + GIVE_UP_AFTER else None
