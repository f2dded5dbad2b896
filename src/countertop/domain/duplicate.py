"""The duplicate rule: the same card, the same amount and the same invoice number within ten minutes is one payment made twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from countertop.domain.clock import MINUTE, Instant
from countertop.domain.intent import Action, Intent
from countertop.domain.money import Cents
from countertop.domain.transaction import Status

DUPLICATE_WINDOW: Final = 10 * MINUTE


@dataclass(frozen=True, slots=True)
class PaymentKey:
    """What makes two payments look the same, as they were made: later edits do not change it."""

    fingerprint: bytes = field(repr=False)
    action: Action
    total: Cents
    invoice_number: str


def key_of(intent: Intent, fingerprint: bytes) -> PaymentKey:
    """The key of a payment that is about to be made with the card, or the account, of this fingerprint."""
    return PaymentKey(fingerprint, intent.action, intent.amounts.total, intent.invoice_number)


def blocks(status: Status, created: Instant, now: Instant) -> bool:
    """Whether an earlier payment of the same key makes one of `now` a duplicate.

    One that was declined or voided moved no money, so trying again is right. One that is not decided yet counts as HOLD.
    """
    return status in (Status.CAPTURE, Status.HOLD) and created > now - DUPLICATE_WINDOW
