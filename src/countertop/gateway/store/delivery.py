"""Statements on events and on the deliveries they owe: the outbox."""

from __future__ import annotations

from dataclasses import field
from typing import Any, Final

from sqlalchemy import and_, bindparam, func, insert, not_, select, tuple_, update

from countertop.domain.clock import Instant
from countertop.domain.value import value
from countertop.gateway.store import table
from countertop.gateway.store.statement import Command, Query, among

WAITING: Final = 2**62
"""The `due` of a delivery behind an earlier one of the same subject to the same endpoint: not before that one is finished."""

PENDING: Final = "PENDING"
DELIVERED: Final = "DELIVERED"
GIVEN_UP: Final = "GIVEN_UP"

event = table.event.c
delivery = table.delivery.c
_webhook = table.webhook.c


@value
class Subscription:
    """An endpoint that wants events of a type."""

    webhook_id: str
    url: str
    sealed_secret: bytes | None = field(repr=False)


@value
class StoredDelivery:
    """A delivery with its event and its endpoint, as rows hold them. `data` is JSON text."""

    event_id: str
    webhook_id: str
    merchant_id: str
    account_id: str | None
    type: str
    created: Instant
    release: str
    subject_id: str
    sequence: int
    data: str = field(repr=False)
    sealed_result: bytes | None = field(repr=False)
    url: str
    sealed_secret: bytes | None = field(repr=False)
    attempts: int


INSERT_EVENT: Final = Command(insert(table.event))
INSERT: Final = Command(insert(table.delivery))

SUBSCRIPTIONS: Final = Query(
    select(_webhook.id, _webhook.url, _webhook.sealed_secret).where(
        _webhook.merchant_id == bindparam("merchant_id"), _webhook.event == bindparam("event")
    ),
    Subscription,
)
"""Who wants a merchant's events of a type."""

UNFINISHED: Final = Query(
    select(delivery.webhook_id)
    .select_from(table.event.join(table.delivery, delivery.event_id == event.id))
    .where(event.subject_id == bindparam("subject_id"), delivery.due.is_not(None))
    .with_for_update(of=table.delivery),
    str,
)
"""The endpoints that are still owed an earlier event of a subject.

The rows are locked: whoever is just finishing one must not miss the event that is about to queue up behind it.
"""

_COLUMNS: Final[tuple[Any, ...]] = (
    event.id,
    delivery.webhook_id,
    event.merchant_id,
    event.account_id,
    event.type,
    event.created,
    event.release,
    event.subject_id,
    event.sequence,
    event.data,
    event.sealed_result,
    _webhook.url,
    _webhook.sealed_secret,
    delivery.attempts,
)
_SELECT: Final = select(*_COLUMNS).select_from(
    table.delivery.join(table.event, event.id == delivery.event_id).join(table.webhook, _webhook.id == delivery.webhook_id)
)


def _candidates() -> Any:
    """The longest due deliveries, at most some for each endpoint, none for those that are busy.

    No more are looked at than may be taken: an endpoint that fills them all is busy the next time, and others are found.
    """
    longest = (
        select(delivery.event_id, delivery.webhook_id, delivery.due)
        .where(delivery.due <= bindparam("now"), not_(among(delivery.webhook_id, "busy")))
        .order_by(delivery.due)
        .limit(bindparam("limit"))
        .subquery()
    )
    place = func.row_number().over(partition_by=longest.c.webhook_id, order_by=longest.c.due)
    due = select(longest.c.event_id, longest.c.webhook_id, place.label("place")).subquery()
    return select(due.c.event_id, due.c.webhook_id).where(due.c.place <= bindparam("each"))


CLAIMABLE: Final = Query(
    _SELECT.where(tuple_(delivery.event_id, delivery.webhook_id).in_(_candidates()), delivery.due <= bindparam("now"))
    .order_by(delivery.due)
    .with_for_update(skip_locked=True, of=table.delivery),
    StoredDelivery,
)
"""What may be taken in hand now. Rows that another node is just taking are passed over."""

LEASE: Final = Command(
    update(table.delivery)
    .where(
        delivery.event_id == bindparam("event"),
        delivery.webhook_id == bindparam("webhook"),
        delivery.due <= bindparam("now"),
    )
    .values(due=bindparam("lease_end"))
)
"""Takes a due delivery in hand, unless somebody else was quicker."""

LET_GO: Final = Command(
    update(table.delivery)
    .where(
        delivery.event_id == bindparam("event"),
        delivery.webhook_id == bindparam("webhook"),
        delivery.attempts == bindparam("was_attempts"),
        delivery.due < WAITING,
    )
    .values(due=bindparam("now"))
)
"""Gives back a delivery that was taken in hand."""

TAKE_UP: Final = Command(
    update(table.delivery)
    .where(delivery.due > bindparam("now"), delivery.due < WAITING, delivery.attempts == 0)
    .values(due=bindparam("now"))
)
"""Ends the leases of all deliveries that were never attempted: those that were wait for their next attempt, or look as if."""

FIND: Final = Query(
    _SELECT.where(delivery.event_id == bindparam("event_id"), delivery.webhook_id == bindparam("webhook_id")), StoredDelivery
)
"""One delivery."""

RECORD: Final = Command(
    update(table.delivery)
    .where(
        delivery.event_id == bindparam("event"),
        delivery.webhook_id == bindparam("webhook"),
        delivery.attempts == bindparam("was_attempts"),
    )
    .values(attempts=bindparam("attempts"), due=bindparam("due"), state=bindparam("state"))
)
"""Compare-and-set on the number of attempts."""

INSERT_ATTEMPT: Final = Command(insert(table.attempt))

NEXT_IN_ORDER: Final = Query(
    _SELECT.where(
        event.subject_id == bindparam("subject_id"),
        delivery.webhook_id == bindparam("webhook_id"),
        delivery.due == WAITING,
    )
    .order_by(event.sequence)
    .limit(1),
    StoredDelivery,
)
"""The first event of a subject that waits behind others for an endpoint."""

RELEASE: Final = Command(
    update(table.delivery)
    .where(delivery.event_id == bindparam("event"), delivery.webhook_id == bindparam("webhook"), delivery.due == WAITING)
    .values(due=bindparam("lease_end"))
)
"""Takes a waiting delivery in hand."""

NEXT_DUE: Final = Query(
    select(func.min(delivery.due)).where(delivery.due < WAITING, not_(among(delivery.webhook_id, "busy"))), lambda due: due
)
"""When the next delivery is due to an endpoint that is not busy."""

AGAIN: Final = Command(
    update(table.delivery)
    .where(
        delivery.event_id == bindparam("event"),
        delivery.webhook_id == bindparam("webhook"),
        and_(delivery.due.is_(None) | (delivery.due != WAITING)),
    )
    .values(due=bindparam("now"), state=PENDING)
)
"""Makes a delivery due at once, whatever became of it; one that waits behind others goes on waiting."""
