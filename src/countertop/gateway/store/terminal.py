"""Statements on merchant accounts (`terminal`) and devices (`smart_terminal`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import and_, bindparam, case, insert, null, select, update

from countertop.domain.clock import Instant
from countertop.gateway.store import table
from countertop.gateway.store.connection import connection, node
from countertop.gateway.store.statement import Command, Query

terminal = table.terminal.c
smart_terminal = table.smart_terminal.c


@dataclass(frozen=True, slots=True)
class Terminal:
    """A merchant account. `surcharge_rate` is in thousandths of a percent, None if surcharges are off."""

    terminal_id: int
    account_id: str
    nick_name: str
    type: str
    enabled: bool
    is_default: bool
    level3: bool
    company_dba: str
    company_legal: str
    merchant_number: str
    surcharge_rate: int | None


@dataclass(frozen=True, slots=True)
class SmartTerminal:
    """A device. `screen` and `last_seen` are None if it never connected; `request_deadline` in ms, None: the server's setting."""

    id: str
    merchant_id: str
    nick_name: str
    serial_number: str
    request_deadline: int | None
    virtual: bool
    sealed_autopilot: bytes | None = field(repr=False)
    paired: bool
    created: Instant
    online: bool
    screen: str | None
    last_seen: Instant | None


_SELECT_ACCOUNT: Final = select(
    terminal.terminal_id,
    terminal.account_id,
    terminal.nick_name,
    terminal.type,
    terminal.enabled,
    terminal.is_default,
    terminal.level3,
    terminal.company_dba,
    terminal.company_legal,
    terminal.merchant_number,
    terminal.surcharge_rate,
).where(terminal.merchant_id == bindparam("merchant_id"))

LIST: Final = Query(
    _SELECT_ACCOUNT.order_by(terminal.terminal_id).offset(bindparam("offset")).limit(bindparam("limit")), Terminal
)
FIND_ACCOUNT: Final = Query(_SELECT_ACCOUNT.where(terminal.terminal_id == bindparam("terminal_id")), Terminal)

_ONLINE: Final = node.leased_until > bindparam("now")

_SELECT: Final = select(
    smart_terminal.id,
    smart_terminal.merchant_id,
    smart_terminal.nick_name,
    smart_terminal.serial_number,
    smart_terminal.request_deadline,
    smart_terminal.virtual,
    smart_terminal.sealed_autopilot,
    (smart_terminal.token_hash != null()).label("paired"),
    smart_terminal.created,
    case((_ONLINE, True), else_=False).label("online"),
    connection.screen,
    # While a terminal is connected it is seen all the time; the row says when it was last heard of before it went.
    case((_ONLINE, bindparam("now")), else_=connection.last_seen).label("last_seen"),
).select_from(
    table.smart_terminal.outerjoin(table.connection, connection.smart_terminal_id == smart_terminal.id).outerjoin(
        table.node, node.id == connection.node_id
    )
)

LIST_SMART: Final = Query(
    _SELECT.where(smart_terminal.merchant_id == bindparam("merchant_id"))
    .order_by(smart_terminal.created, smart_terminal.id)
    .offset(bindparam("offset"))
    .limit(bindparam("limit")),
    SmartTerminal,
)
FIND_SMART: Final = Query(_SELECT.where(smart_terminal.id == bindparam("smart_terminal_id")), SmartTerminal)
LIST_VIRTUAL: Final = Query(_SELECT.where(smart_terminal.virtual.is_(True)).order_by(smart_terminal.id), SmartTerminal)
FIND_BY_TOKEN: Final = Query(select(smart_terminal.id).where(smart_terminal.token_hash == bindparam("token_hash")), str)

INSERT: Final = Command(insert(table.terminal))
CHANGE: Final = Command(
    update(table.terminal)
    .where(and_(terminal.merchant_id == bindparam("merchant"), terminal.terminal_id == bindparam("number")))
    .values(
        account_id=bindparam("account_id"),
        nick_name=bindparam("nick_name"),
        type=bindparam("type"),
        enabled=bindparam("enabled"),
        is_default=bindparam("is_default"),
        level3=bindparam("level3"),
        company_dba=bindparam("company_dba"),
        company_legal=bindparam("company_legal"),
        merchant_number=bindparam("merchant_number"),
        surcharge_rate=bindparam("surcharge_rate"),
    )
)
INSERT_SMART: Final = Command(insert(table.smart_terminal))
CHANGE_SMART: Final = Command(
    update(table.smart_terminal)
    .where(smart_terminal.id == bindparam("smart_terminal_id"))
    .values(
        nick_name=bindparam("nick_name"),
        serial_number=bindparam("serial_number"),
        request_deadline=bindparam("request_deadline"),
        virtual=bindparam("virtual"),
        sealed_autopilot=bindparam("sealed_autopilot"),
    )
)
SET_TOKEN: Final = Command(
    update(table.smart_terminal)
    .where(smart_terminal.id == bindparam("smart_terminal_id"))
    .values(token_hash=bindparam("token_hash"))
)
