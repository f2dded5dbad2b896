"""What a point of sale asks a terminal to do: one value per kind of request.

Orders travel unchanged from the gateway's door to the terminal's machine, so they hold our words and units
(cents, ISO codes), never the vendor's. Each has a `kind`, by which a decoder tells them apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from countertop.domain.amount import Amounts, Part
from countertop.domain.intent import Action
from countertop.domain.money import Cents, Rate
from countertop.domain.payment import Network


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
    `surcharge_rate` is None, and left out where an order is written, unless a surcharge is taken.
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
    surcharge_rate: Annotated[Rate | None, Field(exclude_if=lambda rate: rate is None)] = None
    kind: Literal[Kind.PAYMENT] = Kind.PAYMENT

    def offers_receipt_to(self, address: str) -> bool:
        """Whether the customer may have the receipt sent to an address: to the one that the point of sale gave, if it asks."""
        return self.show_receipt_prompt and bool(address) and address == self.receipt_email

    def rate(self, network: Network | None = None) -> Rate | None:
        """The rate of the surcharge on that network. It is for credit only: the networks forbid one on debit."""
        return None if network is Network.DEBIT else self.surcharge_rate

    def charged(self, tip: Cents = 0, network: Network | None = None) -> Amounts:
        """What is charged once the customer has added a tip and chosen a network. A surcharge is taken of the tip too.

        The terminal shows the total of this and the gateway charges it.
        """
        amounts = self.amounts.changed({Part.TIP: self.amounts.tip + tip})
        return amounts if self.surcharge_rate is None else amounts.with_surcharge(self.rate(network) or 0)


Order = Annotated[ReadOrder | PromptOrder | InputOrder | SignatureOrder | PaymentOrder, Field(discriminator="kind")]
