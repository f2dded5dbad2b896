"""What a customer's act gave: one value per kind of request, tagged like the orders.

A result may hold what was on a card, so its `repr` shows its kind and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from countertop.domain.order import Kind


@dataclass(frozen=True, slots=True)
class CardRead:
    """An accepted stripe: as swiped with its sentinels, and each track without them (None: the card has no such track)."""

    stripe: str = field(repr=False)
    track1: str | None = field(repr=False)
    track2: str | None = field(repr=False)
    kind: Literal[Kind.READ] = Kind.READ


@dataclass(frozen=True, slots=True)
class ButtonPressed:
    """The label of the button that the customer pressed."""

    button: str
    kind: Literal[Kind.PROMPT] = Kind.PROMPT


@dataclass(frozen=True, slots=True)
class InputEntered:
    """What the customer typed: for a phone number its ten digits."""

    text: str = field(repr=False)
    kind: Literal[Kind.INPUT] = Kind.INPUT


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature as strokes: each a list of points (x, y) in a field of 1000 × 400 units, origin at the top left."""

    strokes: tuple[tuple[tuple[int, int], ...], ...] = field(repr=False)
    kind: Literal[Kind.SIGNATURE] = Kind.SIGNATURE


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment that was decided, with what the customer gave afterwards: a signature as in `Signed`, where to send a receipt."""

    transaction_id: int
    strokes: tuple[tuple[tuple[int, int], ...], ...] | None = field(default=None, repr=False)
    receipt_email: str | None = field(default=None, repr=False)
    kind: Literal[Kind.PAYMENT] = Kind.PAYMENT


Result = Annotated[CardRead | ButtonPressed | InputEntered | Signed | Paid, Field(discriminator="kind")]
