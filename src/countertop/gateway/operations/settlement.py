"""Settlement: once a night what was captured on an account becomes a batch, and its money moves. Some of it comes back."""

from __future__ import annotations

from typing import Final

from countertop.domain import transaction as rules
from countertop.domain.clock import Instant
from countertop.domain.errors import Fault, Invalid, NotFound, TooLate
from countertop.domain.intent import Action
from countertop.domain.releases import NEWEST
from countertop.domain.settlement import BatchLine
from countertop.gateway.operations.delivery import Event, record_event
from countertop.gateway.operations.moment import Moment
from countertop.gateway.operations.transaction import StoredTransaction, find_transaction
from countertop.gateway.store import codec
from countertop.gateway.store import settlement as rows
from countertop.gateway.store import transaction as transactions
from countertop.gateway.store.settlement import StoredSettlement, Unsettled
from countertop.gateway.store.unit import Unit

__all__ = ["StoredSettlement", "find_settlement", "list_settlements", "reject_transaction", "settle_terminals"]

NOT_REJECTED: Final = Fault("transactionId", "invalid", "Only a settled ACH Transaction can be rejected.")

EVENT: Final = "SETTLEMENT"
"""The type of the event that an account was settled."""


def settle_terminals(unit: Unit, at: Moment, before: Instant, limit: int) -> int:
    """Makes a batch for each account, at most `limit`, of what was last changed before an instant. Returns how many.

    What is held waits for another night, and so does what was changed since. Doing it again makes nothing.
    """
    found = unit.all(rows.UNSETTLED, before=before, limit=limit)
    return sum(_settle(unit, at, account, before) for account in found)


def _settle(unit: Unit, at: Moment, account: Unsettled, before: Instant) -> bool:
    number = unit.insert(
        rows.INSERT,
        merchant_id=account.merchant_id,
        terminal_id=account.terminal_id,
        created=at.now,
        net=0,
        breakdown="[]",
    )
    taken = unit.run(
        rows.TAKE, merchant=account.merchant_id, terminal=account.terminal_id, settlement=number, before=before, now=at.now
    )
    if not taken:  # another node was quicker
        unit.run(rows.DELETE, settlement_id=number)
        return False
    _sum_up(unit, number)
    data = {"settlement_id": number}
    record_event(unit, at, Event(account.merchant_id, account.account_id, EVENT, f"settlement {number}", 1, NEWEST, data))
    return True


def reject_transaction(unit: Unit, at: Moment, merchant_id: str, transaction_id: int) -> StoredTransaction:
    """A bank sends a settled ACH payment back. Its batch counts it as rejected from then on, and its money no more.

    That is no event: a transaction's is that it was decided. Raises NotFound if the merchant has no such transaction, Invalid if
    it is not one that a bank could send back.
    """
    while True:
        before = find_transaction(unit, merchant_id, transaction_id).rules
        try:
            after = rules.reject(before, at.now)
        except TooLate:
            raise Invalid([NOT_REJECTED]) from None
        unit.one(rows.LOCK, settlement_id=before.settlement_id)
        change = {"was_sequence": before.sequence, "becomes": after.sequence, "status": after.status.value, "now": at.now}
        if unit.run(transactions.CHANGE_STATUS, transaction_id=transaction_id, **change):
            break
    if after.settlement_id is not None:
        _sum_up(unit, after.settlement_id)
    return find_transaction(unit, merchant_id, transaction_id)


def _sum_up(unit: Unit, settlement_id: int) -> None:
    lines = sorted(unit.all(rows.LINES, settlement_id=settlement_id))
    unit.run(rows.SUM_UP, settlement_id=settlement_id, net=_net(lines), breakdown=codec.write_breakdown(lines))


def _net(lines: list[BatchLine]) -> int:
    signs = {Action.CHARGE: 1, Action.REFUND: -1}
    return sum(signs.get(line.action, 0) * line.amount for line in lines if line.status == "CAPTURED")


def list_settlements(
    unit: Unit, merchant_id: str, offset: int, limit: int, terminal_id: int | None = None
) -> list[StoredSettlement]:
    """A merchant's batches, of one account or of all; the newest first."""
    return unit.all(rows.LIST, merchant_id=merchant_id, terminal_id=terminal_id, offset=offset, limit=limit)


def find_settlement(unit: Unit, merchant_id: str, settlement_id: int) -> StoredSettlement:
    """One batch. Raises NotFound if the merchant has no such."""
    found = unit.one(rows.FIND, merchant_id=merchant_id, settlement_id=settlement_id)
    if found is None:
        raise NotFound("no such settlement")
    return found
