"""The cards in the tray beside a virtual terminal."""

from __future__ import annotations

from typing import Final

from countertop.terminal.readers.simulated import CARDS
from countertop.terminal.screen.tray import TrayCard

TRAY: Final = (
    TrayCard(
        "gift",
        "gift",
        {"en": "Gift card", "es": "Tarjeta de regalo"},
        {"en": "Track 2 only, digits", "es": "Solo pista 2, dígitos"},
        CARDS["gift"],
    ),
    TrayCard(
        "member",
        "member",
        {"en": "Membership card", "es": "Tarjeta de socio"},
        {"en": "Tracks 1 and 2", "es": "Pistas 1 y 2"},
        CARDS["membership"],
    ),
    TrayCard(
        "worn",
        "worn",
        {"en": "Worn card", "es": "Tarjeta gastada"},
        {"en": "Cannot be read", "es": "No se puede leer"},
        CARDS["unreadable"],
    ),
    TrayCard(
        "bank",
        "bank",
        {"en": "Bank card", "es": "Tarjeta bancaria"},
        {"en": "Must be refused", "es": "Debe rechazarse"},
        CARDS["bank"],
    ),
)
