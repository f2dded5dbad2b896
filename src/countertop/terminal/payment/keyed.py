"""Typing a payment card's number, expiry and security code. What is typed shows as dots, and is gone with the stage."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final

from countertop.domain.card import Entry, PaymentCard, parse_card_number, parse_cvv, parse_expiry
from countertop.domain.errors import NotReadable
from countertop.domain.order import PaymentOrder
from countertop.protocol.screens import Screen
from countertop.terminal.act import NOTHING, Act, Face, Step
from countertop.terminal.payment.choice import cancelling
from countertop.terminal.view import DIGITS, Key
from countertop.terminal.words import Text

DOT: Final = "•"
USUAL_NUMBER: Final = 16
"""Digits from which a number whose check digit is wrong is called wrong; until then there may be more to come."""


class Part(Enum):
    """What is typed, in this order: its name among the words, and how many digits it has at most."""

    NUMBER = ("number", 19)
    EXPIRY = ("expiry", 4)
    CODE = ("code", 4)

    def __init__(self, word: str, longest: int) -> None:
        self.word = word
        self.longest = longest


PARTS: Final = tuple(Part)


class KeyedStage(Act):
    """Typing a card. The green key goes on once a part can be right; the yellow one takes away, and from an empty part goes back.

    `take` gets the card; `back` is called when the customer leaves the first part.
    """

    def __init__(self, order: PaymentOrder, take: Callable[[PaymentCard], Step], back: Callable[[], None]) -> None:
        self.screen = Screen.KEYED_CARD
        self._order = order
        self._take = take
        self._back = back
        self._part = Part.NUMBER
        self._typed = dict.fromkeys(Part, "")

    def face(self, text: Text) -> Face:
        """The part that is typed now, as dots."""
        digits = self._typed[self._part]
        wrong = self._part is Part.NUMBER and len(digits) >= USUAL_NUMBER and not self._right
        enter = (Key.ENTER,) if self._right else ()
        keys = (*DIGITS, Key.CLEAR, *enter, *cancelling(self._order))
        entry = masked(self._part, len(digits))
        return Face(text.more["wrong" if wrong else self._part.word], (entry,), keys, entry=entry)

    def press(self, key: Key) -> Step:
        """Digits add, the yellow key takes away or goes back, the green key goes on; after the last part there is a card."""
        digits = self._typed[self._part]
        if key is Key.ENTER:
            return self._go_on()
        if key is not Key.CLEAR:
            self._typed[self._part] = (digits + key)[: self._part.longest]
        elif digits:
            self._typed[self._part] = digits[:-1]
        elif self._part is PARTS[0]:
            self._back()
        else:
            self._part = PARTS[PARTS.index(self._part) - 1]
        return NOTHING

    def _go_on(self) -> Step:
        if self._part is PARTS[-1]:
            return self._take(self._card())
        self._part = PARTS[PARTS.index(self._part) + 1]
        return NOTHING

    @property
    def _right(self) -> bool:
        """Whether the present part can be what stands on a card."""
        try:
            self._check(self._part)
        except NotReadable:
            return False
        return True

    def _check(self, part: Part) -> None:
        match part:
            case Part.NUMBER:
                parse_card_number(self._typed[part])
            case Part.EXPIRY:
                parse_expiry(self._typed[part][:2], self._typed[part][2:])
            case Part.CODE:
                parse_cvv(self._typed[part])

    def _card(self) -> PaymentCard:
        number, expiry, code = (self._typed[part] for part in PARTS)
        return PaymentCard(parse_card_number(number), parse_expiry(expiry[:2], expiry[2:]), Entry.KEYED, parse_cvv(code))


def masked(part: Part, count: int) -> str:
    """How many digits are typed, and none of them, spaced as they are on a card: `•••• ••`, `••/•`."""
    dots = DOT * count
    if part is Part.EXPIRY:
        return f"{dots[:2]}/{dots[2:]}" if count > 2 else dots
    return " ".join(dots[at : at + 4] for at in range(0, count, 4))
