"""May what was swiped leave the terminal? Fails closed: whatever no rule here accepts is refused.

Two shapes are eligible, and a payment card cannot have either: ISO/IEC 7813 requires an expiry date or a second separator after
track 2's `=`, and a name and a second `^` on track 1.

    format 1    ;7090112233654321?
    format 2    %B924696827707852^?;924696827707852=?

Readers can be set to send a payment card's number alone, which has the shape of format 1; so the numbers are screened too
(`domain.scheme`). Of what is refused nothing leaves this module but the reason: no digit, no length, no brand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from countertop.domain.allowlist import EMPTY, Allowlist
from countertop.domain.errors import NotReadable
from countertop.domain.magstripe import Stripe, parse
from countertop.domain.result import CardRead
from countertop.domain.scheme import find_rule

# The counts are what a track can hold beside sentinels, separators and check character. Never `\d`: it takes any script's digits.
_FORMAT_1: Final = re.compile(r";([0-9]{1,37})\?")
_FORMAT_2: Final = re.compile(r"%B([0-9]{1,74})\^\?;([0-9]{1,36})=\?")


class ReadClass(StrEnum):
    """What a swipe turned out to be."""

    ACCEPT_F1 = "ACCEPT_F1"
    """A non-financial card of format 1."""
    ACCEPT_F2 = "ACCEPT_F2"
    """A non-financial card of format 2."""
    BAD_READ = "BAD_READ"
    """The reader says that it could not decode a track: the customer should swipe again."""
    NOT_ELIGIBLE = "NOT_ELIGIBLE"
    """A readable card of another shape; every payment card that is read whole ends here."""
    FINANCIAL = "FINANCIAL"
    """An eligible shape around what is or could be a payment card's number."""
    UNRECOGNISED = "UNRECOGNISED"
    """Not a swipe: no sentinels, cut off, or mixed with something else."""


@dataclass(frozen=True, slots=True)
class Screened:
    """The verdict on one swipe. `card` is there only if it was accepted."""

    kind: ReadClass
    card: CardRead | None = field(default=None, repr=False)


def screen(raw: str, allowlist: Allowlist = EMPTY) -> Screened:
    """The verdict on what a reader sent: one swipe, with or without its terminator. Raises nothing."""
    try:
        stripe = parse(raw)
    except NotReadable:
        return Screened(ReadClass.UNRECOGNISED)
    if stripe.damaged:
        return Screened(ReadClass.BAD_READ)
    return _screen_shape(stripe, allowlist)


def accepts(card: CardRead, allowlist: Allowlist = EMPTY) -> bool:
    """Whether a card that a terminal reports is one that this screen would have accepted, exactly as reported."""
    return screen(card.stripe, allowlist).card == card


def _screen_shape(stripe: Stripe, allowlist: Allowlist) -> Screened:
    if found := _FORMAT_1.fullmatch(stripe.text):
        kind, track1, track2 = ReadClass.ACCEPT_F1, None, stripe.tracks[0].data
    elif found := _FORMAT_2.fullmatch(stripe.text):
        kind, track1, track2 = ReadClass.ACCEPT_F2, stripe.tracks[0].data, stripe.tracks[1].data
    else:
        return Screened(ReadClass.NOT_ELIGIBLE)
    if any(_financial(number, allowlist) for number in found.groups()):
        return Screened(ReadClass.FINANCIAL)
    return Screened(kind, CardRead(stripe.text, track1, track2))


def _financial(number: str, allowlist: Allowlist) -> bool:
    """Whether a number, as it is or without the zeros it may be padded with, is a payment card's and not allowed for."""
    rules = [rule for form in {number, number.lstrip("0")} if (rule := find_rule(form))]
    if any(rule.absolute for rule in rules):
        return True
    return bool(rules) and not allowlist.holds(number)
