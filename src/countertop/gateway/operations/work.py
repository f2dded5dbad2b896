"""What a processor is owed, step by step: each step is one commit, so that a crash between two is understood.

A question that is INTENDED was never sent and may be. One that is SENDING, with nobody at work on it, may have been: it is
declined and reversed, and never sent again. Reversals and captures are said until the processor has agreed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from countertop.domain import request as requests
from countertop.domain import transaction as rules
from countertop.domain.card import CardFacts
from countertop.domain.clock import HOUR, MINUTE, SECOND, Instant
from countertop.domain.errors import TooLate
from countertop.domain.hint import DecidedHint, IntentHint, TransactionHint
from countertop.domain.intent import Intent
from countertop.domain.money import Cents
from countertop.domain.order import Order, PaymentOrder
from countertop.domain.payment import PaymentDecided
from countertop.domain.response import NO_REPLY, Decision
from countertop.domain.sealed_card import SealedCard
from countertop.domain.transaction import Status
from countertop.gateway.operations.delivery import Event, record_event
from countertop.gateway.operations.moment import Moment
from countertop.gateway.operations.request import change_request
from countertop.gateway.store import codec
from countertop.gateway.store import intent as rows
from countertop.gateway.store import request as request_rows
from countertop.gateway.store.intent import StoredIntent
from countertop.gateway.store.transaction import decision_columns
from countertop.gateway.store.unit import Unit

LEASE: Final = MINUTE
"""How long a question is in a node's hands before others take it for lost: longer than an answer is waited for."""
FLIGHT: Final = 2 * SECOND
"""How long a question may still be under way to a processor after its node is gone; its reversal must not come before it."""
EVENT: Final = "TRANSACTION"
"""The type of the event that a transaction was decided."""
DECLINED_UNHEARD: Final = Decision(NO_REPLY, authorized=False)
"""What a payment is whose answer never came, once its reversal is on record."""


class Task(Enum):
    """What is to be said to a processor."""

    AUTHORISE = "authorise"
    REVERSE = "reverse"
    CAPTURE = "capture"


@dataclass(frozen=True, slots=True)
class Work:
    """Something to be said, in this node's hands `until` then.

    `card` is there if the question is about one at hand. `amount` is what to capture, in cents.
    """

    task: Task
    intent: Intent
    tries: int
    until: Instant
    card: SealedCard | None = None
    approval_code: str = ""
    amount: Cents = 0


def begin_sending(unit: Unit, at: Moment, transaction_id: int, lease: int = LEASE) -> Work | None:
    """Takes in hand what a new transaction owes, the moment before it is said. None: somebody else has, or nothing is owed."""
    stored = unit.one(rows.FIND, transaction_id=transaction_id)
    if stored is None or stored.due is None or stored.state == rows.SENDING:
        return None
    if stored.state != rows.INTENDED and stored.due > at.now:
        return None
    return _take(unit, at, stored, lease)


def claim_work(unit: Unit, at: Moment, limit: int, busy: Collection[int] = (), lease: int = LEASE) -> list[Work]:
    """Takes in hand what nobody is at work on, at most `limit`, the longest due first, and none of the transactions `busy`.

    What was SENDING is declined with this, and comes out as a reversal.
    """
    found = [stored for stored in unit.all(rows.DUE, now=at.now, limit=limit + len(busy)) if stored.intent.number not in busy]
    return [work for stored in found[:limit] if (work := _take(unit, at, stored, lease)) is not None]


def let_go_work(unit: Unit, at: Moment, transaction_ids: Collection[int]) -> None:
    """Gives up what this node has in hand and says no more of, so that others need not wait for its lease."""
    for transaction_id in transaction_ids:
        unit.run(rows.LET_GO, transaction_id=transaction_id, now=at.now, arrived=at.now + FLIGHT)


def take_up_work(unit: Unit, at: Moment) -> int:
    """Makes all that is owed due, whoever had it in hand. For a node that is the only one. Returns how much that was."""
    return unit.run(rows.TAKE_UP, now=at.now, arrived=at.now + FLIGHT)


def next_due(unit: Unit) -> Instant | None:
    """When the next thing is due to be taken in hand; None if nothing is owed."""
    return unit.one(rows.NEXT_DUE)


def _take(unit: Unit, at: Moment, stored: StoredIntent, lease: int) -> Work | None:
    if stored.state == rows.SENDING:
        if not _decide(unit, at, stored, DECLINED_UNHEARD, rows.REVERSING, at.now + lease):
            return None
        return Work(Task.REVERSE, stored.intent, stored.tries, at.now + lease)
    state = rows.SENDING if stored.state == rows.INTENDED else stored.state
    if not _moved(unit, stored, state, stored.tries, at.now + lease):
        return None
    if state == rows.SENDING:
        return Work(Task.AUTHORISE, stored.intent, stored.tries, at.now + lease, _card(unit, stored))
    if state == rows.CAPTURING:
        return Work(Task.CAPTURE, stored.intent, stored.tries, at.now + lease, None, stored.approval_code or "", stored.total)
    return Work(Task.REVERSE, stored.intent, stored.tries, at.now + lease)


def record_decision(unit: Unit, at: Moment, transaction_id: int, decision: Decision) -> bool:
    """The processor has answered. False if it was too late: the transaction is declined, and is now reversed once more."""
    stored = unit.one(rows.FIND, transaction_id=transaction_id)
    if stored is None:
        return False
    # Nobody may go on holding money for what was declined, or never wanted.
    reverse = stored.wanted is Status.VOID if decision.approved else decision.authorized
    state, due = (rows.REVERSING, at.now) if reverse else (rows.DECIDED, None)
    if _decide(unit, at, stored, decision, state, due):
        return True
    if stored.state in (rows.REVERSING, rows.REVERSED) and decision.approved:
        unit.run(rows.REVERSE_AGAIN, transaction_id=transaction_id, due=at.now)
        unit.hint(IntentHint(transaction_id))
    return False


def record_unheard(unit: Unit, at: Moment, transaction_id: int, lease: int = LEASE) -> Work | None:
    """No answer came, so the payment is declined and its reversal, which is returned, is in this node's hands.

    None: somebody else has found that out.
    """
    stored = unit.one(rows.FIND, transaction_id=transaction_id)
    if stored is None or not _decide(unit, at, stored, DECLINED_UNHEARD, rows.REVERSING, at.now + lease):
        return None
    return Work(Task.REVERSE, stored.intent, stored.tries, at.now + lease)


def record_unsent(unit: Unit, at: Moment, transaction_id: int) -> bool:
    """The processor was out of reach and has heard nothing: the payment is declined, and there is nothing to reverse."""
    stored = unit.one(rows.FIND, transaction_id=transaction_id)
    return stored is not None and _decide(unit, at, stored, DECLINED_UNHEARD, rows.DECIDED, None)


def record_done(unit: Unit, at: Moment, work: Work) -> bool:
    """The processor agreed to a reversal or a capture. False if there is more to say about that transaction since."""
    del at  # every operation takes it
    stored = unit.one(rows.FIND, transaction_id=work.intent.number)
    if stored is None or stored.tries != work.tries or stored.due is None:
        return False
    done = {rows.REVERSING: rows.REVERSED, rows.CAPTURING: rows.CAPTURED}.get(stored.state)
    return done is not None and _moved(unit, stored, done, stored.tries, None)


def postpone(unit: Unit, at: Moment, work: Work) -> None:
    """The processor did not agree: it is asked again later, first after seconds, in the end each hour."""
    stored = unit.one(rows.FIND, transaction_id=work.intent.number)
    if stored is not None and stored.tries == work.tries and stored.due is not None:
        pause = min(SECOND << min(work.tries, 20), HOUR)
        _moved(unit, stored, stored.state, stored.tries + 1, at.now + pause)


def _moved(unit: Unit, stored: StoredIntent, state: str, tries: int, due: Instant | None) -> bool:
    count = unit.run(
        rows.MOVE,
        transaction_id=stored.intent.number,
        was_state=stored.state,
        was_tries=stored.tries,
        was_due=stored.due,
        intent_state=state,
        tries=tries,
        due=due,
    )
    return count > 0


def _card(unit: Unit, stored: StoredIntent) -> SealedCard | None:
    if stored.sealed_card is None or stored.entry is None or not isinstance(stored.payer, CardFacts):
        return None
    return SealedCard(unit.unseal(stored.sealed_card, codec.CARD).decode(), stored.payer, stored.entry)


def _decide(  # noqa: PLR0917 - what, how, and what it owes now
    unit: Unit, at: Moment, stored: StoredIntent, decision: Decision, state: str, due: Instant | None
) -> bool:
    """Writes the end of a question that was being sent, with all that hears of it. False if it was not being sent any more."""
    intent = replace(stored.intent, hold=stored.wanted is Status.HOLD)
    transaction = rules.begin(intent, decision, stored.payer, void=stored.wanted is Status.VOID)
    counted = unit.run(
        rows.DECIDE,
        transaction_id=stored.intent.number,
        was_state=rows.SENDING,
        status=transaction.status.value,
        authorized=transaction.authorized,
        **decision_columns(decision),
        sequence=stored.sequence + 1,
        modified=at.now,
        intent_state=state,
        tries=stored.tries,
        due=due,
    )
    if counted:
        tell_decided(unit, at, stored, approved=decision.approved)
        if due is not None and due <= at.now:
            unit.hint(IntentHint(stored.intent.number))
    return counted > 0


def subject_of(transaction_id: int) -> str:
    """The subject of a transaction's events: its decision is the first, signatures follow."""
    return f"transaction {transaction_id}"


def tell_decided(unit: Unit, at: Moment, stored: StoredIntent, *, approved: bool) -> None:
    """A transaction is decided: its event, its request's next step, and hints to those who wait."""
    number = stored.intent.number
    data = {"transaction_id": number}
    record_event(unit, at, Event(stored.merchant_id, stored.account_id, EVENT, subject_of(number), 1, stored.release, data))
    unit.hint(TransactionHint(number))
    if stored.request_id is not None:
        _decide_request(unit, at, stored.request_id, stored, approved=approved)


def _decide_request(unit: Unit, at: Moment, request_id: str, stored: StoredIntent, *, approved: bool) -> None:
    request = unit.one(request_rows.FIND, request_id=request_id)
    payment = unit.one(request_rows.FIND_PAYMENT, request_id=request_id)
    if request is None or payment is None:
        return
    try:
        change_request(
            unit, at, request, lambda now: requests.decide_payment(now.rules, at.now, now.request_deadline, approved=approved)
        )
    except TooLate:
        return  # it has ended, which with a card in hand it never should have
    decided = payment_decided(codec.read_order(payment.order), stored.intent.number, stored.total, approved=approved)
    unit.hint(DecidedHint(request.smart_terminal_id, request_id, decided))


def payment_decided(order: Order, transaction_id: int, total: Cents, *, approved: bool) -> PaymentDecided:
    """What a terminal is told of a decision on the order that it shows."""
    asks = order if approved and isinstance(order, PaymentOrder) else None
    return PaymentDecided(
        approved,
        transaction_id,
        total,
        signature=asks is not None and asks.show_signature_prompt,
        receipt=asks is not None and asks.show_receipt_prompt,
    )
