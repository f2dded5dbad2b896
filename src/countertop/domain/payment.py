"""A payment at a terminal: what is stored beside its order, what the terminal adds to it, and what the terminal hears of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from countertop.domain.money import Cents
from countertop.domain.sealed_card import SealedCard
from countertop.domain.transaction import Details


class Network(StrEnum):
    """Over which network a customer wants to pay, where there is a choice."""

    DEBIT = "DEBIT"
    CREDIT = "CREDIT"


@dataclass(frozen=True, slots=True)
class PaymentDetails:
    """What a point of sale says of a payment and no terminal needs to know."""

    details: Details = field(default_factory=Details)
    note: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class TakenCard:
    """What a terminal says once it has a card: the card, sealed; the tip, in cents; the network, if the customer chose one."""

    card: SealedCard
    tip: Cents = 0
    network: Network | None = None


@dataclass(frozen=True, slots=True)
class PaymentDecided:
    """What a terminal is told: whether the payment was approved, its transaction and total in cents, and what to ask for next."""

    approved: bool
    transaction_id: int
    total: Cents
    signature: bool
    receipt: bool
