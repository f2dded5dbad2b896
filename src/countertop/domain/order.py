"""What a point of sale asks a terminal to do: one value per kind of request.

Orders travel unchanged from the gateway's door to the terminal's machine, so they hold our words and units
(cents, ISO codes), never the vendor's. Each has a `kind`, by which a decoder tells them apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field


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


Order = Annotated[ReadOrder | PromptOrder | InputOrder | SignatureOrder, Field(discriminator="kind")]
