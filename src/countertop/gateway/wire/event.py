"""A webhook's body: the envelope `id`, `created`, `type`, `data`, in this order, which the vendor's recorded traffic has."""

from __future__ import annotations

from typing import Final

from countertop.domain.delivery import Delivery
from countertop.gateway.wire.instant import to_the_millisecond
from countertop.gateway.wire.json import nested
from countertop.gateway.wire.request import status_members

SMARTTERMINAL_REQUEST = "SMARTTERMINAL_REQUEST"
"""A request's status changed: `subject_id` is the request, `data` holds `status` and, once it has ended, `outcome`."""
SMARTTERMINAL_TRANSACTION = "SMARTTERMINAL_TRANSACTION"
"""A payment at a terminal has ended. From before there were events of requests, when numbers were written as text."""

_NAMES: Final = {
    "transaction_id": "transactionId",
    "settlement_id": "settlementId",
    "smart_terminal_id": "smartTerminalId",
    "request_id": "requestPaymentId",
}
"""The wire's names of an event's facts."""


def event_body(delivery: Delivery) -> bytes:
    """The bytes to send and to sign: the same for every attempt and every endpoint of one event."""
    created = to_the_millisecond(delivery.created)
    head = f'"id" : "{delivery.event_id}",\n  "created" : "{created}",\n  "type" : "{delivery.type}"'  # none needs an escape
    return f'{{\n  {head},\n  "data" : {nested(_data(delivery))}\n}}'.encode("utf-8", "replace")


def _data(delivery: Delivery) -> dict[str, object]:
    if delivery.type != SMARTTERMINAL_REQUEST:
        facts = {_NAMES.get(name, name): value for name, value in delivery.data.items()}
        if delivery.type == SMARTTERMINAL_TRANSACTION:
            facts["transactionId"] = str(facts["transactionId"])
        return facts
    outcome = delivery.data.get("outcome")
    transaction_id = delivery.data.get("transaction_id")
    return {
        "requestId": delivery.subject_id,
        **status_members(
            delivery.subject_id,
            str(delivery.data["status"]),
            None if outcome is None else str(outcome),
            delivery.result,
            delivery.release,
            None if transaction_id is None else int(str(transaction_id)),
        ),
    }
