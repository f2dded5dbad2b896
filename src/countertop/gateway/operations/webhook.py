"""Webhook subscriptions."""

from __future__ import annotations

from dataclasses import dataclass

from countertop.domain.clock import Instant
from countertop.domain.errors import LimitReached, NotFound
from countertop.domain.webhook import MAX_SUBSCRIPTIONS
from countertop.gateway.operations.access import Caller
from countertop.gateway.operations.moment import Moment
from countertop.gateway.store import codec
from countertop.gateway.store import webhook as rows
from countertop.gateway.store.unit import Unit
from countertop.gateway.store.webhook import StoredWebhook


@dataclass(frozen=True, slots=True)
class Webhook:
    """A subscription as its merchant may see it: without the secret."""

    id: str
    event: str
    url: str
    created: Instant


def create_webhook(  # noqa: PLR0917 - the fields of one form
    unit: Unit, at: Moment, caller: Caller, event: str, url: str, secret: str | None
) -> Webhook:
    """Subscribes a URL to the caller's merchant's events of a type. An empty secret is none.

    Raises LimitReached if the merchant has as many subscriptions as it may.
    """
    merchant_id = caller.merchant_id
    unit.one(rows.LOCK_MERCHANT, merchant_id=merchant_id)
    if (unit.one(rows.COUNT, merchant_id=merchant_id) or 0) >= MAX_SUBSCRIPTIONS:
        raise LimitReached("Max webhook limit for merchant has been reached.")
    webhook = Webhook(at.new_id(), event, url, at.now)
    unit.run(
        rows.INSERT,
        id=webhook.id,
        merchant_id=merchant_id,
        event=event,
        url=url,
        sealed_secret=_sealed(unit, secret),
        created=at.now,
    )
    return webhook


def change_webhook(  # noqa: PLR0917 - the fields of one form
    unit: Unit, at: Moment, caller: Caller, webhook_id: str, url: str | None = None, secret: str | None = None
) -> Webhook:
    """Changes what is given; an empty secret removes the secret. What is owed already goes to the new URL.

    Raises NotFound if the merchant has no such subscription.
    """
    del at  # every operation takes it
    stored = _find(unit, caller.merchant_id, webhook_id)
    sealed = stored.sealed_secret if secret is None else _sealed(unit, secret)
    changed = url or stored.url
    unit.run(rows.CHANGE, webhook_id=webhook_id, merchant=stored.merchant_id, url=changed, sealed_secret=sealed)
    return Webhook(stored.id, stored.event, changed, stored.created)


def delete_webhook(unit: Unit, at: Moment, caller: Caller, webhook_id: str) -> None:
    """Ends a subscription; what it was still owed is never sent.

    Raises NotFound if the merchant has no such subscription.
    """
    del at  # every operation takes it
    if not unit.run(rows.DELETE, webhook_id=webhook_id, merchant_id=caller.merchant_id):
        raise NotFound("no such webhook")


def find_webhook(unit: Unit, merchant_id: str, webhook_id: str) -> Webhook:
    """One subscription. Raises NotFound if the merchant has no such."""
    return _webhook(_find(unit, merchant_id, webhook_id))


def list_webhooks(unit: Unit, merchant_id: str, offset: int, limit: int) -> list[Webhook]:
    """The merchant's subscriptions in order of creation."""
    return [_webhook(row) for row in unit.all(rows.LIST, merchant_id=merchant_id, offset=offset, limit=limit)]


def _find(unit: Unit, merchant_id: str, webhook_id: str) -> StoredWebhook:
    stored = unit.one(rows.FIND, merchant_id=merchant_id, webhook_id=webhook_id)
    if stored is None:
        raise NotFound("no such webhook")
    return stored


def _webhook(row: StoredWebhook) -> Webhook:
    return Webhook(row.id, row.event, row.url, row.created)


def _sealed(unit: Unit, secret: str | None) -> bytes | None:
    return unit.seal(secret.encode(), codec.WEBHOOK_SECRET) if secret else None
