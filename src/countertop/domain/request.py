"""The life of a Smart Terminal request: which change may follow which, and what each leaves behind.

The table that this module implements is in docs/explanation/request-life.md. A change is decided here on a `Request` as it was
read, and written by compare-and-set on the sequence number it was decided on: if something else changed the request in between,
the write finds no row and the decision is made again on what is there now.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Final

from countertop.domain.clock import DAY, MINUTE, Instant
from countertop.domain.errors import TooLate
from countertop.domain.order import Kind
from countertop.domain.value import value

RETENTION: Final = DAY
"""How long an ended request answers; after that its id is unknown and its result is gone."""

MAX_EXTENSIONS: Final = 2
"""How often an unreadable swipe starts the deadline anew."""

DECISION_DEADLINE: Final = MINUTE
"""How long a payment whose card was taken is waited for before it is looked at again. It never ends undecided."""


class Status(StrEnum):
    """Where a request is. The words are the wire's."""

    CONNECTING = "CONNECTING"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETE = "COMPLETE"
    BUSY = "BUSY"
    NO_CONNECTION = "NO_CONNECTION"

    @property
    def running(self) -> bool:
        """Whether the request still occupies its terminal."""
        return self in (Status.CONNECTING, Status.IN_PROGRESS)


class Outcome(StrEnum):
    """Why a request ended."""

    CARD_READ = "CARD_READ"
    BUTTON_PRESSED = "BUTTON_PRESSED"
    INPUT_ENTERED = "INPUT_ENTERED"
    SIGNED = "SIGNED"
    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    CUSTOMER_CANCELLED = "CUSTOMER_CANCELLED"
    MERCHANT_CANCELLED = "MERCHANT_CANCELLED"
    SUPERSEDED = "SUPERSEDED"
    TIMED_OUT = "TIMED_OUT"
    READ_FAILED = "READ_FAILED"
    TERMINAL_BUSY = "TERMINAL_BUSY"
    TERMINAL_UNREACHABLE = "TERMINAL_UNREACHABLE"
    TERMINAL_LOST = "TERMINAL_LOST"


WITH_RESULT: Final = frozenset(
    {
        Outcome.CARD_READ,
        Outcome.BUTTON_PRESSED,
        Outcome.INPUT_ENTERED,
        Outcome.SIGNED,
        Outcome.APPROVED,
        Outcome.DECLINED,
    }
)
"""The outcomes that carry a result."""

AT_THE_TERMINAL: Final[dict[Outcome, frozenset[Kind]]] = {
    Outcome.CARD_READ: frozenset({Kind.READ}),
    Outcome.READ_FAILED: frozenset({Kind.READ}),
    Outcome.BUTTON_PRESSED: frozenset({Kind.PROMPT}),
    Outcome.INPUT_ENTERED: frozenset({Kind.INPUT}),
    Outcome.SIGNED: frozenset({Kind.SIGNATURE}),
    Outcome.APPROVED: frozenset({Kind.PAYMENT}),
    Outcome.DECLINED: frozenset({Kind.PAYMENT}),
    Outcome.CUSTOMER_CANCELLED: frozenset(Kind),
}
"""The outcomes that a terminal may report, and for which kinds of request; all others are the gateway's to decide."""


@value
class Request:
    """A request as the rules see it.

    `sequence` counts its changes (the first event has 1). `deadline` is when the present state ends by itself, `ended` when it
    reached an end; both None otherwise. A payment has a `transaction_id` from the moment its card was taken, and `approved` from
    the moment it was decided.
    """

    id: str
    kind: Kind
    status: Status
    sequence: int
    deadline: Instant | None
    extensions: int = 0
    outcome: Outcome | None = None
    ended: Instant | None = None
    transaction_id: int | None = None
    approved: bool | None = None

    @property
    def card_taken(self) -> bool:
        """Whether a payment card is in hand: the payment is no longer to be stopped."""
        return self.transaction_id is not None


def begin(request_id: str, kind: Kind, now: Instant, connect_deadline: int) -> Request:
    """A request on a free terminal."""
    return Request(request_id, kind, Status.CONNECTING, sequence=1, deadline=now + connect_deadline)


def begin_busy(request_id: str, kind: Kind, now: Instant) -> Request:
    """A request on a busy terminal: it is born ended."""
    return Request(request_id, kind, Status.BUSY, 1, None, outcome=Outcome.TERMINAL_BUSY, ended=now)


def show(request: Request, now: Instant, request_deadline: int) -> Request:
    """The terminal says that it shows the request.

    Raises TooLate if the request is not waiting for that.
    """
    if request.status is not Status.CONNECTING:
        raise TooLate(f"a request that is {request.status} cannot be shown")
    return replace(request, status=Status.IN_PROGRESS, sequence=request.sequence + 1, deadline=now + request_deadline)


def extend(request: Request, now: Instant, request_deadline: int) -> Request:
    """An unreadable swipe gives the customer time anew, at most `MAX_EXTENSIONS` times. Not an event: the status stays.

    Raises TooLate if the request is not on a screen, or has been extended often enough.
    """
    if request.status is not Status.IN_PROGRESS or request.card_taken or request.extensions >= MAX_EXTENSIONS:
        raise TooLate("the deadline can not be extended")
    return replace(request, deadline=now + request_deadline, extensions=request.extensions + 1)


def take_card(request: Request, now: Instant, transaction_id: int, decision_deadline: int) -> Request:
    """The terminal has a card for a payment: from here on only the processor's decision counts. Not an event: the status stays.

    Raises TooLate if the request is not on a screen, or has a card already.
    """
    if request.kind is not Kind.PAYMENT or request.status is not Status.IN_PROGRESS or request.card_taken:
        raise TooLate(f"a {request.kind} request that is {request.status} takes no card")
    # Never the deadline that it had: by its deadline a compare-and-set tells a change from no change.
    deadline = max(now + decision_deadline, (request.deadline or 0) + 1)
    return replace(request, transaction_id=transaction_id, deadline=deadline)


def decide_payment(request: Request, now: Instant, request_deadline: int, *, approved: bool) -> Request:
    """The processor has decided. The customer has time anew for what comes now: signature and receipt.

    Raises TooLate if the request is not waiting for that.
    """
    if not (request.status is Status.IN_PROGRESS and request.card_taken and request.approved is None):
        raise TooLate("the request waits for no decision")
    return replace(request, approved=approved, sequence=request.sequence + 1, deadline=now + request_deadline)


def finish(request: Request, outcome: Outcome, now: Instant, *, result: Kind | None = None) -> Request:
    """The terminal reports an end. `result` is the kind of result that came with it.

    Raises TooLate if the request is not on its screen, or the outcome or the result does not belong to this kind of request.
    """
    if request.kind not in AT_THE_TERMINAL.get(outcome, frozenset()):
        raise TooLate(f"a {request.kind} request cannot end at the terminal as {outcome}")
    if result != (request.kind if outcome in WITH_RESULT else None):
        raise TooLate(f"{outcome} of a {request.kind} request came with a result that does not belong to it")
    if request.status is not Status.IN_PROGRESS:
        raise TooLate(f"a request that is {request.status} has no result to take")
    if request.kind is Kind.PAYMENT and outcome is not _decided_outcome(request):
        raise TooLate(f"the payment can not end as {outcome}")
    return _end(request, Status.COMPLETE, outcome, now)


def cancel(request: Request, outcome: Outcome, now: Instant) -> Request:
    """The merchant ends the request: by `/main` (MERCHANT_CANCELLED) or by a newer request that interrupts (SUPERSEDED).

    Raises TooLate if it has ended already.
    """
    if not request.status.running:
        raise TooLate(f"a request that is {request.status} has ended")
    if request.card_taken:
        raise TooLate("the card has been taken")
    return _end(request, Status.COMPLETE, outcome, now)


def expire(request: Request, now: Instant, *, terminal_online: bool) -> Request:
    """The deadline of the present state has passed. A payment whose card was taken is waited for until it is decided.

    Raises TooLate if it has not, or the request has ended.
    """
    if not request.status.running or request.deadline is None or now < request.deadline:
        raise TooLate("no deadline of this request has passed")
    if request.status is Status.CONNECTING:
        return _end(request, Status.NO_CONNECTION, Outcome.TERMINAL_UNREACHABLE, now)
    if request.card_taken:
        if request.approved is None:
            return replace(request, deadline=now + DECISION_DEADLINE)
        return _end(request, Status.COMPLETE, _decided_outcome(request), now)
    if terminal_online:
        return _end(request, Status.COMPLETE, Outcome.TIMED_OUT, now)
    return _end(request, Status.NO_CONNECTION, Outcome.TERMINAL_LOST, now)


def _decided_outcome(request: Request) -> Outcome:
    """The one outcome that a payment can have at its terminal now."""
    if not request.card_taken:
        return Outcome.CUSTOMER_CANCELLED
    if request.approved is None:
        raise TooLate("the payment is not decided yet")
    return Outcome.APPROVED if request.approved else Outcome.DECLINED


def _end(request: Request, status: Status, outcome: Outcome, now: Instant) -> Request:
    return replace(request, status=status, outcome=outcome, sequence=request.sequence + 1, deadline=None, ended=now)
