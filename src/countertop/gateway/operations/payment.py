"""A payment at a Smart Terminal, from its request to the signature.

Once a card is taken the payment is a transaction that is intended, in the same commit. What the processor decides comes
back through `operations.work`, which moves the request on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from countertop.domain import request as rules
from countertop.domain.amount import Part
from countertop.domain.card import Entry
from countertop.domain.errors import Fault, Invalid, NotFound, TooLate
from countertop.domain.hint import DecidedHint
from countertop.domain.intent import Action
from countertop.domain.mail import is_address
from countertop.domain.order import PaymentOrder
from countertop.domain.payment import PaymentDecided, PaymentDetails, TakenCard
from countertop.domain.request import DECISION_DEADLINE, Outcome
from countertop.domain.response import AvsMode, Decision
from countertop.domain.result import Paid
from countertop.domain.sealed_card import MAX_SEALED
from countertop.domain.transaction import Status, check_amounts, check_refund
from countertop.gateway.operations.access import Caller
from countertop.gateway.operations.intent import (
    CARD,
    TERMINAL,
    NewTransaction,
    card_history,
    check_account,
    find_duplicate,
    insert_transaction,
    lock_payments,
)
from countertop.gateway.operations.mail import owe_mail
from countertop.gateway.operations.moment import Moment
from countertop.gateway.operations.receipt import insert_signature
from countertop.gateway.operations.request import (
    NO_SUCH_ACCOUNT,
    StartRequest,
    change_request,
    find_of_terminal,
    finish_request,
    start_request,
    write_shown,
)
from countertop.gateway.operations.work import payment_decided, tell_decided
from countertop.gateway.store import codec
from countertop.gateway.store import intent as intents
from countertop.gateway.store import request as requests
from countertop.gateway.store import transaction as rows
from countertop.gateway.store.request import StoredRequest
from countertop.gateway.store.unit import Unit

MORE_THAN_CHARGED: Final = Decision("13", authorized=False)
"""The decision on a refund at a terminal to a card that was charged less."""

_SEALED: Final = re.compile(r"[\w-]+\.[\w-]*\.[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
"""The five parts of a JWE in compact form (RFC 7516, section 7.1). Nothing else, and no number, is taken for a sealed card."""
_LAST_FOUR: Final = re.compile(r"[0-9]{4}", re.ASCII)


def start_payment(
    unit: Unit, at: Moment, caller: Caller, command: StartRequest, details: PaymentDetails, *, surcharge: bool = True
) -> str:
    """Asks a terminal for a payment; `command.order` is a PaymentOrder. Returns the request's id, as `start_request` does.

    Where the account takes a surcharge it is added to the order, unless `surcharge` is False. Raises what `start_request` raises,
    and Invalid if the amounts can not be.
    """
    order = command.order
    if not isinstance(order, PaymentOrder):
        raise TypeError("a payment is started with a payment's order")
    account = unit.one(rows.FIND_ACCOUNT, merchant_id=caller.merchant_id, terminal_id=command.terminal_id)
    if account is not None:  # otherwise `start_request` says so
        check_account(account, CARD)
    rate = account.surcharge_rate if account is not None and order.action is Action.CHARGE else None
    if rate is not None and order.amounts.part(Part.SURCHARGE):
        raise Invalid([NO_SURCHARGE])
    order = replace(order, surcharge_rate=rate if surcharge else None)
    order = replace(order, amounts=order.charged())
    check_amounts(order.action, order.amounts)
    return start_request(unit, at, caller, replace(command, order=order, details=codec.write_details(details)))


NO_SURCHARGE: Final = Fault("amountSurcharge", "invalid", "amountSurcharge is not allowed on a surcharge-enabled terminal.")


def take_card(unit: Unit, at: Moment, smart_terminal_id: str, request_id: str, taken: TakenCard) -> PaymentDecided | None:
    """The terminal has the customer's card: the payment is intended, and nobody stops it any more.

    A card that was taken was asked for, even if the terminal's word of that was lost with a node; then that is written too. A
    repeated copy changes nothing. Returns the decision, if there is one already. Raises NotFound if it is not this terminal's
    request, TooLate if it takes no card (any more), Invalid if its order does not allow what came.
    """
    stored = find_of_terminal(unit, smart_terminal_id, request_id)
    if stored.rules.card_taken and stored.rules.status.running:
        return _decided(unit, stored)
    unheard = stored.rules.status is rules.Status.CONNECTING
    shown = rules.show(stored.rules, at.now, stored.request_deadline) if unheard else stored.rules
    rules.take_card(shown, at.now, 0, DECISION_DEADLINE)  # or refuse it before anything is written
    new = _new_transaction(unit, stored, taken)
    if unheard:
        stored = write_shown(unit, at, stored)
    lock_payments(unit, stored.merchant_id)
    declined = find_duplicate(unit, at, new) or _check_refund(unit, at, new)
    number = insert_transaction(unit, at, new, declined)
    changed = change_request(unit, at, stored, lambda now: rules.take_card(now.rules, at.now, number, DECISION_DEADLINE))
    if declined is None:
        return None
    intent = unit.one(intents.FIND, transaction_id=number)
    if intent is None:
        raise NotFound("the transaction is gone")
    tell_decided(unit, at, intent, approved=False)
    return _decided(unit, replace(changed, rules=replace(changed.rules, approved=False)))


def _new_transaction(unit: Unit, stored: StoredRequest, taken: TakenCard) -> NewTransaction:
    payment = unit.one(requests.FIND_PAYMENT, request_id=stored.rules.id)
    order = None if payment is None else codec.read_order(payment.order)
    if payment is None or not isinstance(order, PaymentOrder):
        raise TooLate("the request is no payment")
    _check_taken(order, taken)
    details = codec.read_details(payment.details or "{}")
    account = unit.one(rows.FIND_ACCOUNT, merchant_id=stored.merchant_id, terminal_id=payment.terminal_id)
    if account is None:
        raise Invalid([NO_SUCH_ACCOUNT])
    amounts = order.charged(taken.tip, taken.network)
    check_amounts(order.action, amounts)
    return NewTransaction(
        merchant_id=stored.merchant_id,
        account=account,
        release=stored.release,
        action=order.action,
        wanted=Status.CAPTURE,
        amounts=amounts,
        payer=taken.card.facts,
        method=taken.card.entry.value,
        service=TERMINAL,
        details=details.details,
        card=taken.card,
        note=details.note,
        request_id=stored.rules.id,
        surcharge_rate=order.rate(taken.network),
        network=taken.network and taken.network.value,
        # A keyed card is asked about without declining for its address.
        avs=AvsMode.BYPASS if taken.card.entry is Entry.KEYED else AvsMode.OFF,
    )


def _check_taken(order: PaymentOrder, taken: TakenCard) -> None:
    faults = []
    if not _SEALED.fullmatch(taken.card.sealed) or len(taken.card.sealed) > MAX_SEALED:
        faults.append(Fault("sealed", "invalid", "This is no sealed card."))
    if not _LAST_FOUR.fullmatch(taken.card.facts.last_four) or len(taken.card.facts.fingerprint) != 32:
        faults.append(Fault("card", "invalid", "This is not what is kept of a card."))
    if taken.card.entry is Entry.KEYED and not order.keyed:
        faults.append(Fault("entry", "invalid", "The card may not be keyed."))
    if taken.tip < 0 or (taken.tip and not order.allow_tips):
        faults.append(Fault("tip", "invalid", "No tip was asked for."))
    if faults:
        raise Invalid(faults)


def _check_refund(unit: Unit, at: Moment, new: NewTransaction) -> Decision | None:
    if new.action is not Action.REFUND:
        return None
    try:
        check_refund(new.amounts, card_history(unit, at, new.merchant_id, new.payer.fingerprint))
    except Invalid:
        return MORE_THAN_CHARGED
    return None


def finish_payment(  # noqa: PLR0917 - the words of one frame, in its order
    unit: Unit, at: Moment, smart_terminal_id: str, request_id: str, outcome: Outcome, result: Paid
) -> None:
    """A decided payment ended at the terminal, perhaps with a signature and an address for the receipt.

    The receipt is owed with this. A repeated copy changes nothing. Raises as `finish_request` does, also if it is about another
    transaction, or the address is not the one that the order offers.
    """
    stored = find_of_terminal(unit, smart_terminal_id, request_id)
    if stored.rules.transaction_id != result.transaction_id:
        raise TooLate("the request is not about that transaction")
    if result.receipt_email and not _offered(unit, request_id, result.receipt_email):
        raise TooLate("the receipt was not offered to that address")
    # The signature rests with the transaction, not with the request, whose result is gone after a day.
    if not finish_request(unit, at, smart_terminal_id, request_id, outcome, replace(result, strokes=None)):
        return
    if result.strokes:
        insert_signature(unit, at, stored.merchant_id, result.transaction_id, result.strokes, source=TERMINAL)
    if result.receipt_email:
        unit.run(rows.SET_RECEIPT_EMAIL, transaction_id=result.transaction_id, receipt_email=result.receipt_email)
        if is_address(result.receipt_email):
            owe_mail(unit, at, stored.merchant_id, result.transaction_id, result.receipt_email)


def _offered(unit: Unit, request_id: str, address: str) -> bool:
    """Whether the customer could choose that address: no terminal makes the gateway send mails to others."""
    payment = unit.one(requests.FIND_PAYMENT, request_id=request_id)
    order = None if payment is None else codec.read_order(payment.order)
    return isinstance(order, PaymentOrder) and order.offers_receipt_to(address)


def find_decided(unit: Unit, smart_terminal_ids: Sequence[str]) -> list[DecidedHint]:
    """What these terminals should have heard: the decisions on payments that still run there."""
    found = unit.all(requests.FIND_DECIDED, smart_terminal_ids=codec.write_list(smart_terminal_ids))
    return [
        DecidedHint(
            row.smart_terminal_id,
            row.id,
            payment_decided(codec.read_order(row.order), row.transaction_id, row.total, approved=row.approved),
        )
        for row in found
    ]


def _decided(unit: Unit, stored: StoredRequest) -> PaymentDecided | None:
    number, approved = stored.rules.transaction_id, stored.rules.approved
    if number is None or approved is None:
        return None
    intent = unit.one(intents.FIND, transaction_id=number)
    payment = unit.one(requests.FIND_PAYMENT, request_id=stored.rules.id)
    if intent is None or payment is None:
        return None
    return payment_decided(codec.read_order(payment.order), number, intent.total, approved=approved)


def fingerprint_key(unit: Unit, merchant_id: str) -> bytes:
    """The key of the fingerprints of a merchant's cards: whoever sees a card needs it, and the database never has it."""
    return unit.derive(f"fingerprint {merchant_id}")


def terminal_fingerprint_key(unit: Unit, smart_terminal_id: str) -> bytes:
    """The same for the merchant of a device. Raises NotFound if there is no such device."""
    merchant_id = unit.one(requests.FIND_MERCHANT, smart_terminal_id=smart_terminal_id)
    if merchant_id is None:
        raise NotFound("no such Smart Terminal")
    return fingerprint_key(unit, merchant_id)
