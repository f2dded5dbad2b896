"""What a page may say over its link: one JSON object with one member.

{"key": "CANCEL"}                   a key of the keypad, or a button on the display
{"stripe": ";70901…?"}              what a keyboard-wedge reader typed
{"card": "gift"}                    a card of the tray, by its name, is swiped
{"card": "credit", "entry": "CHIP"} the same is inserted (CHIP) or tapped (TAP)
{"signature": [[[x, y], …], …]}     the whole of what is on the pad now, in 1000 × 400 units
{"language": "es"}                  the customer's language
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from countertop.domain.card import Entry
from countertop.domain.errors import NotReadable
from countertop.terminal.screen.operated import Operated
from countertop.terminal.screen.tray import TrayCard
from countertop.terminal.view import Key, Stroke
from countertop.terminal.words import WORDS

MAX_MESSAGE: Final = 64 * 1024
"""Largest message in characters. The largest legal one is a signature."""
MAX_STRIPE: Final = 512
"""Longest stripe in characters; the longest that a card can hold has 226."""
MAX_STROKES: Final = 1_000

NO_CHIP: Final = ";E?"
"""What comes of a card without a chip that is inserted: the reader could read nothing."""

Tray = Mapping[str, TrayCard]
"""The cards that a page offers, by name."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Pressed(_Message):
    """A key was pressed."""

    key: Key

    def act(self, terminal: Operated, tray: Tray) -> None:
        """Presses it."""
        del tray
        terminal.press(self.key)


class Swiped(_Message):
    """A reader typed a stripe."""

    stripe: str = Field(max_length=MAX_STRIPE, repr=False)

    def act(self, terminal: Operated, tray: Tray) -> None:
        """Swipes it."""
        del tray
        terminal.swipe(self.stripe)


class Chosen(_Message):
    """A card of the tray was swiped, inserted or tapped."""

    card: str = Field(max_length=64)
    entry: Literal["SWIPE", "CHIP", "TAP"] = "SWIPE"

    def act(self, terminal: Operated, tray: Tray) -> None:
        """Reads what is on it. Raises NotReadable if the tray has no such card."""
        if self.card not in tray:
            raise NotReadable("there is no such card in the tray")
        card = tray[self.card]
        if self.entry == "SWIPE":
            terminal.swipe(card.stripe)
        elif card.chip is None:
            terminal.swipe(NO_CHIP)
        else:
            terminal.present(replace(card.chip, entry=Entry(self.entry)))


class Drawn(_Message):
    """Something was drawn on the pad."""

    signature: tuple[Stroke, ...] = Field(max_length=MAX_STROKES, repr=False)

    def act(self, terminal: Operated, tray: Tray) -> None:
        """Draws it."""
        del tray
        terminal.draw(self.signature)


class Spoken(_Message):
    """The customer chose a language."""

    language: str = Field(max_length=8)

    def act(self, terminal: Operated, tray: Tray) -> None:
        """Speaks it. Raises NotReadable if the terminal cannot."""
        del tray
        if self.language not in WORDS:
            raise NotReadable("the terminal does not speak that language")
        terminal.speak(self.language)


Message = Pressed | Swiped | Chosen | Drawn | Spoken
_MESSAGE: TypeAdapter[Message] = TypeAdapter(Message)


def read_message(text: str) -> Message:
    """What a page said. Raises NotReadable, without a word of it, if it may not say that."""
    try:
        return _MESSAGE.validate_json(text)
    except ValidationError:
        raise NotReadable("not a legal message") from None
