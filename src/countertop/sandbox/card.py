"""The cards in the tray beside a virtual terminal. Their numbers belong to nobody."""

from __future__ import annotations

from typing import Final

from countertop.terminal.screen.tray import TrayCard

TRAY: Final = (
    TrayCard(
        "gift",
        "gift",
        {"en": "Gift card", "es": "Tarjeta de regalo"},
        {"en": "Track 2 only, digits", "es": "Solo pista 2, dígitos"},
        ";7090112233654321?",
    ),
    TrayCard(
        "member",
        "member",
        {"en": "Membership card", "es": "Tarjeta de socio"},
        {"en": "Tracks 1 and 2", "es": "Pistas 1 y 2"},
        "%B924696827707852^?;924696827707852=?",
    ),
    TrayCard(
        "worn",
        "worn",
        {"en": "Worn card", "es": "Tarjeta gastada"},
        {"en": "Cannot be read", "es": "No se puede leer"},
        ";E?",
    ),
    TrayCard(
        "bank",
        "bank",
        {"en": "Bank card", "es": "Tarjeta bancaria"},
        {"en": "Must be refused", "es": "Debe rechazarse"},
        "%B4111111111111111^CARDHOLDER/TEST^30121010000000000000?;4111111111111111=30121010000000000000?",
    ),
)
