"""The life of a transaction: what may still be changed, what a refund may give back, when it is over.

    ┌──────┐ hold, capture ┌─────────┐ settle ┌───────────────────┐ a bank sends it back ┌────────┐
    │ HOLD │ ◀───────────▶ │ CAPTURE │ ─────▶ │ CAPTURE, settled ■│ ───────────────────▶ │ REJECT │■
    └──┬───┘               └────┬────┘        └───────────────────┘                      └────────┘
       └────────▶ VOID ■ ◀──────┘                 DECLINED ■ is born so

■ is an end for status and amounts; contact and numbers can be changed at any time. A refund is a transaction of its own.
Changes are decided here on a transaction as it was read and written by compare-and-set on its `sequence`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from countertop.domain.amount import Amounts, Part
from countertop.domain.card import CardFacts
from countertop.domain.clock import DAY, Instant
from countertop.domain.contact import Contact
from countertop.domain.errors import Fault, Invalid, TooLate
from countertop.domain.intent import Action, Intent
from countertop.domain.money import MAX_AMOUNT, Cents, Rate
from countertop.domain.response import Decision

REFUND_WINDOW: Final = 365 * DAY
"""How far back charges count towards what may be refunded to a card."""


class Status(StrEnum):
    """Where a transaction is. The words are the wire's."""

    HOLD = "HOLD"
    CAPTURE = "CAPTURE"
    VOID = "VOID"
    DECLINED = "DECLINED"
    REJECT = "REJECT"

    @property
    def final(self) -> bool:
        """Whether status and amounts can never change again."""
        return self in (Status.VOID, Status.DECLINED, Status.REJECT)


class AccountType(StrEnum):
    """The kinds of bank account. The words are the wire's."""

    CHECKING = "CHECKING"
    SAVINGS = "SAVINGS"


@dataclass(frozen=True, slots=True)
class AchFacts:
    """What may be stored of a bank account: its kind, last four digits, and a keyed fingerprint that tells equal accounts."""

    account_type: AccountType
    last_four: str
    fingerprint: bytes = field(repr=False)


Payer = CardFacts | AchFacts


@dataclass(frozen=True, slots=True)
class Details:
    """What can be changed at any time."""

    invoice_number: str = ""
    purchase_order_number: str = ""
    billing: Contact = field(default_factory=Contact)
    shipping: Contact = field(default_factory=Contact)


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction as the rules see it.

    `authorized` is how much the processor has said yes to. `surcharge_rate` is None unless a surcharge is taken. `sequence`
    counts its changes, `settlement_id` says in which batch it was settled.
    """

    id: int
    action: Action
    status: Status
    amounts: Amounts
    authorized: Cents
    decision: Decision
    payer: Payer
    created: Instant
    modified: Instant
    details: Details = field(default_factory=Details)
    surcharge_rate: Rate | None = None
    settlement_id: int | None = None
    sequence: int = 1

    @property
    def settled(self) -> bool:
        """Whether the money has moved."""
        return self.settlement_id is not None

    @property
    def signable(self) -> bool:
        """Whether somebody should sign for it: an approved payment by card that was not undone."""
        live = self.status in (Status.CAPTURE, Status.HOLD) and self.action is not Action.VERIFY
        return live and isinstance(self.payer, CardFacts)

    @property
    def beyond_authorization(self) -> Cents:
        """How much of the total the processor has not been asked for: it must be, before an edit that raises it is written."""
        return max(0, self.amounts.total - self.authorized)

    @property
    def charged(self) -> Cents:
        """What this transaction takes from its card."""
        return self.amounts.total if (self.action, self.status) == (Action.CHARGE, Status.CAPTURE) else 0

    @property
    def refunded(self) -> Cents:
        """What this transaction gives back to its card, or will: a refund that is held counts, since it may be captured."""
        return self.amounts.total if self.action is Action.REFUND and not self.status.final else 0


def begin(
    intent: Intent,
    decision: Decision,
    payer: Payer,
    *,
    void: bool = False,
    details: Details | None = None,
    surcharge_rate: Rate | None = None,
) -> Transaction:
    """The transaction that an intent became once it was decided: captured or held as intended, or declined.

    `void`: the merchant only wanted to know, and what was approved is void from the start.
    """
    status = Status.HOLD if intent.hold else Status.CAPTURE
    if not decision.approved:
        status = Status.DECLINED
    elif void:
        status = Status.VOID
    return Transaction(
        intent.number,
        intent.action,
        status,
        intent.amounts,
        intent.amounts.total if decision.approved else 0,
        decision,
        payer,
        intent.created,
        intent.created,
        details or Details(invoice_number=intent.invoice_number),
        surcharge_rate,
    )


@dataclass(frozen=True, slots=True)
class Edit:
    """What a merchant wants changed; None and missing parts stay as they are."""

    status: Status | None = None
    amounts: Mapping[Part, Cents] = field(default_factory=dict)
    details: Details | None = None


def edit(transaction: Transaction, wanted: Edit, now: Instant) -> Transaction:
    """The transaction with the changes made, the surcharge computed anew if one is taken.

    Raises Invalid with one fault for each thing that cannot be changed (any more).
    """
    faults = _frozen_faults(transaction, wanted)
    if faults:
        raise Invalid(faults)
    amounts, rate = transaction.amounts, transaction.surcharge_rate
    if wanted.amounts:
        rate = None if Part.SURCHARGE in wanted.amounts else rate
        amounts = amounts.changed(wanted.amounts)
        amounts = amounts if rate is None else amounts.with_surcharge(rate)
        check_amounts(transaction.action, amounts)
        if transaction.action is Action.REFUND and amounts.total > transaction.amounts.total:
            raise Invalid([Fault("amountBase", "invalid", "The amount of a refund can not be raised.")])
    return replace(
        transaction,
        status=wanted.status or transaction.status,
        amounts=amounts,
        surcharge_rate=rate,
        details=wanted.details or transaction.details,
        modified=now,
        sequence=transaction.sequence + 1,
    )


def check_amounts(action: Action, amounts: Amounts) -> None:
    """Raises Invalid unless these amounts fit the action: something to charge or refund, and no more than the ceiling."""
    if action is Action.VERIFY:
        if amounts.total:
            raise Invalid([Fault("amountBase", "invalid", "Amount Base must be 0.")])
        return
    if amounts.base <= 0:
        raise Invalid([Fault("amountBase", "invalid", "Amount Base must be greater than 0.")])
    if amounts.total > MAX_AMOUNT:
        raise Invalid([Fault("amountBase", "invalid", "The total must not be greater than 1,000,000.")])


def settle(transaction: Transaction, settlement_id: int, now: Instant) -> Transaction:
    """The transaction in a batch: its money moves. What is held waits for the next batch.

    Raises TooLate if it is not captured, or settled already.
    """
    if transaction.status is not Status.CAPTURE or transaction.settled:
        raise TooLate(f"a transaction that is {_condition(transaction)} does not settle")
    return replace(transaction, settlement_id=settlement_id, modified=now, sequence=transaction.sequence + 1)


def reject(transaction: Transaction, now: Instant) -> Transaction:
    """A bank sends a settled ACH payment back.

    Raises TooLate if it is not one.
    """
    if not (isinstance(transaction.payer, AchFacts) and transaction.settled and transaction.status is Status.CAPTURE):
        raise TooLate("only a settled ACH transaction is sent back")
    return replace(transaction, status=Status.REJECT, modified=now, sequence=transaction.sequence + 1)


@dataclass(frozen=True, slots=True)
class CardHistory:
    """What was charged and refunded to one card within the refund window, in cents."""

    charged: Cents
    refunded: Cents

    @property
    def refundable(self) -> Cents:
        """What may still be given back: a merchant never pays a card more than it took from it."""
        return max(0, self.charged - self.refunded)


def history_of(transactions: Iterable[Transaction], now: Instant) -> CardHistory:
    """The history in all transactions of one card. (A store sums in a query; this says what.)"""
    recent = [transaction for transaction in transactions if transaction.created > now - REFUND_WINDOW]
    return CardHistory(sum(each.charged for each in recent), sum(each.refunded for each in recent))


def check_refund(amounts: Amounts, history: CardHistory) -> None:
    """Raises Invalid if a refund would give a card more than it was charged."""
    check_amounts(Action.REFUND, amounts)
    if amounts.total > history.refundable:
        message = "The refund is greater than what was charged to this card in the last 12 months."
        raise Invalid([Fault("amountBase", "invalid", message)])


def check_edit(before: Transaction, after: Transaction, history: CardHistory) -> None:
    """Raises Invalid if an edit would leave a card charged with less than was refunded to it: a refunded charge is not voided."""
    if history.charged - before.charged + after.charged < history.refunded and after.charged < before.charged:
        raise Invalid([Fault("status", "invalid", "Status can not be updated because the Transaction has been refunded.")])


def _frozen_faults(transaction: Transaction, wanted: Edit) -> list[Fault]:
    """One fault for each change that comes too late, or that may never be made."""
    faults = [fault for part in wanted.amounts if (fault := _surcharge_fault(transaction, part, wanted.amounts[part]))]
    if wanted.status not in (None, Status.HOLD, Status.CAPTURE, Status.VOID):
        faults.append(Fault("status", "invalid", "Status is invalid."))
    if transaction.settled or transaction.status.final:
        condition = f"because the Transaction {'has been settled' if transaction.settled else f'is {transaction.status}'}."
        if wanted.status is not None and (transaction.settled or wanted.status is not transaction.status):
            faults.append(Fault("status", "invalid", f"Status can not be updated {condition}"))
        faults += [
            Fault(_parameter(part), "invalid", f"{_label(part)} can not be updated {condition}") for part in wanted.amounts
        ]
    return faults


def _surcharge_fault(transaction: Transaction, part: Part, amount: Cents) -> Fault | None:
    """Where a rate makes the surcharge a merchant may only switch it off."""
    if part is Part.SURCHARGE and amount and transaction.surcharge_rate is not None:
        return Fault("amountSurcharge", "invalid", "amountSurcharge is not allowed on a surcharge-enabled terminal.")
    return None


def _label(part: Part) -> str:
    """What a caller reads: `Amount Surcharge Tax`."""
    return f"Amount {part.value.replace('_', ' ').title()}"


def _parameter(part: Part) -> str:
    """What a caller wrote: `amountSurchargeTax`."""
    return f"a{_label(part).replace(' ', '')[1:]}"


def _condition(transaction: Transaction) -> str:
    return "settled" if transaction.settled else str(transaction.status)
