"""What a customer does at a terminal, made of what the terminal itself takes: keys and strokes."""

from __future__ import annotations

from typing import Final

from countertop.domain.errors import NotReadable
from countertop.terminal.agent import Agent
from countertop.terminal.view import Key, Stroke

SIGNATURE: Final[tuple[Stroke, ...]] = (
    ((120, 250), (150, 120), (190, 90), (210, 160), (180, 270), (140, 300), (220, 260), (300, 200)),
    ((300, 200), (330, 240), (370, 200), (390, 240), (430, 190), (470, 240), (520, 210), (640, 180), (760, 230), (880, 170)),
)
"""Somebody's signature."""


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
