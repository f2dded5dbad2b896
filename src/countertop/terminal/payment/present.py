"""Asking for a payment card: inserted, tapped or swiped."""

from __future__ import annotations

from collections.abc import Callable

from countertop.domain.card import PaymentCard, has_chip, parse_card_track
from countertop.domain.clock import Instant
from countertop.domain.errors import NotReadable
from countertop.domain.intent import Action
from countertop.domain.magstripe import parse
from countertop.domain.money import Cents
from countertop.domain.order import PaymentOrder
from countertop.domain.screening import ReadClass
from countertop.protocol.screens import Screen
from countertop.terminal.act import NOTHING, NOTICE, Act, Face, Step
from countertop.terminal.payment.choice import cancelling
from countertop.terminal.view import Cue, Key, Presented
from countertop.terminal.words import Text, dollars


class PresentStage(Act):
    """Waiting for a card. The reader stays armed while the customer is told that a card was not readable or not supported.

    `take` gets the card. `key_in` is called when the customer wants to type it; None: that is not allowed.
    """

    def __init__(
        self, order: PaymentOrder, total: Cents, take: Callable[[PaymentCard], Step], key_in: Callable[[], None] | None
    ) -> None:
        self.screen = Screen.PRESENT_CARD
        self._order = order
        self._total = total
        self._take = take
        self._key_in = key_in
        self._wants_chip = False

    def face(self, text: Text) -> Face:
        """The amount, large; or the notice."""
        if self.screen is not Screen.PRESENT_CARD:
            return Face(text.headline, (text.line,), cancelling(self._order))
        lines = [text.more["insert"] if self._wants_chip else text.line]
        if self._order.action is Action.REFUND:
            lines.insert(0, text.more["refund"])
        if self._key_in is None:
            return Face(dollars(self._total), tuple(lines), cancelling(self._order))
        return Face(dollars(self._total), (*lines, text.more["keyed"]), (Key.CLEAR, *cancelling(self._order)))

    def press(self, key: Key) -> Step:
        """The yellow key leads to the keypad."""
        if key is Key.CLEAR and self._key_in is not None:
            self._key_in()
        return NOTHING

    def present(self, card: PaymentCard) -> Step:
        """Takes an inserted or tapped card."""
        return self._take(card)

    def swipe(self, raw: str, now: Instant) -> Step:
        """Takes a payment card's stripe, unless the card has a chip, which has to be used."""
        try:
            damaged = parse(raw).damaged
        except NotReadable:
            return self._ask_again(ReadClass.UNRECOGNISED, now)
        if damaged:
            return self._ask_again(ReadClass.BAD_READ, now)
        try:
            card = parse_card_track(raw)
        except NotReadable:
            self._notice(Screen.CARD_NOT_SUPPORTED, now)
            return Step(cue=Cue.REFUSED, read=ReadClass.NOT_ELIGIBLE)
        if has_chip(raw):
            self._wants_chip = True
            self.screen, self.wakes_at = Screen.PRESENT_CARD, None
            return Step(cue=Cue.REFUSED, read=Presented.CHIP_SWIPED)
        return self._take(card)

    def tick(self, now: Instant) -> None:
        """Ends a notice whose time is over."""
        if self.wakes_at is not None and now >= self.wakes_at:
            self.screen, self.wakes_at = Screen.PRESENT_CARD, None

    def _ask_again(self, read: ReadClass, now: Instant) -> Step:
        self._notice(Screen.SWIPE_AGAIN, now)
        return Step(cue=Cue.REFUSED, read=read, asks_time=True)

    def _notice(self, screen: Screen, now: Instant) -> None:
        self.screen, self.wakes_at = screen, now + NOTICE
