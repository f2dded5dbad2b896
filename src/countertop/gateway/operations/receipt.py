"""Receipts: what a customer signed, and how a merchant finds it again. A signature is a signed receipt; the newest one counts."""

from __future__ import annotations

from dataclasses import dataclass, field

from countertop.domain.clock import Instant
from countertop.domain.errors import Fault, Invalid, NotFound
from countertop.domain.money import Cents
from countertop.gateway.operations.access import Caller
from countertop.gateway.operations.delivery import Event, record_event
from countertop.gateway.operations.intent import lock_payments
from countertop.gateway.operations.moment import Moment
from countertop.gateway.operations.work import subject_of
from countertop.gateway.store import codec
from countertop.gateway.store import signature as rows
from countertop.gateway.store import transaction as transactions
from countertop.gateway.store.codec import Strokes
from countertop.gateway.store.signature import StoredSignature
from countertop.gateway.store.unit import Unit

EVENT = "TRANSACTION_SIGNATURE"
"""The type of the event that a transaction was signed."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signed receipt. `total` is what was signed for, in cents; `address` is the signer's IP address, empty at a terminal."""

    id: str
    transaction_id: int
    strokes: Strokes = field(repr=False)
    source: str
    signed_by: str
    address: str
    total: Cents
    created: Instant


def sign_transaction(
    unit: Unit,
    at: Moment,
    caller: Caller,
    transaction_id: int,
    strokes: Strokes,
    *,
    source: str,
    signed_by: str = "",
    address: str = "",
) -> Signature:
    """Signs a transaction.

    Raises NotFound if the caller's merchant has no such, Invalid if it was not approved or nothing is drawn.
    """
    lock_payments(unit, caller.merchant_id)  # signatures are counted one after the other
    found = unit.one(transactions.FIND, merchant_id=caller.merchant_id, transaction_id=transaction_id)
    if found is None:
        raise NotFound("no such transaction")
    faults = []
    if not found.rules.decision.approved:
        faults.append(Fault("transactionId", "invalid", "A declined Transaction can not be signed."))
    if not any(strokes):
        faults.append(Fault("signature", "invalid", "The signature is empty."))
    if faults:
        raise Invalid(faults)
    return insert_signature(
        unit, at, caller.merchant_id, transaction_id, strokes, source=source, signed_by=signed_by, address=address
    )


def insert_signature(
    unit: Unit,
    at: Moment,
    merchant_id: str,
    transaction_id: int,
    strokes: Strokes,
    *,
    source: str,
    signed_by: str = "",
    address: str = "",
) -> Signature:
    """Keeps a signature of a transaction, with its event. Raises NotFound if the merchant has no such transaction."""
    found = unit.one(transactions.FIND, merchant_id=merchant_id, transaction_id=transaction_id)
    if found is None:
        raise NotFound("no such transaction")
    total = found.rules.amounts.total
    signature = Signature(at.new_id(), transaction_id, strokes, source, signed_by, address, total, at.now)
    unit.run(
        rows.INSERT,
        id=signature.id,
        transaction_id=transaction_id,
        sealed_strokes=unit.seal(codec.write_strokes(strokes), codec.SIGNATURE),
        source=source,
        signed_by=signed_by,
        address=address,
        total=total,
        created=at.now,
    )
    unit.run(transactions.SIGN, transaction_id=transaction_id, signed=at.now)
    sequence = 1 + (unit.one(rows.COUNT, transaction_id=transaction_id) or 1)
    data = {"transaction_id": transaction_id}
    event = Event(merchant_id, found.account_id, EVENT, subject_of(transaction_id), sequence, found.release, data)
    record_event(unit, at, event)
    return signature


def list_signatures(unit: Unit, merchant_id: str, transaction_id: int) -> list[Signature]:
    """A transaction's signed receipts, the newest first. Raises NotFound if the merchant has no such transaction."""
    if unit.one(transactions.FIND, merchant_id=merchant_id, transaction_id=transaction_id) is None:
        raise NotFound("no such transaction")
    return [_signature(unit, row) for row in unit.all(rows.LIST, transaction_id=transaction_id)]


def find_signature(unit: Unit, merchant_id: str, transaction_id: int, signature_id: str | None = None) -> Signature:
    """One signed receipt, or, without an id, the newest. Raises NotFound if there is none."""
    for signature in list_signatures(unit, merchant_id, transaction_id):
        if signature_id in (None, signature.id):
            return signature
    raise NotFound("no such receipt")


def _signature(unit: Unit, row: StoredSignature) -> Signature:
    strokes = codec.read_strokes(unit.unseal(row.sealed_strokes, codec.SIGNATURE))
    return Signature(row.id, row.transaction_id, strokes, row.source, row.signed_by, row.address, row.total, row.created)
