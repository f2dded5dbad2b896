"""A settlement: a batch of an account's transactions. Its amounts are numbers, where transactions have text."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import WithJsonSchema
from typing_extensions import TypedDict

from countertop.domain.clock import Instant
from countertop.domain.money import Cents
from countertop.domain.settlement import BatchLine
from countertop.gateway.wire.instant import to_the_second

Amount = Annotated[Decimal, WithJsonSchema({"type": "number"})]


class BatchLineBody(TypedDict):
    """How many transactions of one kind, and their sum."""

    brand: str
    action: Literal["CHARGE", "REFUND", "VERIFY"]
    status: Literal["CAPTURED", "VOID", "DECLINED", "REJECT"]
    count: int
    amount: Amount


class SettlementBody(TypedDict):
    """One batch; PENDING while the processor has not taken all of it."""

    settlementId: int
    terminalId: int
    created: str
    amountNet: Amount
    status: Literal["COMPLETE", "PENDING"]
    breakdown: list[BatchLineBody]


def settlement_body(
    settlement_id: int, terminal_id: int, created: Instant, net: Cents, lines: Iterable[BatchLine], *, pending: bool
) -> SettlementBody:
    """The same in every release."""
    return {
        "settlementId": settlement_id,
        "terminalId": terminal_id,
        "created": to_the_second(created),
        "amountNet": dollars(net),
        "status": "PENDING" if pending else "COMPLETE",
        "breakdown": [_line(line) for line in lines],
    }


def _line(line: BatchLine) -> BatchLineBody:
    return {
        "brand": line.brand.value,
        "action": line.action.value,
        "status": line.status,  # type: ignore[typeddict-item] # the words are the wire's
        "count": line.count,
        "amount": dollars(line.amount),
    }


def dollars(amount: Cents) -> Decimal:
    """Cents as a number with two decimals."""
    return Decimal(amount).scaleb(-2)
