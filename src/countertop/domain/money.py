"""Money: whole cents of US dollars, never a float.

On the wire an amount is dollars as text. `1000`, `1000.00`, `1000.5` and `.99` are read; a sign, a currency, a separator of
thousands, an exponent or a third decimal are not.
"""

from __future__ import annotations

import re
from typing import Final

from countertop.domain.errors import NotReadable

Cents = int
"""An amount in cents; amounts of a transaction are never negative."""

Rate = int
"""A percentage in thousandths: 3000 is 3 %."""

MAX_AMOUNT: Final[Cents] = 1_000_000_00
"""The largest amount that a transaction, or a part of it, may have."""

_WHOLE_RATE: Final = 100_000
_DOLLARS: Final = re.compile(r"(?=\.?[0-9])([0-9]{0,12})(?:\.([0-9]{1,2}))?")


def parse_money(text: str) -> Cents:
    """The cents in an amount written as dollars. Raises NotReadable if it is not written so."""
    found = _DOLLARS.fullmatch(text)
    if not found:
        raise NotReadable("an amount is dollars with at most two decimals, without sign, currency or separators")
    dollars, cents = found.groups()
    return int(dollars or 0) * 100 + int((cents or "").ljust(2, "0"))


def format_money(amount: Cents) -> str:
    """An amount as dollars with two decimals, as the wire has it: 1 → `0.01`; a net amount may be negative: -150 → `-1.50`."""
    dollars, cents = divmod(abs(amount), 100)
    return f"{'-' if amount < 0 else ''}{dollars}.{cents:02d}"


def percentage_of(amount: Cents, rate: Rate) -> Cents:
    """So many percent of an amount, half a cent rounded up: 3 % of 7.11 is 0.21."""
    return (amount * rate + _WHOLE_RATE // 2) // _WHOLE_RATE
