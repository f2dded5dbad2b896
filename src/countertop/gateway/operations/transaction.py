"""Transactions by the API: made, found, changed. The rules are `domain.transaction`'s, applied to what is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from countertop.domain import transaction as rules
from countertop.domain.amount import Amounts, Part
from countertop.domain.card import CardFacts
from countertop.domain.contact import Contact
from countertop.domain.errors import Fault, Invalid, NotFound
from countertop.domain.hint import IntentHint
from countertop.domain.intent import Action
from countertop.domain.money import Cents
from countertop.domain.payment import Network
from countertop.domain.response import AvsMode
from countertop.domain.sealed_card import SealedCard
from countertop.domain.transaction import AchFacts, Details, Edit, Payer, Status, Transaction, check_edit, check_refund
from countertop.gateway.operations.access import Caller
from countertop.gateway.operations.intent import (
    ACH,
    API,
    CARD,
    NewTransaction,
    card_history,
    check_account,
    find_duplicate,
    insert_transaction,
    lock_payments,
)
from countertop.gateway.operations.moment import Moment
from countertop.gateway.operations.payment import NO_SURCHARGE
from countertop.gateway.operations.request import NO_SUCH_ACCOUNT
from countertop.gateway.operations.work import tell_decided
from countertop.gateway.store import intent as intents
from countertop.gateway.store import transaction as rows
from countertop.gateway.store.transaction import Account, StoredTransaction
from countertop.gateway.store.unit import Unit

__all__ = [
    "CreateTransaction",
    "EditTransaction",
    "StoredTransaction",
    "create_transaction",
    "edit_transaction",
    "find_transaction",
    "search_transactions",
]

NO_DEFAULT: Final = Fault("terminalId", "required", "Terminal is required: there is no default terminal that is enabled.")
NO_PAYER: Final = Fault("cardNumber", "required", "A payment source is required.")


@dataclass(frozen=True, slots=True)
class CreateTransaction:
    """A transaction to be made. None and what is not sent have their defaults.

    The payer is one of: a `card`, sealed already; a bank account, `ach`; or that of the transaction `original_id`, whose action
    and amounts are used as well where nothing else was sent. `amounts` are the parts that were sent, in cents.
    """

    action: Action | None = None
    wanted: Status = Status.CAPTURE
    terminal_id: int | None = None
    amounts: Mapping[Part, Cents] = field(default_factory=dict)
    card: SealedCard | None = None
    ach: AchFacts | None = None
    ach_type: str | None = None
    original_id: int | None = None
    details: Details = field(default_factory=Details)
    note: str = field(default="", repr=False)
    avs: AvsMode = AvsMode.OFF
    check_cvv: bool = False
    external_id: str = ""
    external_data: str = ""


def create_transaction(unit: Unit, at: Moment, caller: Caller, command: CreateTransaction) -> int:
    """Intends a transaction. Returns its number; once it is decided there is a TransactionHint, and it can be found.

    Raises Invalid if the values can not be, or a refund would give a card more than was taken from it.
    """
    original = _find_original(unit, caller, command)
    account = _find_account(unit, caller, command, original)
    new = _new_transaction(caller, command, account, original)
    lock_payments(unit, caller.merchant_id)
    if new.action is Action.REFUND:
        check_refund(new.amounts, card_history(unit, at, caller.merchant_id, new.payer.fingerprint))
    else:
        rules.check_amounts(new.action, new.amounts)
    declined = find_duplicate(unit, at, new)
    number = insert_transaction(unit, at, new, declined)
    if declined is not None and (intent := unit.one(intents.FIND, transaction_id=number)) is not None:
        tell_decided(unit, at, intent, approved=False)
    return number


def _find_original(unit: Unit, caller: Caller, command: CreateTransaction) -> StoredTransaction | None:
    if command.original_id is None:
        return None
    found = unit.one(rows.FIND, merchant_id=caller.merchant_id, transaction_id=command.original_id)
    if found is None or not found.rules.decision.approved:
        message = f"Transaction Id {command.original_id} does not exist or was not approved."
        raise Invalid([Fault("transactionId", "invalid", message)])
    return found


def _find_account(unit: Unit, caller: Caller, command: CreateTransaction, original: StoredTransaction | None) -> Account:
    kind = CARD if isinstance(_payer(command, original)[0], CardFacts) else ACH
    wanted = command.terminal_id
    if wanted is None and original is not None:
        wanted = original.terminal_id
    if wanted is None:
        found = unit.one(rows.FIND_DEFAULT_ACCOUNT, merchant_id=caller.merchant_id, type=kind)
    else:
        found = unit.one(rows.FIND_ACCOUNT, merchant_id=caller.merchant_id, terminal_id=wanted)
    if found is None:
        raise Invalid([NO_DEFAULT if wanted is None else NO_SUCH_ACCOUNT])
    if original is None or original.terminal_id != found.terminal_id:  # money can always go back the way it came
        check_account(found, kind)
    return found


def _new_transaction(
    caller: Caller, command: CreateTransaction, account: Account, original: StoredTransaction | None
) -> NewTransaction:
    action = command.action or (original.rules.action if original is not None else Action.CHARGE)
    payer, method = _payer(command, original)
    before = Amounts(0) if original is None else original.rules.amounts
    rate = account.surcharge_rate if action is Action.CHARGE and isinstance(payer, CardFacts) else None
    if rate is not None and command.amounts.get(Part.SURCHARGE):
        raise Invalid([NO_SURCHARGE])
    rate = None if Part.SURCHARGE in command.amounts else rate
    amounts = before.changed(command.amounts)
    return NewTransaction(
        merchant_id=caller.merchant_id,
        account=account,
        release=caller.release,
        action=action,
        wanted=command.wanted,
        amounts=amounts if rate is None else amounts.with_surcharge(rate),
        payer=payer,
        method=method,
        service=API,
        details=command.details,
        card=command.card,
        note=command.note,
        surcharge_rate=rate,
        ach_type=command.ach_type or (original.ach_type if original is not None else None),
        external_id=command.external_id,
        external_data=command.external_data,
        avs=command.avs,
        check_cvv=command.check_cvv,
        original_id=command.original_id,
    )


def _payer(command: CreateTransaction, original: StoredTransaction | None) -> tuple[Payer, str]:
    if command.card is not None:
        return command.card.facts, command.card.entry.value
    if command.ach is not None:
        return command.ach, "KEYED"
    if original is not None:
        return original.rules.payer, "INSTANT"
    raise Invalid([NO_PAYER])


def find_transaction(unit: Unit, merchant_id: str, transaction_id: int) -> StoredTransaction:
    """A merchant's transaction. Raises NotFound if there is none of this number, or it is not decided yet."""
    found = unit.one(rows.FIND, merchant_id=merchant_id, transaction_id=transaction_id)
    if found is None:
        raise NotFound("no such transaction")
    return found


def search_transactions(
    unit: Unit, merchant_id: str, filters: Mapping[str, Any], offset: int, limit: int
) -> list[StoredTransaction]:
    """A merchant's transactions, the newest first. `filters` are values by the names of `store.transaction.FILTERS`."""
    query = rows.search(frozenset(filters))
    return unit.all(query, merchant_id=merchant_id, offset=offset, limit=limit, **filters)


@dataclass(frozen=True, slots=True)
class EditTransaction:
    """What a merchant wants changed: only what was sent. Contacts are fields by the names of `domain.contact`."""

    status: Status | None = None
    amounts: Mapping[Part, Cents] = field(default_factory=dict)
    billing: Mapping[str, str] = field(default_factory=dict)
    shipping: Mapping[str, str] = field(default_factory=dict)
    invoice_number: str | None = None
    purchase_order_number: str | None = None
    external_id: str | None = None
    external_data: str | None = None


def edit_transaction(unit: Unit, at: Moment, caller: Caller, transaction_id: int, wanted: EditTransaction) -> StoredTransaction:
    """Changes a transaction. A void is reversed at the processor; that follows, and is insisted on.

    Raises NotFound if the caller's merchant has no such, Invalid with a fault for all that can not be changed (any more).
    """
    lock_payments(unit, caller.merchant_id)
    while True:
        before = find_transaction(unit, caller.merchant_id, transaction_id)
        after = _edited(unit, at, before, wanted)
        if _written(unit, at, before, after, wanted):
            return find_transaction(unit, caller.merchant_id, transaction_id)


def _edited(unit: Unit, at: Moment, before: StoredTransaction, wanted: EditTransaction) -> Transaction:
    after = rules.edit(before.rules, Edit(wanted.status, wanted.amounts, _details(before.rules.details, wanted)), at.now)
    if after.beyond_authorization and wanted.amounts:
        # The card is gone, so the processor can not be asked for more.
        raise Invalid([Fault("amountBase", "invalid", "The total can not be raised above what was authorized.")])
    if before.network == Network.DEBIT and after.status is Status.VOID and before.rules.status is not Status.VOID:
        raise Invalid([Fault("status", "invalid", "A PIN debit Transaction can not be voided, only refunded.")])
    if wanted.status is not None or wanted.amounts:
        check_edit(before.rules, after, card_history(unit, at, before.merchant_id, before.rules.payer.fingerprint))
    return after


def _details(before: Details, wanted: EditTransaction) -> Details:
    def changed(contact: Contact, sent: Mapping[str, str]) -> Contact:
        return replace(contact, **sent) if sent else contact

    return Details(
        before.invoice_number if wanted.invoice_number is None else wanted.invoice_number,
        before.purchase_order_number if wanted.purchase_order_number is None else wanted.purchase_order_number,
        changed(before.billing, wanted.billing),
        changed(before.shipping, wanted.shipping),
    )


def _written(unit: Unit, at: Moment, before: StoredTransaction, after: Transaction, wanted: EditTransaction) -> bool:
    voided = after.status is Status.VOID and before.rules.status is not Status.VOID
    reverses = voided and before.intent_state == intents.DECIDED
    count = unit.run(
        rows.CHANGE,
        transaction_id=after.id,
        was_sequence=before.rules.sequence,
        status=after.status.value,
        **rows.amount_columns(after.amounts),
        **rows.details_columns(after.details),
        surcharge_rate=after.surcharge_rate,
        external_id=before.external_id if wanted.external_id is None else wanted.external_id,
        external_data=before.external_data if wanted.external_data is None else wanted.external_data,
        sequence=after.sequence,
        modified=after.modified,
        intent_state=intents.REVERSING if reverses else before.intent_state,
        tries=before.tries,
        due=at.now if reverses else before.due,
    )
    if count and reverses:
        unit.hint(IntentHint(after.id))
    return count > 0
