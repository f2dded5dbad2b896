"""The cards in the tray beside a virtual terminal."""

from __future__ import annotations

from typing import Final

from countertop.domain.card import Entry, PaymentCard
from countertop.sandbox.customer import EXPIRY, stripe_of
from countertop.sandbox.processor import EMPTY_CARD
from countertop.terminal.readers.simulated import CARDS
from countertop.terminal.screen.tray import TrayCard

APPROVED: Final = "4242424242424242"
WITHOUT_CHIP: Final = "5555555555554444"

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
        "credit",
        "credit",
        {"en": "Credit card", "es": "Tarjeta de crédito"},
        {"en": "Approved up to $4,999", "es": "Aprobada hasta $4,999"},
        stripe_of(APPROVED, "201"),
        ("payment",),
        PaymentCard(APPROVED, EXPIRY, Entry.CHIP),
    ),
    TrayCard(
        "empty",
        "empty",
        {"en": "Empty card", "es": "Tarjeta sin fondos"},
        {"en": "Declined: insufficient funds", "es": "Rechazada: fondos insuficientes"},
        stripe_of(EMPTY_CARD, "201"),
        ("payment",),
        PaymentCard(EMPTY_CARD, EXPIRY, Entry.CHIP),
    ),
    TrayCard(
        "chipless",
        "chipless",
        {"en": "Card without a chip", "es": "Tarjeta sin chip"},
        {"en": "Approved when swiped", "es": "Aprobada al deslizarla"},
        stripe_of(WITHOUT_CHIP),
        ("payment",),
    ),
    TrayCard(
        "worn",
        "worn",
        {"en": "Worn card", "es": "Tarjeta gastada"},
        {"en": "Cannot be read", "es": "No se puede leer"},
        CARDS["unreadable"],
        ("read", "payment"),
    ),
    TrayCard(
        "bank",
        "bank",
        {"en": "Bank card", "es": "Tarjeta bancaria"},
        {"en": "Must be refused", "es": "Debe rechazarse"},
        CARDS["bank"],
    ),
)
