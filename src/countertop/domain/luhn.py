"""The check digit of card numbers (ISO/IEC 7812-1, annex B)."""

from __future__ import annotations

from typing import Final

_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
"""The digit sum of twice a digit."""


def luhn_valid(number: str) -> bool:
    """Whether the last digit of `number`, a string of ASCII digits, is the check digit of those before it."""
    digits = [ord(digit) - 48 for digit in reversed(number)]
    return (sum(digits[0::2]) + sum(_DOUBLED[digit] for digit in digits[1::2])) % 10 == 0


def check_digit(body: str) -> str:
    """The digit that makes `body`, a string of ASCII digits, valid when it is put behind it."""
    return next(digit for digit in "0123456789" if luhn_valid(body + digit))
