"""The screens that a terminal can show, by the names that everything outside knows them by."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from countertop.domain.order import Kind
from countertop.domain.request import Outcome


class Screen(StrEnum):
    """What a customer sees."""

    IDLE = "IDLE"
    SWIPE_CARD = "SWIPE_CARD"
    SWIPE_AGAIN = "SWIPE_AGAIN"
    CARD_NOT_SUPPORTED = "CARD_NOT_SUPPORTED"
    CARD_READ = "CARD_READ"
    PROMPT = "PROMPT"
    INPUT = "INPUT"
    SIGNATURE = "SIGNATURE"
    TIP = "TIP"
    PRESENT_CARD = "PRESENT_CARD"
    KEYED_CARD = "KEYED_CARD"
    PROCESSING = "PROCESSING"
    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    RECEIPT = "RECEIPT"
    CANCELLED = "CANCELLED"
    PAIRING = "PAIRING"
    OFFLINE = "OFFLINE"


FIRST_SCREEN: Final[dict[Kind, Screen]] = {
    Kind.READ: Screen.SWIPE_CARD,
    Kind.PROMPT: Screen.PROMPT,
    Kind.INPUT: Screen.INPUT,
    Kind.SIGNATURE: Screen.SIGNATURE,
    Kind.PAYMENT: Screen.PRESENT_CARD,
}
"""The screen that each kind of request begins with. `shown` tells it, so no `screen` frame is spent on it."""

LAST_SCREEN: Final[dict[Outcome, Screen]] = {
    Outcome.CARD_READ: Screen.CARD_READ,
    Outcome.READ_FAILED: Screen.CANCELLED,
    Outcome.CUSTOMER_CANCELLED: Screen.CANCELLED,
    Outcome.APPROVED: Screen.APPROVED,
    Outcome.DECLINED: Screen.DECLINED,
}
"""The screen that takes leave of the customer after an outcome (IDLE for all others). `finished` tells it, likewise."""
