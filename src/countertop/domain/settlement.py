"""Settlement: once a night what was captured at a terminal becomes a batch, and its money moves."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from countertop.domain.card import Brand, CardFacts
from countertop.domain.clock import Instant
from countertop.domain.intent import Action
from countertop.domain.money import Cents
from countertop.domain.transaction import AccountType, Payer, Status, Transaction

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True, slots=True, order=True)
class BatchLine:
    """How many transactions of one kind a batch has, and their sum. `status` says CAPTURED where a transaction says CAPTURE."""

    brand: Brand | AccountType
    action: Action
    status: str
    count: int
    amount: Cents


def breakdown(transactions: Iterable[Transaction]) -> list[BatchLine]:
    """The lines of a batch, in order of brand, action and status. What is held is no part of it."""
    totals: defaultdict[tuple[Brand | AccountType, Action, str], list[Cents]] = defaultdict(list)
    for each in transactions:
        if each.status is not Status.HOLD:
            status = "CAPTURED" if each.status is Status.CAPTURE else each.status.value
            totals[brand_of(each.payer), each.action, status].append(each.amounts.total)
    return sorted(BatchLine(*key, len(amounts), sum(amounts)) for key, amounts in totals.items())


def net_amount(transactions: Iterable[Transaction]) -> Cents:
    """What the merchant receives for a batch: captured charges less captured refunds; negative if more was given back."""
    return sum(each.charged - each.refunded for each in transactions if each.status is Status.CAPTURE)


def brand_of(payer: Payer) -> Brand | AccountType:
    """The word under which a batch counts a payer."""
    return payer.brand if isinstance(payer, CardFacts) else payer.account_type


def next_settlement(now: Instant, hour: int, zone: datetime.tzinfo) -> Instant:
    """The next instant, after `now`, at which clocks in `zone` show this full hour."""
    local = (_EPOCH + datetime.timedelta(milliseconds=now)).astimezone(zone)
    due = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    if due <= local:
        due = (due + datetime.timedelta(days=1)).replace(hour=hour)
    return int(due.timestamp() * 1000)
