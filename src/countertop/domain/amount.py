"""What a transaction's total is made of, and how it changes: edits, refunds, surcharge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from countertop.domain.money import Cents, Rate, percentage_of


class Part(StrEnum):
    """A part of the total, by the name of its field in `Amounts`."""

    BASE = "base"
    TAX = "tax"
    SHIPPING = "shipping"
    TIP = "tip"
    SURCHARGE = "surcharge"
    SURCHARGE_TAX = "surcharge_tax"
    FREIGHT = "freight"
    REJECT = "reject"


SURCHARGE_PARTS: Final = frozenset({Part.SURCHARGE, Part.SURCHARGE_TAX})
"""The parts that a surcharge is not itself taken of."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """The parts of a total, in cents, none negative. `reject` is the fee for charging a rejected ACH payment again."""

    base: Cents
    tax: Cents = 0
    shipping: Cents = 0
    tip: Cents = 0
    surcharge: Cents = 0
    surcharge_tax: Cents = 0
    freight: Cents = 0
    reject: Cents = 0

    @property
    def total(self) -> Cents:
        """The sum of all parts."""
        return sum(self.part(part) for part in Part)

    def part(self, part: Part) -> Cents:
        """One part by its name."""
        amount: Cents = getattr(self, part.value)
        return amount

    def changed(self, sent: Mapping[Part, Cents]) -> Amounts:
        """These amounts with the parts that were sent; parts that were not sent stay.

        This is the rule of edits, and of refunds as well: whoever refunds 1.00 of the base and says nothing of the tip gives the
        whole tip back.
        """
        return replace(self, **{part.value: amount for part, amount in sent.items()})

    def with_surcharge(self, rate: Rate) -> Amounts:
        """These amounts with a surcharge of so many percent of all other parts, half a cent rounded up."""
        subject = sum(self.part(part) for part in Part if part not in SURCHARGE_PARTS)
        return replace(self, surcharge=percentage_of(subject, rate))
