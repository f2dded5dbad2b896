"""Cards that lie beside a terminal's page. Which they are, a test server decides; a terminal on a counter has none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from countertop.domain.card import PaymentCard

Use = Literal["read", "payment"]
"""What a terminal may ask a card for."""


@dataclass(frozen=True, slots=True)
class TrayCard:
    """One card. The page gets its looks and words (language → text) and when to lay it out (`uses`).

    What is on it stays at the server: `stripe`, what a reader would type, and `chip`, if it has one (to tap as well).
    """

    name: str
    style: Literal["gift", "member", "worn", "bank", "credit", "empty", "chipless"]
    title: Mapping[str, str]
    note: Mapping[str, str]
    stripe: str = field(repr=False)
    uses: tuple[Use, ...] = ("read",)
    chip: PaymentCard | None = None
