"""What a receipt is made of: a transaction, whose it is, and the signature if it is a signed one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from countertop.domain.errors import NotFound
from countertop.gateway.operations.receipt import Signature, find_signature
from countertop.gateway.operations.terminal import find_merchant
from countertop.gateway.operations.transaction import StoredTransaction, find_transaction
from countertop.gateway.store import terminal
from countertop.gateway.store.unit import Unit

LATEST: Final = "latest"
"""Names the newest signed receipt, or the unsigned one if nobody has signed."""
UNSIGNED: Final = "unsigned"
"""Names the receipt without a signature."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A receipt in the store. `name` is what the merchant trades as at the account of the transaction."""

    name: str
    transaction: StoredTransaction
    signature: Signature | None


def find_paper(unit: Unit, merchant_id: str, transaction_id: int, which: str = LATEST) -> Paper:
    """A receipt: LATEST, UNSIGNED, or the signed one of an id. Raises NotFound if the merchant has no such."""
    transaction = find_transaction(unit, merchant_id, transaction_id)
    account = unit.one(terminal.FIND_ACCOUNT, merchant_id=merchant_id, terminal_id=transaction.terminal_id)
    name = (account and account.company_dba) or find_merchant(unit, merchant_id).name
    return Paper(name, transaction, _signature(unit, merchant_id, transaction_id, which))


def _signature(unit: Unit, merchant_id: str, transaction_id: int, which: str) -> Signature | None:
    if which == UNSIGNED:
        return None
    try:
        return find_signature(unit, merchant_id, transaction_id, None if which == LATEST else which)
    except NotFound:
        if which == LATEST:
            return None
        raise
