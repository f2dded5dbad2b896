"""What a point of sale asks a terminal to do: one value per kind of request.

Orders travel unchanged from the gateway's door to the terminal's machine, so they hold our words and units
(cents, ISO codes), never the vendor's. Each has a `kind`, by which a decoder tells them apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from countertop.domain.amount import Amounts
from countertop.domain.intent import Action


class Kind(StrEnum):
    """The kinds of Smart Terminal request."""

    READ = "read"
    PROMPT = "prompt"
    INPUT = "input"
    SIGNATURE = "signature"
    PAYMENT = "payment"


@dataclass(frozen=True, slots=True)
class ReadOrder:
    """Read the stripe of a non-financial card."""

    kind: Literal[Kind.READ] = Kind.READ


@dataclass(frozen=True, slots=True)
class PromptOrder:
    """Show a text with one to three buttons; the customer presses one."""

    text: str
    buttons: tuple[str, ...]
    kind: Literal[Kind.PROMPT] = Kind.PROMPT


@dataclass(frozen=True, slots=True)
class InputOrder:
    """Let the customer type something of a known form."""

    form: Literal["PHONE"]
    kind: Literal[Kind.INPUT] = Kind.INPUT


@dataclass(frozen=True, slots=True)
class SignatureOrder:
    """Show terms; the customer signs below them."""

    terms: str
    kind: Literal[Kind.SIGNATURE] = Kind.SIGNATURE


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """Take a payment card and charge it, or give money back to it.

    `amounts` are known before the customer acts; a tip may come on top if `allow_tips`. `keyed`: the card may be typed in.
    `customer_may_cancel`: the red X ends the request before a card was taken. `receipt_email` is offered for the receipt.
    """

    action: Action
    amounts: Amounts
    show_receipt_prompt: bool
    show_signature_prompt: bool
    allow_tips: bool
    keyed: bool
    debit_credit_prompt: bool
    customer_may_cancel: bool
    receipt_email: str = field(default="", repr=False)
    kind: Literal[Kind.PAYMENT] = Kind.PAYMENT


Order = Annotated[ReadOrder | PromptOrder | InputOrder | SignatureOrder | PaymentOrder, Field(discriminator="kind")]
