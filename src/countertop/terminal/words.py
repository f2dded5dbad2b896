"""What a terminal says to a customer, in each language that it speaks."""

from __future__ import annotations

from typing import Final, NamedTuple

from countertop.protocol.screens import Screen


class Text(NamedTuple):
    """A screen's fixed words; "" where the content comes from the request or the merchant."""

    headline: str
    line: str


_ENGLISH: Final = {
    Screen.IDLE: Text("Welcome", ""),
    Screen.SWIPE_CARD: Text("Please swipe your card", "Gift or membership card"),
    Screen.SWIPE_AGAIN: Text("Please swipe again", "We could not read the card"),
    Screen.CARD_NOT_SUPPORTED: Text("Card not supported", "Please use another card"),
    Screen.CARD_READ: Text("Thank you", "You may put your card away"),
    Screen.CANCELLED: Text("Cancelled", ""),
    Screen.PROMPT: Text("", ""),
    Screen.INPUT: Text("Your phone number", ""),
    Screen.SIGNATURE: Text("Please sign", ""),
    Screen.OFFLINE: Text("One moment, please", "Connecting"),
    Screen.PAIRING: Text("", "Confirm this code in the console"),
}

_SPANISH: Final = {
    Screen.IDLE: Text("Bienvenido", ""),
    Screen.SWIPE_CARD: Text("Deslice su tarjeta", "Tarjeta de regalo o de socio"),
    Screen.SWIPE_AGAIN: Text("Deslice otra vez", "No pudimos leer la tarjeta"),
    Screen.CARD_NOT_SUPPORTED: Text("Tarjeta no admitida", "Use otra tarjeta"),
    Screen.CARD_READ: Text("Gracias", "Puede guardar su tarjeta"),
    Screen.CANCELLED: Text("Cancelado", ""),
    Screen.PROMPT: Text("", ""),
    Screen.INPUT: Text("Su teléfono", ""),
    Screen.SIGNATURE: Text("Firme aquí", ""),
    Screen.OFFLINE: Text("Un momento, por favor", "Conectando"),
    Screen.PAIRING: Text("", "Confirme este código en la consola"),
}

WORDS: Final = {"en": _ENGLISH, "es": _SPANISH}
"""Language (ISO 639-1) → screen → words. Every language has the same screens."""
