"""What a customer is asked before the card: a tip, and over which network to pay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from countertop.domain.money import MAX_AMOUNT, Cents, Rate, percentage_of
from countertop.domain.order import PaymentOrder
from countertop.domain.payment import Network
from countertop.protocol.screens import Screen
from countertop.terminal.act import NOTHING, Act, Face, Step
from countertop.terminal.view import DIGITS, Button, Key
from countertop.terminal.words import Text, dollars

TIPS: Final[dict[Key, Rate]] = {Key.BUTTON_1: 15_000, Key.BUTTON_2: 18_000, Key.BUTTON_3: 20_000}
"""The tips that are offered, of the base amount."""
NO_TIP: Final = Key.BUTTON_4


class TipStage(Act):
    """Choosing a tip: one of three, an amount of one's own, typed in cents, or none."""

    def __init__(self, order: PaymentOrder, done: Callable[[Cents], None]) -> None:
        self.screen = Screen.TIP
        self._order = order
        offers = {key: percentage_of(order.amounts.base, rate) for key, rate in TIPS.items()}
        self._offers = {key: tip for key, tip in offers.items() if self._fits(tip)}
        self._done = done
        self._typed: Cents = 0

    def face(self, text: Text) -> Face:
        """What there is to pay, or the tip as far as it is typed. Enter takes that, or none if nothing is typed."""
        offers = [Button(key, f"{TIPS[key] // 1000} %", dollars(tip)) for key, tip in self._offers.items()]
        keys = [*self._offers, NO_TIP, *DIGITS, Key.ENTER]
        keys += [Key.CLEAR] if self._typed else []
        entry = dollars(self._typed) if self._typed else None
        return Face(
            text.headline,
            (entry or dollars(self._order.amounts.total),),
            (*keys, *cancelling(self._order)),
            (*offers, Button(NO_TIP, text.more["none"])),
            entry=entry,
        )

    def press(self, key: Key) -> Step:
        """Buttons and the green key end it; digits add, the yellow key takes away."""
        if key in self._offers or key in (NO_TIP, Key.ENTER):
            self._done(self._offers.get(key, self._typed if key is Key.ENTER else 0))
        elif key is Key.CLEAR:
            self._typed //= 10
        elif self._fits(typed := 10 * self._typed + int(key)):
            self._typed = typed
        return NOTHING

    def _fits(self, tip: Cents) -> bool:
        """Whether so much can be charged."""
        return self._order.charged(tip).total <= MAX_AMOUNT


class NetworkStage(Act):
    """Choosing between debit and credit."""

    def __init__(self, order: PaymentOrder, done: Callable[[Network], None]) -> None:
        self.screen = Screen.PROMPT
        self._order = order
        self._done = done

    def face(self, text: Text) -> Face:
        """A button for each."""
        buttons = (Button(Key.BUTTON_1, text.more["debit"]), Button(Key.BUTTON_2, text.more["credit"]))
        return Face(text.more["network"], (), (Key.BUTTON_1, Key.BUTTON_2, *cancelling(self._order)), buttons)

    def press(self, key: Key) -> Step:
        """Either button ends it."""
        self._done(Network.DEBIT if key is Key.BUTTON_1 else Network.CREDIT)
        return NOTHING


def cancelling(order: PaymentOrder) -> tuple[Key, ...]:
    """The red X, where a customer may end the payment before a card was taken."""
    return (Key.CANCEL,) if order.customer_may_cancel else ()
