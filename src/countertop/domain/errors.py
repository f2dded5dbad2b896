"""Everything that can go wrong on purpose.

    CountertopError
    ├── Refused                an order that cannot be carried out; nothing was changed
    │   ├── Invalid              the caller's values are wrong: one Fault per parameter
    │   ├── NotFound             there is no such thing for this caller
    │   ├── LimitReached         a documented ceiling
    │   └── TooLate              the thing has moved on since
    └── NotReadable            digits or text that could not be understood

No message of any class may hold a secret or a digit of a card.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


class CountertopError(Exception):
    """Root of all errors that the product raises itself."""


class Refused(CountertopError):
    """An order that cannot be carried out. Raised before anything is written."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one parameter.

    `parameter` is the name by which the caller knows it; `kind` is one of the two that the wire format has.
    """

    parameter: str
    kind: Literal["required", "invalid"]
    message: str


class Invalid(Refused):
    """The values of an order are wrong. Carries all faults at once, so a caller can mend them in one go."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(", ".join(f"{fault.parameter}: {fault.kind}" for fault in faults))
        self.faults = tuple(faults)


class NotFound(Refused):
    """No such thing, or it belongs to somebody else: a caller cannot tell the two apart."""


class LimitReached(Refused):
    """A documented ceiling is reached; the text is fit for the caller."""


class TooLate(Refused):
    """What the order was decided on is no longer so."""


class NotReadable(CountertopError):
    """Input that could not be understood. Its text says what was expected, never what came."""
