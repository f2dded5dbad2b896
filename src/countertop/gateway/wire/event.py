"""A webhook's body: the envelope `id`, `created`, `type`, `data`, in this order, which the vendor's recorded traffic has."""

from __future__ import annotations

from countertop.domain.delivery import Delivery
from countertop.domain.request import Outcome, Status
from countertop.gateway.wire.instant import to_the_millisecond
from countertop.gateway.wire.json import write
from countertop.gateway.wire.request import status_members

SMARTTERMINAL_REQUEST = "SMARTTERMINAL_REQUEST"
"""A request's status changed: `subject_id` is the request, `data` holds `status` and, once it has ended, `outcome`."""


def event_body(delivery: Delivery) -> bytes:
    """The bytes to send and to sign: the same for every attempt and every endpoint of one event."""
    return write(
        {
            "id": delivery.event_id,
            "created": to_the_millisecond(delivery.created),
            "type": delivery.type,
            "data": _data(delivery),
        }
    )


def _data(delivery: Delivery) -> dict[str, object]:
    if delivery.type != SMARTTERMINAL_REQUEST:
        return dict(delivery.data)
    outcome = delivery.data.get("outcome")
    return {
        "requestId": delivery.subject_id,
        **status_members(
            delivery.subject_id,
            Status(str(delivery.data["status"])),
            None if outcome is None else Outcome(str(outcome)),
            delivery.result,
            delivery.release,
        ),
    }
