"""What a terminal says to a customer, in each language that it speaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from countertop.domain.money import Cents
from countertop.protocol.screens import Screen


class Text(NamedTuple):
    """A screen's fixed words; "" where the content comes from the request or the merchant. `more` is said on occasion."""

    headline: str
    line: str
    more: Mapping[str, str] = {}


_ENGLISH: Final = {
    Screen.IDLE: Text("Welcome", ""),
    Screen.SWIPE_CARD: Text("Please swipe your card", "Gift or membership card"),
    Screen.SWIPE_AGAIN: Text("Please swipe again", "We could not read the card"),
    Screen.CARD_NOT_SUPPORTED: Text("Card not supported", "Please use another card"),
    Screen.CARD_READ: Text("Thank you", "You may put your card away"),
    Screen.CANCELLED: Text("Cancelled", ""),
    Screen.PROMPT: Text("", "", {"network": "Debit or credit?", "debit": "Debit", "credit": "Credit"}),
    Screen.INPUT: Text("Your phone number", ""),
    Screen.SIGNATURE: Text("Please sign", "", {"charge": "I agree to pay {total}.", "refund": "I have been given {total} back."}),
    Screen.TIP: Text("Add a tip?", "", {"none": "No tip"}),
    Screen.PRESENT_CARD: Text(
        "",
        "Insert, swipe or tap",
        {"refund": "Refund", "insert": "This card has a chip: please insert it", "keyed": "or press < to type the number"},
    ),
    Screen.KEYED_CARD: Text(
        "", "", {"number": "Card number", "wrong": "Check the number", "expiry": "Expiry, MM/YY", "code": "Security code"}
    ),
    Screen.PROCESSING: Text("Please wait", "Do not remove your card"),
    Screen.APPROVED: Text("Approved", ""),
    Screen.DECLINED: Text("Declined", "Please use another card"),
    Screen.RECEIPT: Text("Receipt?", "", {"ask": "Please ask for one at the counter", "mail": "E-mail", "none": "No receipt"}),
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
    Screen.PROMPT: Text("", "", {"network": "¿Débito o crédito?", "debit": "Débito", "credit": "Crédito"}),
    Screen.INPUT: Text("Su teléfono", ""),
    Screen.SIGNATURE: Text("Firme aquí", "", {"charge": "Acepto pagar {total}.", "refund": "Me han devuelto {total}."}),
    Screen.TIP: Text("¿Propina?", "", {"none": "Sin propina"}),
    Screen.PRESENT_CARD: Text(
        "",
        "Inserte, deslice o acerque",
        {"refund": "Devolución", "insert": "Esta tarjeta tiene chip: insértela", "keyed": "o pulse < para teclear el número"},
    ),
    Screen.KEYED_CARD: Text(
        "",
        "",
        {"number": "Número de tarjeta", "wrong": "Revise el número", "expiry": "Caduca, MM/AA", "code": "Código de seguridad"},
    ),
    Screen.PROCESSING: Text("Espere", "No retire la tarjeta"),
    Screen.APPROVED: Text("Aprobado", ""),
    Screen.DECLINED: Text("Rechazado", "Use otra tarjeta"),
    Screen.RECEIPT: Text("¿Recibo?", "", {"ask": "Pídalo en el mostrador", "mail": "Correo", "none": "Sin recibo"}),
    Screen.OFFLINE: Text("Un momento, por favor", "Conectando"),
    Screen.PAIRING: Text("", "Confirme este código en la consola"),
}

WORDS: Final = {"en": _ENGLISH, "es": _SPANISH}
"""Language (ISO 639-1) → screen → words. Every language has the same screens."""


def dollars(amount: Cents) -> str:
    """An amount as a terminal shows it, in either language: `$1,042.50`."""
    return f"${amount // 100:,}.{amount % 100:02d}"
