"""What there is to see, hear and press at a terminal at one moment: every picture of a terminal is drawn from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from countertop.domain.clock import Instant
from countertop.protocol.screens import Screen

Point = tuple[int, int]
"""x from 0 to 1000, y from 0 to 400; the origin is at the top left."""

Stroke = tuple[Point, ...]
"""What is drawn between pen down and pen up."""


class Key(StrEnum):
    """A key of the keypad, or a button on the display."""

    CANCEL = "CANCEL"
    CLEAR = "CLEAR"
    ENTER = "ENTER"
    BUTTON_1 = "BUTTON_1"
    BUTTON_2 = "BUTTON_2"
    BUTTON_3 = "BUTTON_3"
    BUTTON_4 = "BUTTON_4"
    DIGIT_0 = "0"
    DIGIT_1 = "1"
    DIGIT_2 = "2"
    DIGIT_3 = "3"
    DIGIT_4 = "4"
    DIGIT_5 = "5"
    DIGIT_6 = "6"
    DIGIT_7 = "7"
    DIGIT_8 = "8"
    DIGIT_9 = "9"


DIGITS = tuple(key for key in Key if len(key) == 1)
BUTTONS = (Key.BUTTON_1, Key.BUTTON_2, Key.BUTTON_3, Key.BUTTON_4)


class Presented(StrEnum):
    """What a card turned out to be where a payment card is asked for, beside the classes of `domain.screening.ReadClass`."""

    PAYMENT = "PAYMENT"
    """A payment card that was taken."""
    CHIP_SWIPED = "CHIP_SWIPED"
    """A payment card whose stripe says that it has a chip: it is to be inserted."""


class Cue(StrEnum):
    """A sound: one short tone when a card is taken, three low ones when it is not."""

    TAKEN = "TAKEN"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Sound:
    """The latest cue. `count` grows with each, so whoever draws the view plays each once: when the count has grown."""

    cue: Cue
    count: int


@dataclass(frozen=True, slots=True)
class Button:
    """A button on the display: the key that it stands for, its label, and a smaller line below it ("" for none)."""

    key: Key
    label: str
    detail: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Pairing:
    """What an operator needs to confirm this terminal.

    `code` is shown large; `address` is where to type it; `picture` is an SVG of a QR code that leads there with the code in it.
    """

    code: str
    address: str
    picture: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class View:
    """What a terminal shows now.

    `keys` are the keys that act, buttons included; all others do nothing. `entry` is what has been typed, grouped as it is shown,
    `strokes` what has been drawn; None where nothing is typed or drawn. `deadline` is when the request ends by itself and
    `allowed` the milliseconds from the bar's full length to that instant; both None without a request. `last_swipe` is the class
    of the latest swipe (a name of `domain.screening.ReadClass` or `Presented`), never a digit of it. A request that waits for a
    payment's decision does not end by itself: it has no deadline.
    """

    screen: Screen
    headline: str
    lines: tuple[str, ...]
    buttons: tuple[Button, ...]
    keys: tuple[Key, ...]
    entry: str | None = field(repr=False)
    strokes: tuple[Stroke, ...] | None = field(repr=False)
    request_id: str | None
    deadline: Instant | None
    allowed: int | None
    sound: Sound | None
    language: str
    online: bool
    nick_name: str
    merchant: str
    server: str
    last_swipe: str | None
    pairing: Pairing | None
