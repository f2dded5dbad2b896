"""What comes after the card: waiting for the decision, the good news, a signature, a receipt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from countertop.domain.clock import Instant
from countertop.domain.intent import Action
from countertop.domain.order import PaymentOrder
from countertop.domain.payment import PaymentDecided
from countertop.protocol.screens import Screen
from countertop.terminal.act import NOTHING, Act, Face, Step, fitting
from countertop.terminal.view import Button, Key, Stroke
from countertop.terminal.words import Text, dollars

APPROVED_STAYS: Final = 2_000
"""How long APPROVED is shown before the customer is asked for more, in milliseconds."""

MAIL: Final = Key.BUTTON_1
NO_RECEIPT: Final = Key.BUTTON_2

Strokes = tuple[Stroke, ...]


class ProcessingStage(Act):
    """Waiting for the decision, which nothing at the terminal can hasten or end."""

    def __init__(self) -> None:
        self.screen = Screen.PROCESSING
        self.waits = True

    def face(self, text: Text) -> Face:
        """The screen's words; no key acts."""
        return Face(text.headline, (text.line,), ())


class ApprovedStage(Act):
    """Saying that the payment is approved, for a moment; `done` is called after it."""

    def __init__(self, decided: PaymentDecided, now: Instant, done: Callable[[], object]) -> None:
        self.screen = Screen.APPROVED
        self.wakes_at = now + APPROVED_STAYS
        self._until = self.wakes_at
        self._total = decided.total
        self._done = done

    def face(self, text: Text) -> Face:
        """The amount; no key acts."""
        return Face(text.headline, (dollars(self._total),), ())

    def tick(self, now: Instant) -> None:
        """Goes on when the moment is over."""
        if now >= self._until:
            self._done()


class SignatureStage(Act):
    """Signing for the payment. There is no way back: what is decided is decided."""

    def __init__(self, order: PaymentOrder, decided: PaymentDecided, done: Callable[[Strokes], Step]) -> None:
        self.screen = Screen.SIGNATURE
        self._words = "refund" if order.action is Action.REFUND else "charge"
        self._total = decided.total
        self._done = done
        self._strokes: Strokes = ()

    def face(self, text: Text) -> Face:
        """What is signed for, and the pad; clear and enter act once there is something on it."""
        keys = (Key.CLEAR, Key.ENTER) if self._strokes else ()
        return Face(text.headline, (text.more[self._words].format(total=dollars(self._total)),), keys, strokes=self._strokes)

    def press(self, key: Key) -> Step:
        """The yellow key wipes the pad, the green key ends it."""
        if key is Key.ENTER:
            return self._done(self._strokes)
        self._strokes = ()
        return NOTHING

    def draw(self, strokes: Sequence[Stroke]) -> None:
        """Takes what fits on the pad."""
        self._strokes = fitting(strokes)


class ReceiptStage(Act):
    """Choosing a receipt: to the address that the point of sale gave, or none. Without an address there is one at the counter."""

    def __init__(self, address: str, done: Callable[[str | None], Step]) -> None:
        self.screen = Screen.RECEIPT
        self._address = address
        self._done = done

    def face(self, text: Text) -> Face:
        """The address, and a button for each choice."""
        none = Button(NO_RECEIPT, text.more["none"])
        if not self._address:
            return Face(text.headline, (text.more["ask"],), (NO_RECEIPT,), (none,))
        return Face(text.headline, (self._address,), (MAIL, NO_RECEIPT), (Button(MAIL, text.more["mail"]), none))

    def press(self, key: Key) -> Step:
        """Either button ends it."""
        return self._done(self._address if key is MAIL else None)
