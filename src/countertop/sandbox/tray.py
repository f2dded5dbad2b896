"""The cards beside a virtual terminal: one for each thing that can come of a swipe."""

from __future__ import annotations

from typing import Final

from countertop.terminal.screen.tray import TrayCard

CARDS: Final = (
    TrayCard(
        "gift",
        "gift",
        {"en": "Gift card", "es": "Tarjeta de regalo"},
        {"en": "Format 1: digits on track 2", "es": "Formato 1: dígitos en la pista 2"},
        ";7090112233654321?",
    ),
    TrayCard(
        "member",
        "member",
        {"en": "Membership card", "es": "Tarjeta de socio"},
        {"en": "Format 2: tracks 1 and 2", "es": "Formato 2: pistas 1 y 2"},
        "%B924696827707852^?;924696827707852=?",
    ),
    TrayCard(
        "worn",
        "worn",
        {"en": "Worn card", "es": "Tarjeta gastada"},
        {"en": "Cannot be read", "es": "No se puede leer"},
        "%E?;E?",
    ),
    TrayCard(
        "bank",
        "bank",
        {"en": "Bank card", "es": "Tarjeta bancaria"},
        {"en": "Not supported, goes nowhere", "es": "No admitida, no sale de aquí"},
        "%B4111111111111111^TEST/CARD^30121010000000000000?;4111111111111111=30121010000000000000?",
    ),
)
"""In the order in which they lie there."""
