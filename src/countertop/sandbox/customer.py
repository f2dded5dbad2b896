"""What a customer does at a terminal, made of what the terminal itself takes: keys, cards and strokes."""

from __future__ import annotations

from typing import Final

from countertop.domain.card import Entry, Expiry, PaymentCard
from countertop.domain.errors import NotReadable
from countertop.protocol.screens import Screen
from countertop.terminal.agent import Agent
from countertop.terminal.view import Key, Stroke

SIGNATURE: Final[tuple[Stroke, ...]] = (
    ((120, 250), (150, 120), (190, 90), (210, 160), (180, 270), (140, 300), (220, 260), (300, 200)),
    ((300, 200), (330, 240), (370, 200), (390, 240), (430, 190), (470, 240), (520, 210), (640, 180), (760, 230), (880, 170)),
)
"""Somebody's signature."""

EXPIRY: Final = Expiry(2049, 12)
CODE: Final = "999"
"""What stands on every card of a simulated customer beside its number; the test processor accepts both."""


def key_named(name: str) -> Key:
    """A key by its name. Raises NotReadable if there is none."""
    try:
        return Key(name)
    except ValueError:
        raise NotReadable("there is no such key") from None


def type_text(agent: Agent, text: str) -> None:
    """Presses the keys of a text, then ENTER. Raises NotReadable, before the first, if a character has no key."""
    keys = [key_named(character) for character in text]
    for key in (*keys, Key.ENTER):
        agent.press(key)


def sign(agent: Agent) -> None:
    """Signs and presses ENTER."""
    agent.draw(SIGNATURE)
    agent.press(Key.ENTER)


def present_card(agent: Agent, number: str, entry: Entry) -> None:
    """Inserts, taps, swipes or types a payment card. A swiped one has no chip; one is typed as far as the terminal lets it be."""
    if entry is Entry.SWIPE:
        agent.swipe(stripe_of(number))
    elif entry is not Entry.KEYED:
        agent.present(PaymentCard(number, EXPIRY, entry))
    elif agent.view.screen is Screen.PRESENT_CARD and Key.CLEAR in agent.view.keys:
        agent.press(Key.CLEAR)
        for text in (number, f"{EXPIRY.month:02d}{EXPIRY.year % 100:02d}", CODE):
            for digit in text:
                agent.press(Key(digit))
            if Key.ENTER not in agent.view.keys:
                return  # the terminal wants another number
            agent.press(Key.ENTER)


def stripe_of(number: str, service: str = "101") -> str:
    """What a reader types for a payment card. The service code's first digit says whether the card has a chip (2 or 6) or not."""
    rest = f"{EXPIRY.year % 100:02d}{EXPIRY.month:02d}{service}0000000000"
    return f"%B{number}^CARDHOLDER/TEST^{rest}?;{number}={rest}?"
