"""The allowlist: an operator's own closed-loop ranges that the number screen would otherwise take for payment cards.

A TOML file, issued for a site and signed (Ed25519) by a key that the site does not hold:

    version = 3
    date = 2026-12-01

    [[range]]
    prefix = "603571"   # at least six digits
    length = 16         # of the whole number, exactly

A list replaces the one before it as a whole and carries a higher version; lists are never merged. No list opens a card brand's
number with a sound check digit: the screen asks the list only after that rule.

Prefixes are digits of cards: no `repr` and no error shows them.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from countertop.domain.errors import NotReadable

SHORTEST_PREFIX: Final = 6
LONGEST_NUMBER: Final = 74
"""Digits that track 1 can hold in an eligible shape."""
MAX_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class CardRange:
    """The numbers of exactly `length` digits that begin with `prefix`."""

    prefix: str = field(repr=False)
    length: int = field(repr=False)


@dataclass(frozen=True, slots=True)
class Allowlist:
    """One issue of the list. `version` 0 is the empty list that everything ships with."""

    version: int
    date: datetime.date | None
    ranges: tuple[CardRange, ...] = field(repr=False)

    def holds(self, number: str) -> bool:
        """Whether `number`, a string of ASCII digits as on the card, is in one of the ranges."""
        return any(len(number) == listed.length and number.startswith(listed.prefix) for listed in self.ranges)


EMPTY: Final = Allowlist(0, None, ())


def open_allowlist(data: bytes, signature: bytes, key: Ed25519PublicKey) -> Allowlist:
    """The list in a file, after its signature was found good. `signature` is the file beside it: base64 of 64 bytes.

    Raises NotReadable if the signature is not `key`'s over exactly these bytes, or the list is not one.
    """
    try:
        key.verify(base64.b64decode(signature.strip(), validate=True), data)
    except (InvalidSignature, binascii.Error):
        raise NotReadable("the allowlist is not signed by the key it must be signed by") from None
    return parse_allowlist(data)


def sign_allowlist(data: bytes, key: Ed25519PrivateKey) -> bytes:
    """The signature file for a list, for whoever issues lists. Raises NotReadable if `data` is not a list."""
    parse_allowlist(data)
    return base64.b64encode(key.sign(data)) + b"\n"


def replace_allowlist(current: Allowlist, issued: Allowlist) -> Allowlist:
    """The list in force once `issued` arrives: that one, whole.

    Raises NotReadable if it is not newer than `current`: an old list that was withdrawn must not come back.
    """
    if issued.version <= current.version:
        raise NotReadable("the allowlist is not newer than the one in force")
    return issued


def parse_allowlist(data: bytes) -> Allowlist:
    """The list in the bytes of a file, its signature not looked at. Raises NotReadable if it is not a list."""
    if len(data) > MAX_BYTES:
        raise NotReadable("the allowlist is larger than 64 KiB")
    try:
        document = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise NotReadable("the allowlist is not TOML") from None
    if document.keys() - {"version", "date", "range"}:
        raise NotReadable("the allowlist has version, date and range, and nothing else")
    return Allowlist(_version(document.get("version")), _date(document.get("date")), _ranges(document.get("range", [])))


def _version(value: object) -> int:
    if type(value) is not int or value < 1:
        raise NotReadable("the allowlist's version must be a whole number from 1 on")
    return value


def _date(value: object) -> datetime.date:
    if type(value) is not datetime.date:
        raise NotReadable("the allowlist's date must be a date, YYYY-MM-DD without quotes")
    return value


def _ranges(value: object) -> tuple[CardRange, ...]:
    if not isinstance(value, list):
        raise NotReadable("the allowlist's ranges must be written as [[range]]")
    ranges = tuple(_range(entry, place) for place, entry in enumerate(value, start=1))
    if len(set(ranges)) != len(ranges):
        raise NotReadable("the allowlist has the same range twice")
    return ranges


def _range(entry: object, place: int) -> CardRange:
    """The range at a place in the file, counted from 1: an error names the place, because it must not name the digits."""
    where = f"the allowlist's range number {place}"
    if not isinstance(entry, Mapping) or entry.keys() != {"prefix", "length"}:
        raise NotReadable(f"{where} must have a prefix and a length, and nothing else")
    prefix, length = entry["prefix"], entry["length"]
    if not isinstance(prefix, str) or not (prefix.isascii() and prefix.isdigit()) or len(prefix) < SHORTEST_PREFIX:
        raise NotReadable(f"{where} must have a prefix of at least six digits, in quotes")
    if type(length) is not int or not len(prefix) <= length <= LONGEST_NUMBER:
        raise NotReadable(f"{where} must have the length of the whole number, without quotes")
    return CardRange(prefix, length)
