"""A delivery: one event that one webhook endpoint is owed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from countertop.domain.clock import Instant
from countertop.domain.releases import Release
from countertop.domain.result import Result
from countertop.domain.value import value


@value
class Delivery:
    """Everything needed to send one event to one endpoint, any number of times with the same bytes.

    `data` holds the event's facts in our words. For a request these are `kind`, `status` and, once it has ended, `outcome`; its
    id is the subject's, and the wire's members are made of them at the edge.
    `attempts` is how many were made before; `subject_id` and `sequence` give the order among deliveries to the same endpoint.
    """

    event_id: str
    webhook_id: str
    merchant_id: str
    account_id: str | None
    type: str
    created: Instant
    release: Release
    subject_id: str
    sequence: int
    data: Mapping[str, object]
    result: Result | None = field(repr=False)
    url: str
    secret: str | None = field(repr=False)
    attempts: int
