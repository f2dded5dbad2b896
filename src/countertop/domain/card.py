"""A payment card: number, brand, expiry, check. Lives at the terminal, the gateway's door and the processor, and only in memory.

No `repr` and no error here shows a digit. What may be kept of a card is `CardFacts`.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from countertop.domain.errors import NotReadable
from countertop.domain.luhn import luhn_valid

_NUMBER: Final = re.compile(r"[0-9]{12,19}")
_CVV: Final = re.compile(r"[0-9]{3,4}")
_MONTH: Final = re.compile(r"0?[1-9]|1[0-2]")
_YEAR: Final = re.compile(r"(?:20)?([0-9]{2})")
_TRACK_2: Final = re.compile(r";([0-9]{12,19})=([0-9]{2})([0-9]{2})[0-9]*\?")
_TRACK_1: Final = re.compile(r"%B([0-9 ]{12,23})\^[^^?]{2,26}\^([0-9]{2})([0-9]{2})[^?]*\?")
_CHIP: Final = re.compile(r";[0-9]{12,19}=[0-9]{4}[26]|%B[0-9 ]{12,23}\^[^^?]{2,26}\^[0-9]{4}[26]")


class Brand(StrEnum):
    """Whose card it is. The words are the wire's."""

    VISA = "VISA"
    MASTERCARD = "MASTERCARD"
    DISCOVER = "DISCOVER"
    AMERICAN_EXPRESS = "AMERICAN_EXPRESS"
    OTHER = "OTHER"


_BRANDS: Final = (
    (Brand.VISA, re.compile("4")),
    (Brand.MASTERCARD, re.compile("5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720")),
    (Brand.AMERICAN_EXPRESS, re.compile("3[47]")),
    (Brand.DISCOVER, re.compile("6011|64[4-9]|65|622(?:12[6-9]|1[3-9]|[2-8]|9[01]|92[0-5])")),
)


class Entry(StrEnum):
    """How a card's data came in."""

    CHIP = "CHIP"
    TAP = "TAP"
    SWIPE = "SWIPE"
    KEYED = "KEYED"


@dataclass(frozen=True, slots=True, order=True)
class Expiry:
    """The last month in which a card is good: `year` with four digits, `month` 1 to 12."""

    year: int
    month: int

    def expired(self, today: datetime.date) -> bool:
        """Whether that month is over."""
        return (today.year, today.month) > (self.year, self.month)

    def __str__(self) -> str:
        return f"{self.month:02d}/{self.year % 100:02d}"


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What may be stored of a card: brand, last four digits, expiry, and a keyed fingerprint that tells equal cards."""

    brand: Brand
    last_four: str
    expiry: Expiry
    fingerprint: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PaymentCard:
    """A card in the clear. Never stored, sent or logged: `domain.sealed_card` seals it."""

    number: str = field(repr=False)
    expiry: Expiry
    entry: Entry
    cvv: str | None = field(default=None, repr=False)

    @property
    def brand(self) -> Brand:
        """The brand that the number belongs to."""
        return next((brand for brand, prefixes in _BRANDS if prefixes.match(self.number)), Brand.OTHER)

    @property
    def last_four(self) -> str:
        """The digits that may be shown on a receipt."""
        return self.number[-4:]

    def facts(self, fingerprint_key: bytes) -> CardFacts:
        """What may be kept. The key belongs to whoever sees cards, not to the store: with both, numbers could be tried out."""
        fingerprint = hmac.digest(fingerprint_key, self.number.encode(), hashlib.sha256)
        return CardFacts(self.brand, self.last_four, self.expiry, fingerprint)


def parse_card_number(text: str) -> str:
    """The digits of a card number typed with or without blanks and dashes. Raises NotReadable if it cannot be one."""
    number = text.replace(" ", "").replace("-", "")
    if not _NUMBER.fullmatch(number) or not luhn_valid(number):
        raise NotReadable("a card number is 12 to 19 digits with a right check digit")
    return number


def parse_expiry(month: str, year: str) -> Expiry:
    """An expiry from a month, 1 to 12, and a year of four or two digits. Raises NotReadable if they are not such."""
    found = _YEAR.fullmatch(year)
    if not _MONTH.fullmatch(month) or not found:
        raise NotReadable("an expiry is a month from 1 to 12 and a year of two or four digits")
    return Expiry(2000 + int(found[1]), int(month))


def parse_cvv(text: str) -> str:
    """The three or four digits printed on a card. Raises NotReadable if it is not that."""
    if not _CVV.fullmatch(text):
        raise NotReadable("a card verification value is three or four digits")
    return text


def parse_card_track(track: str) -> PaymentCard:
    """The card in a swiped stripe with track 2, or track 1 of format B, or both (ISO/IEC 7813).

    Raises NotReadable if neither is there.
    """
    found = _TRACK_2.search(track) or _TRACK_1.search(track)
    if not found:
        raise NotReadable("a payment card's stripe has an account number and an expiry")
    number, year, month = found.groups()
    return PaymentCard(parse_card_number(number), parse_expiry(month, year), Entry.SWIPE)


def has_chip(track: str) -> bool:
    """Whether a payment card's stripe says that the card has a chip too: its service code begins with 2 or 6 (ISO/IEC 7813)."""
    return _CHIP.search(track) is not None
