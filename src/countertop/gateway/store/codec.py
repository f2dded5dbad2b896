"""How values rest in the database: orders and events' facts as JSON text, results as JSON bytes that are then sealed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from pydantic import TypeAdapter

from countertop.domain.order import Order
from countertop.domain.result import Result

RESULT: Final = "result"
"""The purpose that results are sealed for. A request and its event hold the same sealed bytes."""
WEBHOOK_SECRET: Final = "webhook secret"  # noqa: S105 - a purpose, not a secret
"""The purpose that webhook secrets are sealed for."""
ANSWER: Final = "answer"
"""The purpose that remembered answers are sealed for."""

_ORDER: Final[TypeAdapter[Order]] = TypeAdapter(Order)
_COMPACT: Final = json.JSONEncoder(separators=(",", ":")).encode
_RESULT: Final[TypeAdapter[Result]] = TypeAdapter(Result)


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


def write_data(data: Mapping[str, object]) -> str:
    """An event's facts as text."""
    return _COMPACT(data)


def read_data(text: str) -> dict[str, Any]:
    """The opposite of `write_data`."""
    data: dict[str, Any] = json.loads(text)
    return data


def write_list(texts: Sequence[str]) -> str:
    """The parameter of `statement.among`."""
    return _COMPACT(texts)
