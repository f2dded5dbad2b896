"""A transaction is intended: written down, with all that a reversal needs, before any processor is asked.

The rules that need no processor are here: a payment made twice is declined, a card is never given more than was taken from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from countertop.domain.amount import Amounts
from countertop.domain.duplicate import DUPLICATE_WINDOW, blocks
from countertop.domain.errors import Fault, Invalid
from countertop.domain.hint import IntentHint
from countertop.domain.intent import Action
from countertop.domain.money import Rate
from countertop.domain.releases import Release
from countertop.domain.response import DUPLICATE, AvsMode, Decision
from countertop.domain.sealed_card import SealedCard
from countertop.domain.transaction import REFUND_WINDOW, CardHistory, Details, Payer, Status
from countertop.gateway.operations.moment import Moment
from countertop.gateway.operations.note import insert_note
from countertop.gateway.operations.work import LEASE
from countertop.gateway.store import codec
from countertop.gateway.store import intent as states
from countertop.gateway.store import transaction as rows
from countertop.gateway.store.transaction import Account
from countertop.gateway.store.unit import Unit

TERMINAL: Final = "SMART_TERMINAL"
API: Final = "API"

CARD: Final = "CARD"
ACH: Final = "ACH"
"""The types of accounts: for cards, and for bank accounts."""
WRONG_TYPE: Final = {
    CARD: Fault("terminalId", "invalid", "Terminal is an ACH account and takes no cards."),
    ACH: Fault("terminalId", "invalid", "Terminal is a CARD account and takes no bank accounts."),
}
"""What is wrong with an account, by the type that it should have."""


@dataclass(frozen=True, slots=True)
class NewTransaction:
    """All that is known of a transaction before it is decided. `card` is there if one is at hand."""

    merchant_id: str
    account: Account
    release: Release
    action: Action
    wanted: Status
    amounts: Amounts
    payer: Payer
    method: str
    service: str
    details: Details
    card: SealedCard | None = None
    note: str = field(default="", repr=False)
    request_id: str | None = None
    surcharge_rate: Rate | None = None
    network: str | None = None
    ach_type: str | None = None
    external_id: str = ""
    external_data: str = ""
    avs: AvsMode = AvsMode.OFF
    check_cvv: bool = False
    original_id: int | None = None


def check_account(account: Account, wanted: str) -> None:
    """Raises Invalid unless the account is of the wanted type: each kind of payer has accounts of its own."""
    if account.type != wanted:
        raise Invalid([WRONG_TYPE[wanted]])


def lock_payments(unit: Unit, merchant_id: str) -> None:
    """Makes payments of one merchant be counted one after the other. Comes before the rules are asked."""
    unit.one(rows.LOCK_MERCHANT, merchant_id=merchant_id)


def card_history(unit: Unit, at: Moment, merchant_id: str, fingerprint: bytes) -> CardHistory:
    """What was charged and refunded to one card, or account, that counts for a refund now."""
    found = unit.one(rows.HISTORY, merchant_id=merchant_id, fingerprint=fingerprint, since=at.now - REFUND_WINDOW)
    return found or CardHistory(0, 0)


def find_duplicate(unit: Unit, at: Moment, new: NewTransaction) -> Decision | None:
    """The decision on a payment that looks the same as one of a moment ago; None if there is none."""
    if new.action is Action.VERIFY:
        return None
    earlier = unit.all(
        rows.EARLIER,
        fingerprint=new.payer.fingerprint,
        since=at.now - DUPLICATE_WINDOW,
        merchant_id=new.merchant_id,
        action=new.action.value,
        intended=new.amounts.total,
        invoice_number=new.details.invoice_number,
    )
    twice = any(blocks(status, created, at.now) for status, created in earlier)
    return Decision(DUPLICATE, authorized=False) if twice else None


def insert_transaction(unit: Unit, at: Moment, new: NewTransaction, declined: Decision | None = None) -> int:
    """Writes the intent down and hints at it, for this node to ask the processor; or, if it is `declined` already, its end.

    Returns the transaction's number. Whoever gives a decision has to tell of it (`work.tell_decided`).
    """
    number = unit.insert(
        rows.INSERT,
        **_identity(new),
        **rows.amount_columns(new.amounts),
        **rows.details_columns(new.details),
        **rows.payer_columns(new.payer),
        **_nothing_yet(),
        **(_UNDECIDED if declined is None else rows.decision_columns(declined)),
        status=(Status.HOLD if declined is None else Status.DECLINED).value,
        created=at.now,
        modified=at.now,
        intent_state=states.INTENDED if declined is None else states.DECIDED,
        due=at.now + LEASE if declined is None else None,
        sealed_card=unit.seal(new.card.sealed.encode(), codec.CARD) if new.card is not None and declined is None else None,
    )
    if new.note:
        insert_note(unit, at, number, new.note)
    if declined is None:
        unit.hint(IntentHint(number))
    return number


def _identity(new: NewTransaction) -> dict[str, object]:
    return {
        "merchant_id": new.merchant_id,
        "terminal_id": new.account.terminal_id,
        "request_id": new.request_id,
        "release": new.release,
        "action": new.action.value,
        "wanted": new.wanted.value,
        "intended": new.amounts.total,
        "surcharge_rate": new.surcharge_rate,
        "method": new.method,
        "service": new.service,
        "network": new.network,
        "ach_type": new.ach_type,
        "external_id": new.external_id,
        "external_data": new.external_data,
        "avs": new.avs.value,
        "check_cvv": new.check_cvv,
        "original_id": new.original_id,
    }


def _nothing_yet() -> dict[str, object]:
    return {"authorized": 0, "settlement_id": None, "signed": None, "receipt_email": None, "sequence": 1, "tries": 0}


_UNDECIDED: Final = dict.fromkeys(rows.decision_columns(Decision("", authorized=False)))
