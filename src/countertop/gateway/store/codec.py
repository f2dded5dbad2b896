"""How values rest in the database: orders and events' facts as JSON text, results as JSON bytes that are then sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from countertop.domain.contact import Contact
from countertop.domain.level3 import Level3
from countertop.domain.order import Order
from countertop.domain.payment import PaymentDetails
from countertop.domain.result import Result
from countertop.domain.settlement import BatchLine

Strokes = tuple[tuple[tuple[int, int], ...], ...]
"""A signature: strokes of points, as in `domain.result.Signed`."""

RESULT: Final = "result"
"""The purpose that results are sealed for. A request and its event hold the same sealed bytes."""
WEBHOOK_SECRET: Final = "webhook secret"  # noqa: S105 - a purpose, not a secret
"""The purpose that webhook secrets are sealed for."""
AUTOPILOT: Final = "autopilot"
"""The purpose that the habits of simulated customers are sealed for: they hold the cards to swipe."""
ANSWER: Final = "answer"
"""The purpose that remembered answers are sealed for."""
CARD: Final = "sealed card"
"""The purpose that cards are sealed for, which are sealed to their processor already."""
SIGNATURE: Final = "signature"
"""The purpose that the strokes of signatures are sealed for."""

_ORDER: Final[TypeAdapter[Order]] = TypeAdapter(Order)
_RESULT: Final[TypeAdapter[Result]] = TypeAdapter(Result)
_DETAILS: Final[TypeAdapter[PaymentDetails]] = TypeAdapter(PaymentDetails)
_CONTACT: Final[TypeAdapter[Contact]] = TypeAdapter(Contact)
_STROKES: Final[TypeAdapter[Strokes]] = TypeAdapter(Strokes)
_LEVEL3: Final[TypeAdapter[Level3]] = TypeAdapter(Level3)
_BREAKDOWN: Final[TypeAdapter[list[BatchLine]]] = TypeAdapter(list[BatchLine])


@lru_cache(maxsize=64)
def write_order(order: Order) -> str:
    """An order as text."""
    return _ORDER.dump_json(order).decode()


def read_order(text: str) -> Order:
    """The opposite of `write_order`."""
    return _ORDER.validate_json(text)


def write_result(result: Result) -> bytes:
    """A result as bytes, to be sealed."""
    return _RESULT.dump_json(result)


def read_result(plain: bytes) -> Result:
    """The opposite of `write_result`."""
    return _RESULT.validate_json(plain)


def write_details(details: PaymentDetails) -> str:
    """What is stored beside a payment's order, as text."""
    return _DETAILS.dump_json(details, exclude_defaults=True).decode()


def read_details(text: str) -> PaymentDetails:
    """The opposite of `write_details`."""
    return _DETAILS.validate_json(text)


def write_contact(contact: Contact) -> str:
    """A contact as text."""
    return _CONTACT.dump_json(contact, exclude_defaults=True).decode()


def read_contact(text: str) -> Contact:
    """The opposite of `write_contact`."""
    return _CONTACT.validate_json(text)


def write_strokes(strokes: Strokes) -> bytes:
    """A signature's strokes as bytes, to be sealed."""
    return _STROKES.dump_json(strokes)


def read_strokes(plain: bytes) -> Strokes:
    """The opposite of `write_strokes`."""
    return _STROKES.validate_json(plain)


def write_level3(data: Level3) -> str:
    """Level 3 data as text."""
    return _LEVEL3.dump_json(data).decode()


def read_level3(text: str) -> Level3:
    """The opposite of `write_level3`."""
    return _LEVEL3.validate_json(text)


def write_breakdown(lines: list[BatchLine]) -> str:
    """The lines of a batch as text."""
    return _BREAKDOWN.dump_json(lines).decode()


def read_breakdown(text: str) -> list[BatchLine]:
    """The opposite of `write_breakdown`."""
    return _BREAKDOWN.validate_json(text)


def write_data(data: Mapping[str, object]) -> str:
    """An event's facts as text."""
    return to_json(data).decode()


def read_data(text: str) -> dict[str, Any]:
    """The opposite of `write_data`."""
    data: dict[str, Any] = from_json(text)
    return data


def write_list(texts: Sequence[str]) -> str:
    """The parameter of `statement.among`."""
    return to_json(texts).decode()
