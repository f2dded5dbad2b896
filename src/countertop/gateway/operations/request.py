"""The life of a Smart Terminal request: the rules of `domain.request`, applied to what is stored.

Every change of status writes the request, its event and the deliveries it owes in one unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Final

from countertop.domain import request as rules
from countertop.domain.clock import Instant
from countertop.domain.errors import Fault, Invalid, NotFound, TooLate
from countertop.domain.hint import ClearHint, RequestHint, ShowHint
from countertop.domain.order import Kind, Order
from countertop.domain.releases import Release
from countertop.domain.request import Outcome, Request, Status
from countertop.domain.result import Paid, Result
from countertop.domain.value import value
from countertop.gateway.operations.access import Caller
from countertop.gateway.operations.connection import terminal_online
from countertop.gateway.operations.delivery import Event, record_event
from countertop.gateway.operations.moment import Moment
from countertop.gateway.store import codec
from countertop.gateway.store import request as rows
from countertop.gateway.store.request import StoredRequest
from countertop.gateway.store.unit import Unit

EVENT: Final = "SMARTTERMINAL_REQUEST"
"""The type of a request's events."""
TERMINAL_TRANSACTION: Final = "SMARTTERMINAL_TRANSACTION"
"""The type of the event that a payment at a terminal has ended, from before there were events of requests."""

NO_SUCH_ACCOUNT: Final = Fault("terminalId", "invalid", "Terminal does not exist or you do not have permission to access it.")


@value
class StartRequest:
    """A request to be made. Deadlines are durations in ms; `interrupt` ends what runs instead of ending as BUSY.

    `details` is text that rests beside the order and never travels to the terminal.
    """

    smart_terminal_id: str
    terminal_id: int
    order: Order
    interrupt: bool
    connect_deadline: int
    request_deadline: int
    details: str | None = None


@value
class RequestView:
    """A request as its merchant may see it. `sequence` grows with every change that is an event.

    A payment has a `transaction_id` from its decision on.
    """

    id: str
    kind: Kind
    status: Status
    outcome: Outcome | None
    sequence: int
    result: Result | None = field(default=None, repr=False)
    transaction_id: int | None = None


def start_request(unit: Unit, at: Moment, caller: Caller, command: StartRequest) -> str:
    """Asks a terminal to do something. Returns the request's id; a busy terminal gives a request that has ended as BUSY.

    Raises NotFound if the caller's merchant has no such terminal, Invalid if it has no such account.
    """
    target = unit.one(
        rows.FIND_TARGET,
        smart_terminal_id=command.smart_terminal_id,
        merchant_id=caller.merchant_id,
        terminal_id=command.terminal_id,
    )
    if target is None:
        raise NotFound("no such Smart Terminal")
    if target.account_id is None or not target.enabled:
        raise Invalid([NO_SUCH_ACCOUNT])
    request_id = at.new_id()
    kind = command.order.kind
    if target.running_id is not None and not _made_free(unit, at, target.running_id, interrupt=command.interrupt):
        request = rules.begin_busy(request_id, kind, at.now)
    else:
        request = rules.begin(request_id, kind, at.now, command.connect_deadline)
    shown_ms = target.request_deadline or command.request_deadline
    _insert(unit, at, caller, command, request, shown_ms=shown_ms)
    if request.status.running:  # said first: somebody stands before the terminal
        unit.hint(ShowHint(command.smart_terminal_id, request_id, command.order, shown_ms))
    _record(unit, at, request, merchant_id=caller.merchant_id, account_id=target.account_id, release=caller.release)
    return request_id


def _insert(unit: Unit, at: Moment, caller: Caller, command: StartRequest, request: Request, *, shown_ms: int) -> None:
    unit.run(
        rows.INSERT,
        id=request.id,
        merchant_id=caller.merchant_id,
        smart_terminal_id=command.smart_terminal_id,
        terminal_id=command.terminal_id,
        kind=request.kind.value,
        order=codec.write_order(command.order),
        release=caller.release,
        status=request.status.value,
        sequence=request.sequence,
        deadline=request.deadline,
        request_deadline=shown_ms,
        extensions=0,
        outcome=request.outcome and request.outcome.value,
        created=at.now,
        ended=request.ended,
        details=command.details,
    )


def _made_free(unit: Unit, at: Moment, running_id: str, *, interrupt: bool) -> bool:
    """Whether the terminal is free now: what ran is interrupted, or its deadline has passed and the timers are late."""

    def decide(stored: StoredRequest) -> Request:
        if interrupt:
            return rules.cancel(stored.rules, Outcome.SUPERSEDED, at.now)
        return _expired(unit, at, stored)

    stored = unit.one(rows.FIND, request_id=running_id)
    if stored is None:
        return True
    try:
        change_request(unit, at, stored, decide)
    except TooLate:
        # Either it goes on, or it has just ended by itself.
        now = unit.one(rows.FIND, request_id=running_id)
        return now is None or not now.rules.status.running
    return True


def check_target(unit: Unit, caller: Caller, smart_terminal_id: str, terminal_id: int | None) -> list[Fault]:
    """What is wrong with a target, so that it can be told together with the other faults of a form. Empty if nothing is.

    Raises NotFound if the caller's merchant has no such terminal. A `terminal_id` of None is not looked at.
    """
    target = unit.one(
        rows.FIND_TARGET,
        smart_terminal_id=smart_terminal_id,
        merchant_id=caller.merchant_id,
        terminal_id=-1 if terminal_id is None else terminal_id,
    )
    if target is None:
        raise NotFound("no such Smart Terminal")
    return [] if terminal_id is None or target.enabled else [NO_SUCH_ACCOUNT]


def press_main(unit: Unit, at: Moment, caller: Caller, smart_terminal_id: str) -> None:
    """Sends a terminal back to its idle screen; what runs there ends as MERCHANT_CANCELLED. Nothing happens on an idle one.

    Raises NotFound if the caller's merchant has no such terminal, TooLate if a payment has its card already.
    """
    check_target(unit, caller, smart_terminal_id, None)
    stored = unit.one(rows.FIND_RUNNING, smart_terminal_id=smart_terminal_id)
    if stored is None:
        return
    try:
        change_request(unit, at, stored, lambda now: rules.cancel(now.rules, Outcome.MERCHANT_CANCELLED, at.now))
    except TooLate:
        now = unit.one(rows.FIND, request_id=stored.rules.id)
        if now is not None and now.rules.status.running:
            raise TooLate("The card has been taken. The payment can not be cancelled any more.") from None
        # Otherwise it ended by itself in the same moment.


def show_request(unit: Unit, at: Moment, smart_terminal_id: str, request_id: str) -> int:
    """The terminal shows the request. Returns how long it may stay there, in ms. Saying so twice changes nothing.

    Raises NotFound if it is not this terminal's request, TooLate if it has ended.
    """
    stored = find_of_terminal(unit, smart_terminal_id, request_id)
    if stored.rules.status is not Status.IN_PROGRESS:
        stored = write_shown(unit, at, stored)
    return _remaining(stored.rules, at.now)


def write_shown(unit: Unit, at: Moment, stored: StoredRequest) -> StoredRequest:
    """Writes that a request is on its screen. Raises TooLate if it has ended."""

    def decide(now: StoredRequest) -> Request:
        if now.rules.status is Status.IN_PROGRESS:  # somebody else has just written that it is
            return now.rules
        return rules.show(now.rules, at.now, now.request_deadline)

    return change_request(unit, at, stored, decide)


def extend_request(unit: Unit, at: Moment, smart_terminal_id: str, request_id: str) -> int:
    """An unreadable swipe gives the customer time anew. Returns how much, in ms.

    Raises NotFound if it is not this terminal's request, TooLate if it is not on its screen or has been extended often enough.
    """
    stored = find_of_terminal(unit, smart_terminal_id, request_id)
    changed = change_request(unit, at, stored, lambda now: rules.extend(now.rules, at.now, now.request_deadline))
    return _remaining(changed.rules, at.now)


def finish_request(  # noqa: PLR0917 - the words of one frame, in its order
    unit: Unit, at: Moment, smart_terminal_id: str, request_id: str, outcome: Outcome, result: Result | None
) -> bool:
    """The request ended at the terminal. A repeated copy of the same end is accepted and changes nothing: then False is returned.

    What ended there was shown there, even if the terminal's word of that was lost with a node; then that is written too.
    Raises NotFound if it is not this terminal's request, TooLate if it has ended otherwise, or the outcome and the result do not
    belong to it.
    """
    stored = find_of_terminal(unit, smart_terminal_id, request_id)
    if _is_copy(unit, stored, outcome, result):
        return False
    kind = None if result is None else result.kind
    if stored.rules.status is Status.CONNECTING:
        shown = rules.show(stored.rules, at.now, stored.request_deadline)
        rules.finish(shown, outcome, at.now, result=kind)  # or refuse it before anything is written
        stored = write_shown(unit, at, stored)
    change_request(
        unit, at, stored, lambda now: rules.finish(now.rules, outcome, at.now, result=kind), result=result, at_terminal=True
    )
    return True


def _is_copy(unit: Unit, stored: StoredRequest, outcome: Outcome, result: Result | None) -> bool:
    return stored.rules.outcome is outcome and _result(unit, stored.sealed_result) == result


def expire_requests(unit: Unit, at: Moment, limit: int) -> int:
    """Ends requests whose deadline has passed, at most `limit`. Returns how many were looked at: fewer than `limit` means all."""
    due = unit.all(rows.FIND_DUE, now=at.now, limit=limit)
    for request_id in due:
        stored = unit.one(rows.FIND, request_id=request_id)
        if stored is None:
            continue
        try:
            change_request(unit, at, stored, lambda now: _expired(unit, at, now))
        except TooLate:
            continue  # it ended or was given more time in the same moment
    return len(due)


def _expired(unit: Unit, at: Moment, stored: StoredRequest) -> Request:
    return rules.expire(stored.rules, at.now, terminal_online=terminal_online(unit, at, stored.smart_terminal_id))


def next_deadline(unit: Unit) -> Instant | None:
    """When the next request ends by itself; None if none runs."""
    return unit.one(rows.NEXT_DEADLINE)


def find_request(unit: Unit, merchant_id: str, request_id: str) -> RequestView:
    """A merchant's request. Raises NotFound if there is none of this id, or no more."""
    row = unit.one(rows.OUTLINE, request_id=request_id)
    if row is None or row.merchant_id != merchant_id:
        raise NotFound("no such request")
    result = _result(unit, row.sealed_result)
    return RequestView(row.id, row.kind, row.status, row.outcome, row.sequence, result, row.transaction_id)


def find_of_terminal(unit: Unit, smart_terminal_id: str, request_id: str) -> StoredRequest:
    """A terminal's request, to be changed. Raises NotFound if it is not this terminal's."""
    stored = unit.one(rows.FIND, request_id=request_id)
    if stored is None or stored.smart_terminal_id != smart_terminal_id:
        raise NotFound("no such request at this terminal")
    return stored


def change_request(
    unit: Unit,
    at: Moment,
    stored: StoredRequest,
    decide: Callable[[StoredRequest], Request],
    *,
    result: Result | None = None,
    at_terminal: bool = False,
) -> StoredRequest:
    """Writes a decision, with its event if the status changed. If the request changed meanwhile, decides again on what is there.

    Raises TooLate if the decision does.
    """
    while True:
        changed = decide(stored)
        result = result or _paid(changed)
        sealed = None if result is None else unit.seal(codec.write_result(result), codec.RESULT)
        if _written(unit, stored.rules, changed, sealed):
            break
        again = unit.one(rows.FIND, request_id=stored.rules.id)
        if again is None:
            raise TooLate("the request is gone")
        stored = again
    if changed.sequence != stored.rules.sequence:
        _record(
            unit,
            at,
            changed,
            merchant_id=stored.merchant_id,
            account_id=stored.account_id,
            release=stored.release,
            result=result,
            sealed=sealed,
        )
        if changed.ended is not None and changed.approved is not None:
            _record_terminal_transaction(unit, at, stored, changed)
        unit.hint(RequestHint(changed.id))
        if not changed.status.running and not at_terminal:
            unit.hint(ClearHint(stored.smart_terminal_id, changed.id))
    return _with_rules(stored, changed, sealed)


def _with_rules(stored: StoredRequest, changed: Request, sealed: bytes | None) -> StoredRequest:
    return StoredRequest(
        changed,
        stored.merchant_id,
        stored.account_id,
        stored.smart_terminal_id,
        stored.release,
        stored.request_deadline,
        sealed,
    )


def _written(unit: Unit, was: Request, changed: Request, sealed: bytes | None) -> bool:
    count = unit.run(
        rows.CHANGE,
        request_id=was.id,
        was_sequence=was.sequence,
        was_deadline=was.deadline,
        status=changed.status.value,
        sequence=changed.sequence,
        deadline=changed.deadline,
        extensions=changed.extensions,
        outcome=changed.outcome and changed.outcome.value,
        ended=changed.ended,
        sealed_result=sealed,
        transaction_id=changed.transaction_id,
        approved=changed.approved,
    )
    return count > 0


def _record(
    unit: Unit,
    at: Moment,
    request: Request,
    *,
    merchant_id: str,
    account_id: str | None,
    release: Release,
    result: Result | None = None,
    sealed: bytes | None = None,
) -> None:
    data: dict[str, object] = {"kind": request.kind.value, "status": request.status.value}
    if request.approved is not None:
        data["transaction_id"] = request.transaction_id
    if request.outcome is not None:
        data["outcome"] = request.outcome.value
    event = Event(merchant_id, account_id, EVENT, request.id, request.sequence, release, data, result, sealed)
    record_event(unit, at, event)


def _record_terminal_transaction(unit: Unit, at: Moment, stored: StoredRequest, request: Request) -> None:
    data = {
        "smart_terminal_id": stored.smart_terminal_id,
        "request_id": request.id,
        "transaction_id": request.transaction_id,
    }
    event = Event(stored.merchant_id, stored.account_id, TERMINAL_TRANSACTION, f"payment {request.id}", 1, stored.release, data)
    record_event(unit, at, event)


def _paid(request: Request) -> Result | None:
    """The result of a payment that ends without the terminal's word."""
    if request.outcome not in (Outcome.APPROVED, Outcome.DECLINED) or request.transaction_id is None:
        return None
    return Paid(request.transaction_id)


def _result(unit: Unit, sealed: bytes | None) -> Result | None:
    return None if sealed is None else codec.read_result(unit.unseal(sealed, codec.RESULT))


def _remaining(request: Request, now: Instant) -> int:
    return 0 if request.deadline is None else max(0, request.deadline - now)
