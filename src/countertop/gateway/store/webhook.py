"""Statements on webhook subscriptions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import bindparam, delete, func, insert, select, update

from countertop.domain.clock import Instant
from countertop.gateway.store import table
from countertop.gateway.store.statement import Command, Query

webhook = table.webhook.c
_merchant = table.merchant.c


@dataclass(frozen=True, slots=True)
class StoredWebhook:
    """A subscription as its row holds it."""

    id: str
    merchant_id: str
    event: str
    url: str
    sealed_secret: bytes | None = field(repr=False)
    created: Instant


_SELECT: Final = select(
    webhook.id, webhook.merchant_id, webhook.event, webhook.url, webhook.sealed_secret, webhook.created
).where(webhook.merchant_id == bindparam("merchant_id"))

FIND: Final = Query(_SELECT.where(webhook.id == bindparam("webhook_id")), StoredWebhook)
FIND_SAME: Final = Query(
    _SELECT.where(webhook.event == bindparam("event"), webhook.url == bindparam("url")).order_by(webhook.id), StoredWebhook
)
LIST: Final = Query(_SELECT.order_by(webhook.id).offset(bindparam("offset")).limit(bindparam("limit")), StoredWebhook)
"""In order of creation."""
COUNT: Final = Query(select(func.count()).where(webhook.merchant_id == bindparam("merchant_id")), int)

LOCK_MERCHANT: Final = Query(select(_merchant.id).where(_merchant.id == bindparam("merchant_id")).with_for_update(), str)
"""Makes those wait who would count at the same time."""

INSERT: Final = Command(insert(table.webhook))
CHANGE: Final = Command(
    update(table.webhook)
    .where(webhook.id == bindparam("webhook_id"), webhook.merchant_id == bindparam("merchant"))
    .values(url=bindparam("url"), sealed_secret=bindparam("sealed_secret"))
)
DELETE: Final = Command(
    delete(table.webhook).where(webhook.id == bindparam("webhook_id"), webhook.merchant_id == bindparam("merchant_id"))
)
