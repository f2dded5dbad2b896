"""What a customer does for one order: one class a kind, from the first screen to the ending.

An act knows its screens and keys and nothing of requests, connections or deadlines; those are the machine's. A kind of order is
added by writing its act and naming it in `repertoire.begin`. Payments have a room of their own, `terminal.payment`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import phonenumbers

from countertop.domain.allowlist import Allowlist
from countertop.domain.card import PaymentCard
from countertop.domain.clock import Instant
from countertop.domain.order import PromptOrder, SignatureOrder
from countertop.domain.payment import PaymentDecided, TakenCard
from countertop.domain.request import Outcome
from countertop.domain.result import ButtonPressed, InputEntered, Result, Signed
from countertop.domain.screening import ReadClass, screen
from countertop.protocol.screens import Screen
from countertop.terminal.view import BUTTONS, DIGITS, Button, Cue, Key, Stroke
from countertop.terminal.words import Text

NOTICE: Final = 2_500
"""How long SWIPE_AGAIN and CARD_NOT_SUPPORTED stay, in milliseconds."""

MAX_BAD_READS: Final = 3
MAX_POINTS: Final = 4_000
"""Points of a signature: what fits a frame with room to spare. What is drawn beyond it is not taken."""

PHONE_DIGITS: Final = 10


@dataclass(frozen=True, slots=True)
class Face:
    """An act's part of the view."""

    headline: str
    lines: tuple[str, ...]
    keys: tuple[Key, ...]
    buttons: tuple[Button, ...] = ()
    entry: str | None = None
    strokes: tuple[Stroke, ...] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What a customer's doing led to: an ending, a sound, what kind of swipe it was, and whether it earns time anew.

    `card` is a payment card that was taken. With an ending come the second line of its last screen, where that has none of its
    own, and whether the customer has seen that screen already (`seen`).
    """

    outcome: Outcome | None = None
    result: Result | None = None
    cue: Cue | None = None
    read: StrEnum | None = None
    asks_time: bool = False
    card: TakenCard | None = field(default=None, repr=False)
    line: str = ""
    seen: bool = False


NOTHING: Final = Step()


class Act:
    """An act that takes no part in anything; each kind overrides what it answers to."""

    screen: Screen
    wakes_at: Instant | None = None
    """When `tick` has something to do."""
    waits: bool = False
    """Whether it is the gateway's turn: then no deadline ends it."""

    def face(self, text: Text) -> Face:
        """What to show, given the present screen's fixed words."""
        raise NotImplementedError

    def press(self, key: Key) -> Step:
        """A key of `face().keys` other than the red X, which the machine answers to."""
        del key
        return NOTHING

    def swipe(self, raw: str, now: Instant) -> Step:
        """What a reader gave, sentinels included."""
        del raw, now
        return NOTHING

    def present(self, card: PaymentCard) -> Step:
        """A payment card was read in another way than by its stripe."""
        del card
        return NOTHING

    def decide(self, decided: PaymentDecided, now: Instant) -> Step:
        """The gateway tells what became of a payment."""
        del decided, now
        return NOTHING

    def draw(self, strokes: Sequence[Stroke]) -> None:
        """The whole of what is on the pad now."""

    def tick(self, now: Instant) -> None:
        """Time has passed."""


class ReadAct(Act):
    """Reading a stripe. The reader stays armed while the customer is told that a card was not readable or not supported."""

    def __init__(self, allowlist: Allowlist) -> None:
        self.screen = Screen.SWIPE_CARD
        self._allowlist = allowlist
        self._bad_reads = 0

    def face(self, text: Text) -> Face:
        """The screen's words; only the red X acts."""
        return Face(text.headline, (text.line,), (Key.CANCEL,))

    def swipe(self, raw: str, now: Instant) -> Step:
        """Takes an eligible card; tells the others apart. The third unreadable swipe is the last."""
        screened = screen(raw, self._allowlist)
        if screened.card is not None:
            return Step(Outcome.CARD_READ, screened.card, Cue.TAKEN, screened.kind)
        if screened.kind in (ReadClass.NOT_ELIGIBLE, ReadClass.FINANCIAL):
            self._notice(Screen.CARD_NOT_SUPPORTED, now)
            return Step(cue=Cue.REFUSED, read=screened.kind)
        self._bad_reads += 1
        if self._bad_reads >= MAX_BAD_READS:
            return Step(Outcome.READ_FAILED, None, Cue.REFUSED, screened.kind)
        self._notice(Screen.SWIPE_AGAIN, now)
        return Step(cue=Cue.REFUSED, read=screened.kind, asks_time=True)

    def tick(self, now: Instant) -> None:
        """Ends a notice whose time is over."""
        if self.wakes_at is not None and now >= self.wakes_at:
            self.screen = Screen.SWIPE_CARD
            self.wakes_at = None

    def _notice(self, screen: Screen, now: Instant) -> None:
        self.screen = screen
        self.wakes_at = now + NOTICE


class PromptAct(Act):
    """Choosing one of up to three buttons below a text."""

    def __init__(self, order: PromptOrder) -> None:
        self.screen = Screen.PROMPT
        self._text = order.text
        self._labels = dict(zip(BUTTONS, order.buttons, strict=False))

    def face(self, text: Text) -> Face:
        """The order's own words; the buttons and the red X act."""
        del text
        buttons = tuple(Button(key, label) for key, label in self._labels.items())
        return Face(self._text, (), (*self._labels, Key.CANCEL), buttons)

    def press(self, key: Key) -> Step:
        """Any button ends it."""
        return Step(Outcome.BUTTON_PRESSED, ButtonPressed(self._labels[key]))


class InputAct(Act):
    """Typing a phone number of the United States."""

    def __init__(self) -> None:
        self.screen = Screen.INPUT
        self._digits = ""

    def face(self, text: Text) -> Face:
        """The number as far as it is typed, grouped; enter acts when it is valid."""
        keys = (*DIGITS, Key.CLEAR, Key.ENTER, Key.CANCEL) if self._valid else (*DIGITS, Key.CLEAR, Key.CANCEL)
        entry = grouped(self._digits)
        return Face(text.headline, (entry,), keys, entry=entry)

    def press(self, key: Key) -> Step:
        """Digits add, the yellow key takes away, the green key ends it."""
        if key is Key.ENTER:
            return Step(Outcome.INPUT_ENTERED, InputEntered(self._digits))
        self._digits = self._digits[:-1] if key is Key.CLEAR else (self._digits + key)[:PHONE_DIGITS]
        return NOTHING

    @property
    def _valid(self) -> bool:
        if len(self._digits) < PHONE_DIGITS:
            return False
        return phonenumbers.is_valid_number_for_region(phonenumbers.parse(self._digits, "US"), "US")


class SignatureAct(Act):
    """Signing below terms."""

    def __init__(self, order: SignatureOrder) -> None:
        self.screen = Screen.SIGNATURE
        self._terms = order.terms
        self._strokes: tuple[Stroke, ...] = ()

    def face(self, text: Text) -> Face:
        """The terms and the pad; clear and enter act once there is something on it."""
        keys = (Key.CLEAR, Key.ENTER, Key.CANCEL) if self._strokes else (Key.CANCEL,)
        return Face(text.headline, (self._terms,), keys, strokes=self._strokes)

    def press(self, key: Key) -> Step:
        """The yellow key wipes the pad, the green key ends it."""
        if key is Key.ENTER:
            return Step(Outcome.SIGNED, Signed(self._strokes))
        self._strokes = ()
        return NOTHING

    def draw(self, strokes: Sequence[Stroke]) -> None:
        """Takes what fits on the pad."""
        self._strokes = fitting(strokes)


def fitting(strokes: Sequence[Stroke]) -> tuple[Stroke, ...]:
    """Strokes, kept inside the pad, until the points run out."""
    left = MAX_POINTS
    taken: list[Stroke] = []
    for stroke in strokes:
        inside = tuple((min(max(x, 0), 1000), min(max(y, 0), 400)) for x, y in stroke[:left])
        left -= len(inside)
        if inside:
            taken.append(inside)
    return tuple(taken)


def grouped(digits: str) -> str:
    """A phone number as it is shown while it is typed: `805`, `(805) 5`, `(805) 555-1234`."""
    area, exchange, line = digits[:3], digits[3:6], digits[6:]
    if line:
        return f"({area}) {exchange}-{line}"
    return f"({area}) {exchange}" if exchange else area
