"""What a merchant means to do with money, written down before any processor is asked.

An intent without a decision beside it is a payment that nobody knows the end of: whoever finds one (after a crash, a time-out)
reverses it. Everything that a reversal needs is therefore here, and nothing of the card.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from countertop.domain.amount import Amounts
from countertop.domain.clock import Instant
from countertop.domain.response import AvsMode


class Action(StrEnum):
    """Which way money goes. The words are the wire's."""

    CHARGE = "CHARGE"
    REFUND = "REFUND"
    VERIFY = "VERIFY"


@dataclass(frozen=True, slots=True)
class Intent:
    """One question to a processor.

    `number` is the transaction's id: it never repeats, so a message and its reversal are recognised by it. `hold` asks for the
    money to be held and not taken yet. `billing_address` and `billing_zip` are what the address check compares. `original` is the
    number of the transaction whose payer is meant, where no card is at hand; a `bank_account` is no card at all.
    """

    number: int
    action: Action
    amounts: Amounts
    created: Instant
    terminal_id: int
    merchant_number: str
    hold: bool = False
    invoice_number: str = ""
    avs: AvsMode = AvsMode.OFF
    billing_address: str = field(default="", repr=False)
    billing_zip: str = field(default="", repr=False)
    check_cvv: bool = False
    original: int | None = None
    bank_account: bool = False
