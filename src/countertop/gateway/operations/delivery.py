"""Events and the deliveries they owe.

An event, and a delivery for each endpoint that wants it, are written in the commit of what they tell; an event that nobody wants
is not written (ADR 35). Each is born in this node's hands (`LEASE_MS` from now), so that sending it needs no further commit.
Events of one subject reach an endpoint in order: a delivery behind an unfinished one waits, and finishing that takes it in hand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import field
from typing import Final

from countertop.domain.clock import SECOND, Instant
from countertop.domain.delivery import Delivery
from countertop.domain.hint import DeliveryHint
from countertop.domain.releases import Release
from countertop.domain.result import Result
from countertop.domain.value import value
from countertop.domain.webhook import Attempt, next_attempt
from countertop.gateway.operations.moment import Moment
from countertop.gateway.store import codec
from countertop.gateway.store import delivery as rows
from countertop.gateway.store.delivery import StoredDelivery, Subscription
from countertop.gateway.store.unit import Unit

LEASE_MS: Final = 30 * SECOND
"""How long a node has a delivery in hand before others may take it: more than an attempt can last."""


@value
class Event:
    """Something that happened to a subject. `data` is a Delivery's; `sealed_result` is what rests of `result`."""

    merchant_id: str
    account_id: str | None
    type: str
    subject_id: str
    sequence: int
    release: Release
    data: Mapping[str, object]
    result: Result | None = field(default=None, repr=False)
    sealed_result: bytes | None = field(default=None, repr=False)


def record_event(unit: Unit, at: Moment, event: Event) -> None:
    """Writes an event that somebody wants with what it owes, and hints at the deliveries."""
    subscriptions = unit.all(rows.SUBSCRIPTIONS, merchant_id=event.merchant_id, event=event.type)
    if not subscriptions:
        return
    event_id = at.new_id()
    unit.run(
        rows.INSERT_EVENT,
        id=event_id,
        merchant_id=event.merchant_id,
        account_id=event.account_id,
        type=event.type,
        subject_id=event.subject_id,
        sequence=event.sequence,
        release=event.release,
        data=codec.write_data(event.data),
        sealed_result=event.sealed_result,
        created=at.now,
    )
    unfinished = unit.all(rows.UNFINISHED, subject_id=event.subject_id) if event.sequence > 1 else ()
    leased: list[Delivery] = []
    following: list[Delivery] = []
    for subscription in subscriptions:
        waits = subscription.webhook_id in unfinished
        (following if waits else leased).append(_owe(unit, at, event_id, event, subscription, waits=waits))
    unit.hint(DeliveryHint(tuple(leased), tuple(following)))


def _owe(unit: Unit, at: Moment, event_id: str, event: Event, subscription: Subscription, *, waits: bool) -> Delivery:
    unit.run(
        rows.INSERT,
        event_id=event_id,
        webhook_id=subscription.webhook_id,
        attempts=0,
        due=rows.WAITING if waits else at.now + LEASE_MS,
        state=rows.PENDING,
    )
    return Delivery(
        event_id=event_id,
        webhook_id=subscription.webhook_id,
        merchant_id=event.merchant_id,
        account_id=event.account_id,
        type=event.type,
        created=at.now,
        release=event.release,
        subject_id=event.subject_id,
        sequence=event.sequence,
        data=event.data,
        result=event.result,
        url=subscription.url,
        secret=_secret(unit, subscription.sealed_secret),
        attempts=0,
    )


def claim_deliveries(
    unit: Unit, at: Moment, *, lease: int = LEASE_MS, limit: int, each: int, busy: Collection[str] = ()
) -> list[Delivery]:
    """Takes due deliveries in hand for `lease` ms: at most `limit`, at most `each` for one endpoint, none for `busy` ones (ids).

    The longest due come first. No other node is given the same ones while the lease lasts.
    """
    found = unit.all(rows.CLAIMABLE, now=at.now, limit=limit, each=each, busy=codec.write_list(list(busy)))
    return [
        _delivery(unit, row)
        for row in found
        if unit.run(rows.LEASE, event=row.event_id, webhook=row.webhook_id, now=at.now, lease_end=at.now + lease)
    ]


def let_go_deliveries(unit: Unit, at: Moment, deliveries: Iterable[Delivery]) -> None:
    """Gives back what this node has in hand and will not attempt (again): any node may take it at once."""
    released = [
        unit.run(
            rows.LET_GO,
            event=delivery.event_id,
            webhook=delivery.webhook_id,
            was_attempts=delivery.attempts,
            now=at.now,
        )
        for delivery in deliveries
    ]
    if any(released):
        unit.hint(DeliveryHint())


def take_up_deliveries(unit: Unit, at: Moment) -> int:
    """Makes due what is in somebody's hands and was never attempted. Only if no other node lives. Returns how many that were."""
    return unit.run(rows.TAKE_UP, now=at.now)


def record_attempt(
    unit: Unit, at: Moment, delivery: Delivery, attempt: Attempt, following: Delivery | None = None
) -> Delivery | None:
    """Writes what came of an attempt, and when the next is due, if any.

    Returns the next delivery in order for the same subject and endpoint, in this node's hands, if this one is finished. Whoever
    knows which that is says so (`following`), and it need not be looked up.
    Of two attempts that were made at once (a lease ran out) the first to be recorded counts.
    """
    number = delivery.attempts + 1
    state, due = _after(delivery, attempt, number, at.now)
    counted = unit.run(
        rows.RECORD,
        event=delivery.event_id,
        webhook=delivery.webhook_id,
        was_attempts=delivery.attempts,
        attempts=number,
        due=due,
        state=state,
    )
    if not counted:
        return None
    unit.run(
        rows.INSERT_ATTEMPT,
        event_id=delivery.event_id,
        webhook_id=delivery.webhook_id,
        number=number,
        started=attempt.started,
        duration=attempt.duration,
        status=attempt.status,
        failure=attempt.failure,
        answer=attempt.answer,
    )
    if due is not None:
        return None
    if following is not None and _release(unit, at, following.event_id, following.webhook_id):
        return following
    return _next_in_order(unit, at, delivery)


def _after(delivery: Delivery, attempt: Attempt, number: int, now: Instant) -> tuple[str, Instant | None]:
    if attempt.acknowledged:
        return rows.DELIVERED, None
    due = next_attempt(number, delivery.created, now)
    return (rows.GIVEN_UP, None) if due is None else (rows.PENDING, due)


def _next_in_order(unit: Unit, at: Moment, delivery: Delivery) -> Delivery | None:
    row = unit.one(rows.NEXT_IN_ORDER, subject_id=delivery.subject_id, webhook_id=delivery.webhook_id)
    if row is None:
        return None
    return _delivery(unit, row) if _release(unit, at, row.event_id, row.webhook_id) else None


def _release(unit: Unit, at: Moment, event_id: str, webhook_id: str) -> bool:
    """Takes a delivery in hand that waits behind others. False if it does not, or not any more."""
    return unit.run(rows.RELEASE, event=event_id, webhook=webhook_id, lease_end=at.now + LEASE_MS) > 0


def next_due(unit: Unit, busy: Collection[str] = ()) -> Instant | None:
    """When the next delivery is due to an endpoint that is not `busy`; None if none is."""
    return unit.one(rows.NEXT_DUE, busy=codec.write_list(list(busy)))


def deliver_again(unit: Unit, at: Moment, event_id: str, webhook_id: str) -> bool:
    """Makes a delivery due at once, whatever became of it. False if there is no such delivery, or it waits behind others."""
    again = unit.run(rows.AGAIN, event=event_id, webhook=webhook_id, now=at.now) > 0
    if again:
        unit.hint(DeliveryHint())
    return again


def _delivery(unit: Unit, row: StoredDelivery) -> Delivery:
    result = row.sealed_result and codec.read_result(unit.unseal(row.sealed_result, codec.RESULT))
    return Delivery(
        event_id=row.event_id,
        webhook_id=row.webhook_id,
        merchant_id=row.merchant_id,
        account_id=row.account_id,
        type=row.type,
        created=row.created,
        release=row.release,
        subject_id=row.subject_id,
        sequence=row.sequence,
        data=codec.read_data(row.data),
        result=result or None,
        url=row.url,
        secret=_secret(unit, row.sealed_secret),
        attempts=row.attempts,
    )


def _secret(unit: Unit, sealed: bytes | None) -> str | None:
    return None if sealed is None else unit.unseal_kept(sealed, codec.WEBHOOK_SECRET).decode()
