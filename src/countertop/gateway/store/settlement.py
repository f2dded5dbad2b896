"""Statements on settlements: which transactions a batch takes, and what it says of them afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, and_, bindparam, case, delete, exists, func, insert, or_, select, update

from countertop.domain.card import Brand
from countertop.domain.clock import Instant
from countertop.domain.intent import Action
from countertop.domain.money import Cents
from countertop.domain.settlement import BatchLine
from countertop.domain.transaction import AccountType, Status
from countertop.gateway.store import codec, table
from countertop.gateway.store.intent import CAPTURING, DECIDED
from countertop.gateway.store.statement import Command, Query

_transaction = table.transaction.c
_settlement = table.settlement.c
_account = table.terminal.c


@dataclass(frozen=True, slots=True)
class StoredSettlement:
    """A batch. `net` in cents, negative if more was given back than taken; `pending` while the processor has not taken all."""

    id: int
    merchant_id: str
    terminal_id: int
    created: Instant
    net: Cents
    breakdown: list[BatchLine]
    pending: bool


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A merchant account that has something to settle."""

    merchant_id: str
    terminal_id: int
    account_id: str | None


def _stored(  # noqa: PLR0917 - one argument a column
    id_: int, merchant_id: str, terminal_id: int, created: Instant, net: Cents, breakdown: str, pending: bool
) -> StoredSettlement:
    return StoredSettlement(id_, merchant_id, terminal_id, created, net, codec.read_breakdown(breakdown), pending)


def _line(account_type: str, action: str, status: str, count: int, amount: Cents) -> BatchLine:
    brand = Brand(account_type) if account_type in Brand.__members__ else AccountType(account_type)
    return BatchLine(brand, Action(action), "CAPTURED" if status == Status.CAPTURE else status, int(count), int(amount))


_SETTLES: Final = and_(
    _transaction.settlement_id.is_(None),
    _transaction.modified < bindparam("before"),
    _transaction.code.is_not(None),
    _transaction.status != Status.HOLD.value,
)

_MOVES_MONEY: Final = and_(
    _transaction.status == Status.CAPTURE.value,
    _transaction.intent_state == DECIDED,
    _transaction.action != Action.VERIFY.value,
    _transaction.expiry.is_not(None),
)
"""What the processor still has to take or give: cards only, bank accounts are not its business."""

UNSETTLED: Final = Query(
    select(_transaction.merchant_id, _transaction.terminal_id, _account.account_id)
    .select_from(
        table.transaction.outerjoin(
            table.terminal,
            and_(_account.merchant_id == _transaction.merchant_id, _account.terminal_id == _transaction.terminal_id),
        )
    )
    .where(_SETTLES)
    .distinct()
    .limit(bindparam("limit")),
    Unsettled,
)
"""Accounts with transactions that were last changed before an instant and are in no batch yet."""

INSERT: Final = Command(
    insert(table.settlement)
    .values({column.name: bindparam(column.name) for column in table.settlement.c if column.name != "id"})
    .returning(_settlement.id)
)

TAKE: Final = Command(
    update(table.transaction)
    .where(_SETTLES, _transaction.merchant_id == bindparam("merchant"), _transaction.terminal_id == bindparam("terminal"))
    .values(
        settlement_id=bindparam("settlement"),
        sequence=_transaction.sequence + 1,
        modified=case((_transaction.status == Status.CAPTURE.value, bindparam("now")), else_=_transaction.modified),
        intent_state=case((_MOVES_MONEY, CAPTURING), else_=_transaction.intent_state),
        due=case((_MOVES_MONEY, bindparam("now")), else_=_transaction.due),
    )
)
"""Puts an account's transactions into a batch. What is captured on cards is now to be taken by the processor."""

LINES: Final = Query(
    select(
        _transaction.account_type,
        _transaction.action,
        _transaction.status,
        func.count(),
        func.sum(_transaction.amount_total),
    )
    .where(_transaction.settlement_id == bindparam("settlement_id"))
    .group_by(_transaction.account_type, _transaction.action, _transaction.status),
    _line,
)

DELETE: Final = Command(delete(table.settlement).where(_settlement.id == bindparam("settlement_id")))

LOCK: Final = Query(select(_settlement.id).where(_settlement.id == bindparam("settlement_id")).with_for_update(), int)
"""Makes those wait who would sum a batch up at the same time."""

SUM_UP: Final = Command(
    update(table.settlement)
    .where(_settlement.id == bindparam("settlement_id"))
    .values(net=bindparam("net"), breakdown=bindparam("breakdown"))
)

_PENDING: Final = exists().where(_transaction.settlement_id == _settlement.id, _transaction.intent_state == CAPTURING)
_SELECT: Final = select(
    _settlement.id,
    _settlement.merchant_id,
    _settlement.terminal_id,
    _settlement.created,
    _settlement.net,
    _settlement.breakdown,
    _PENDING.label("pending"),
).where(_settlement.merchant_id == bindparam("merchant_id"))

_ANY_TERMINAL: Final = bindparam("terminal_id", type_=BigInteger).is_(None)

FIND: Final = Query(_SELECT.where(_settlement.id == bindparam("settlement_id")), _stored)
LIST: Final = Query(
    _SELECT.where(or_(_ANY_TERMINAL, _settlement.terminal_id == bindparam("terminal_id")))
    .order_by(_settlement.id.desc())
    .offset(bindparam("offset"))
    .limit(bindparam("limit")),
    _stored,
)
"""A merchant's batches, of one account or, if `terminal_id` is None, of all; the newest first."""
