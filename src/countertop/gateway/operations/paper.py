"""What a receipt is made of: a transaction, whose it is, and the signature if it is a signed one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from countertop.domain.errors import NotFound, TooLate
from countertop.domain.invitation import Invitation
from countertop.gateway.operations.intent import lock_payments
from countertop.gateway.operations.moment import Moment
from countertop.gateway.operations.receipt import Signature, find_signature, insert_signature
from countertop.gateway.operations.terminal import find_merchant
from countertop.gateway.operations.transaction import StoredTransaction, find_transaction
from countertop.gateway.store import terminal
from countertop.gateway.store.codec import Strokes
from countertop.gateway.store.unit import Unit

LATEST: Final = "latest"
"""Names the newest signed receipt, or the unsigned one if nobody has signed."""
UNSIGNED: Final = "unsigned"
"""Names the receipt without a signature."""
REMOTE: Final = "REMOTE_CAPTURE"
"""Where a signature comes from that was given by invitation, in the vendor's word."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A receipt in the store. `name` is what the merchant trades as at the account of the transaction."""

    name: str
    transaction: StoredTransaction
    signature: Signature | None

    @property
    def wants_signature(self) -> bool:
        """Whether somebody should sign, and nobody has."""
        return self.signature is None and self.transaction.rules.signable


def find_paper(unit: Unit, merchant_id: str, transaction_id: int, which: str = LATEST) -> Paper:
    """A receipt: LATEST, UNSIGNED, or the signed one of an id. Raises NotFound if the merchant has no such."""
    transaction = find_transaction(unit, merchant_id, transaction_id)
    account = unit.one(terminal.FIND_ACCOUNT, merchant_id=merchant_id, terminal_id=transaction.terminal_id)
    name = (account and account.company_dba) or find_merchant(unit, merchant_id).name
    return Paper(name, transaction, _signature(unit, merchant_id, transaction_id, which))


def sign_paper(  # noqa: PLR0917 - who signs what, and how
    unit: Unit, at: Moment, invitation: Invitation, strokes: Strokes, signed_by: str, address: str
) -> None:
    """Whoever was invited signs, from an IP address.

    Raises NotFound if the transaction is gone, TooLate if it was signed meanwhile or is not to be signed any more.
    """
    merchant_id, transaction_id = invitation.merchant_id, invitation.transaction_id
    lock_payments(unit, merchant_id)
    if not find_paper(unit, merchant_id, transaction_id).wants_signature:
        raise TooLate("there is nothing to sign")
    insert_signature(unit, at, merchant_id, transaction_id, strokes, source=REMOTE, signed_by=signed_by, address=address)


def _signature(unit: Unit, merchant_id: str, transaction_id: int, which: str) -> Signature | None:
    if which == UNSIGNED:
        return None
    try:
        return find_signature(unit, merchant_id, transaction_id, None if which == LATEST else which)
    except NotFound:
        if which == LATEST:
            return None
        raise
