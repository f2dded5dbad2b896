"""A webhook subscription. Its secret goes in and never comes out."""

from __future__ import annotations

from typing_extensions import TypedDict

from countertop.domain.clock import Instant
from countertop.gateway.wire.instant import to_the_second


class WebhookBody(TypedDict):
    """One subscription; `events` always has one."""

    webhookId: str
    events: list[str]
    url: str
    created: str


def webhook_body(webhook_id: str, event: str, url: str, created: Instant) -> WebhookBody:
    """The same in every release."""
    return {"webhookId": webhook_id, "events": [event], "url": url, "created": to_the_second(created)}
