"""Statements on Smart Terminal requests."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Select, and_, bindparam, case, func, insert, select, update

from countertop.domain.clock import Instant
from countertop.domain.money import Cents
from countertop.domain.order import Kind
from countertop.domain.releases import Release
from countertop.domain.request import Outcome, Request, Status
from countertop.domain.value import value
from countertop.gateway.store import table
from countertop.gateway.store.statement import Command, Query, among

_KIND: Final = {kind.value: kind for kind in Kind}
_STATUS: Final = {status.value: status for status in Status}
_OUTCOME: Final[dict[str | None, Outcome | None]] = {None: None, **{outcome.value: outcome for outcome in Outcome}}

request = table.request.c
_smart = table.smart_terminal.c
_account = table.terminal.c


@value
class StoredRequest:
    """A request with what its changes need beside the rules: whose it is, and what shapes its events.

    `account_id` is None if the merchant account has been removed since. `request_deadline` is how long it may be shown, in ms.
    """

    rules: Request
    merchant_id: str
    account_id: str | None
    smart_terminal_id: str
    release: Release
    request_deadline: int
    sealed_result: bytes | None


@value
class Target:
    """Where a new request would go: the device's own deadline in ms, the merchant account, and what runs there."""

    request_deadline: int | None
    account_id: str | None
    enabled: bool | None
    running_id: str | None
    surcharge_rate: int | None


@value
class Outline:
    """What a poll needs of a request. `transaction_id` is that of a payment once it is decided."""

    id: str
    merchant_id: str
    kind: Kind
    status: Status
    outcome: Outcome | None
    sequence: int
    sealed_result: bytes | None
    transaction_id: int | None


@value
class Shown:
    """What a terminal needs of a running request. `order` is JSON text; a payment whose card was taken has a `transaction_id`."""

    id: str
    smart_terminal_id: str
    order: str
    status: Status
    deadline: Instant
    request_deadline: int
    transaction_id: int | None


@value
class Payment:
    """What a payment's request ordered. `order` and `details` are JSON text."""

    order: str
    details: str | None
    terminal_id: int


@value
class DecidedPayment:
    """A payment that runs on a terminal and is decided. `order` is JSON text, `total` in cents."""

    smart_terminal_id: str
    id: str
    order: str
    transaction_id: int
    total: Cents
    approved: bool


def _stored(  # noqa: PLR0917 - one argument a column
    id_: str,
    kind: str,
    status: str,
    sequence: int,
    deadline: Instant | None,
    extensions: int,
    outcome: str | None,
    ended: Instant | None,
    transaction_id: int | None,
    approved: bool | None,
    merchant_id: str,
    account_id: str | None,
    smart_terminal_id: str,
    release: str,
    request_deadline: int,
    sealed_result: bytes | None,
) -> StoredRequest:
    ending = (_OUTCOME[outcome], ended, transaction_id, approved)
    rules = Request(id_, _KIND[kind], _STATUS[status], sequence, deadline, extensions, *ending)
    return StoredRequest(rules, merchant_id, account_id, smart_terminal_id, release, request_deadline, sealed_result)


def _outline(  # noqa: PLR0917 - one argument a column
    id_: str,
    merchant_id: str,
    kind: str,
    status: str,
    outcome: str | None,
    sequence: int,
    sealed: bytes | None,
    transaction_id: int | None,
) -> Outline:
    return Outline(id_, merchant_id, _KIND[kind], _STATUS[status], _OUTCOME[outcome], sequence, sealed, transaction_id)


def _shown(  # noqa: PLR0917 - one argument a column
    id_: str,
    smart_terminal_id: str,
    order: str,
    status: str,
    deadline: Instant,
    request_deadline: int,
    transaction_id: int | None,
) -> Shown:
    return Shown(id_, smart_terminal_id, order, _STATUS[status], deadline, request_deadline, transaction_id)


_SELECT_STORED: Final = select(
    request.id,
    request.kind,
    request.status,
    request.sequence,
    request.deadline,
    request.extensions,
    request.outcome,
    request.ended,
    request.transaction_id,
    request.approved,
    request.merchant_id,
    _account.account_id,
    request.smart_terminal_id,
    request.release,
    request.request_deadline,
    request.sealed_result,
).select_from(
    table.request.outerjoin(
        table.terminal, and_(_account.merchant_id == request.merchant_id, _account.terminal_id == request.terminal_id)
    )
)

_SELECT_SHOWN: Final = select(
    request.id,
    request.smart_terminal_id,
    request.order,
    request.status,
    request.deadline,
    request.request_deadline,
    request.transaction_id,
)

FIND: Final = Query(_SELECT_STORED.where(request.id == bindparam("request_id")), _stored)
"""One request by its id."""

FIND_RUNNING: Final = Query(
    _SELECT_STORED.where(request.smart_terminal_id == bindparam("smart_terminal_id"), request.deadline.is_not(None)), _stored
)
"""What runs on a terminal, if anything."""

FIND_TARGET: Final = Query(
    select(_smart.request_deadline, _account.account_id, _account.enabled, request.id, _account.surcharge_rate)
    .select_from(
        table.smart_terminal.outerjoin(
            table.terminal,
            and_(_account.merchant_id == _smart.merchant_id, _account.terminal_id == bindparam("terminal_id")),
        ).outerjoin(table.request, and_(request.smart_terminal_id == _smart.id, request.deadline.is_not(None)))
    )
    .where(_smart.id == bindparam("smart_terminal_id"), _smart.merchant_id == bindparam("merchant_id")),
    Target,
)
"""A merchant's device, one of its accounts, and what runs on the device."""

OUTLINE: Final = Query(
    select(
        request.id,
        request.merchant_id,
        request.kind,
        request.status,
        request.outcome,
        request.sequence,
        request.sealed_result,
        case((request.approved.is_not(None), request.transaction_id)),
    ).where(request.id == bindparam("request_id")),
    _outline,
)
"""What a poll needs."""

FIND_SHOWN: Final = Query(
    _SELECT_SHOWN.where(request.smart_terminal_id == bindparam("smart_terminal_id"), request.deadline.is_not(None)), _shown
)
"""What a terminal should show."""

FIND_SHOWN_AMONG: Final = Query(
    _SELECT_SHOWN.where(among(request.smart_terminal_id, "smart_terminal_ids"), request.deadline.is_not(None)), _shown
)
"""What some terminals should show."""

FIND_CONNECTING: Final = Query(
    _SELECT_SHOWN.where(request.deadline.is_not(None), request.status == Status.CONNECTING.value), _shown
)
"""All that no terminal has shown yet: what a node that missed hints catches up on."""

INSERT: Final = Command(
    insert(table.request).values(
        {
            column.name: bindparam(column.name)
            for column in (
                request.id,
                request.merchant_id,
                request.smart_terminal_id,
                request.terminal_id,
                request.kind,
                request.order,
                request.release,
                request.status,
                request.sequence,
                request.deadline,
                request.request_deadline,
                request.extensions,
                request.outcome,
                request.created,
                request.ended,
                request.details,
            )
        }
    )
)
"""A new request. What only comes with its end is left to be NULL."""

CHANGE: Final = Command(
    update(table.request)
    .where(
        request.id == bindparam("request_id"),
        request.sequence == bindparam("was_sequence"),
        request.deadline == bindparam("was_deadline"),
    )
    .values(
        status=bindparam("status"),
        sequence=bindparam("sequence"),
        deadline=bindparam("deadline"),
        extensions=bindparam("extensions"),
        outcome=bindparam("outcome"),
        ended=bindparam("ended"),
        sealed_result=bindparam("sealed_result"),
        transaction_id=bindparam("transaction_id"),
        approved=bindparam("approved"),
    )
)
"""Compare-and-set: only a running request changes, and only if it is still what the change was decided on."""


FIND_PAYMENT: Final = Query(
    select(request.order, request.details, request.terminal_id).where(request.id == bindparam("request_id")), Payment
)
"""What was ordered by a payment."""

FIND_DECIDED: Final = Query(
    select(
        request.smart_terminal_id,
        request.id,
        request.order,
        request.transaction_id,
        table.transaction.c.amount_total,
        request.approved,
    )
    .select_from(table.request.join(table.transaction, table.transaction.c.id == request.transaction_id))
    .where(among(request.smart_terminal_id, "smart_terminal_ids"), request.deadline.is_not(None), request.approved.is_not(None)),
    DecidedPayment,
)
"""The payments that run on some terminals and are decided."""

FIND_MERCHANT: Final = Query(select(_smart.merchant_id).where(_smart.id == bindparam("smart_terminal_id")), str)


def _due() -> Select[tuple[str]]:
    due = select(request.id).where(request.deadline <= bindparam("now"))
    return due.order_by(request.deadline).limit(bindparam("limit"))


FIND_DUE: Final = Query(_due().with_for_update(skip_locked=True), str)
"""Ids of requests whose deadline has passed, longest first."""

NEXT_DEADLINE: Final = Query(select(func.min(request.deadline)).where(request.deadline.is_not(None)), lambda deadline: deadline)
"""The earliest deadline of all."""
