"""The screens that a terminal can show, by the names that everything outside knows them by."""

from __future__ import annotations

from enum import StrEnum


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
