"""Statements on what a processor is owed: questions about transactions, and in whose hands they are.

    INTENDED ──▶ SENDING ──▶ DECIDED ──▶ CAPTURING ──▶ CAPTURED
                    │           │
                    ▼           ▼
                REVERSING ─▶ REVERSED

SENDING is committed before the first byte is sent: whoever finds it, and nobody at work on it, must reverse. A question is in
somebody's hands until `due`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import and_, bindparam, case, func, select, update

from countertop.domain.amount import Amounts
from countertop.domain.card import CardFacts, Entry
from countertop.domain.clock import Instant
from countertop.domain.intent import Action, Intent
from countertop.domain.money import Cents, Rate
from countertop.domain.releases import Release
from countertop.domain.response import AvsMode
from countertop.domain.transaction import Details, Payer, Status
from countertop.gateway.store import table
from countertop.gateway.store.statement import Command, Query
from countertop.gateway.store.transaction import read_amounts, read_details, read_payer

INTENDED: Final = "INTENDED"
SENDING: Final = "SENDING"
DECIDED: Final = "DECIDED"
REVERSING: Final = "REVERSING"
REVERSED: Final = "REVERSED"
CAPTURING: Final = "CAPTURING"
CAPTURED: Final = "CAPTURED"

_transaction = table.transaction.c
_account = table.terminal.c


@dataclass(frozen=True, slots=True)
class StoredIntent:
    """A transaction as whoever speaks to the processor needs it. `total` is what it has now, `intent` what was asked for."""

    intent: Intent
    state: str
    tries: int
    due: Instant | None
    sealed_card: bytes | None = field(repr=False)
    payer: Payer
    entry: Entry | None
    wanted: Status
    total: Cents
    approval_code: str | None
    merchant_id: str
    account_id: str | None
    request_id: str | None
    release: Release
    surcharge_rate: Rate | None
    sequence: int
    details: Details


_COLUMNS: Final = [
    column for column in _transaction if column.name not in ("external_id", "external_data", "settlement_id", "signed")
]
_NAMES: Final = [*(column.name for column in _COLUMNS), "account_id", "merchant_number"]


def _stored(*columns: Any) -> StoredIntent:
    row = dict(zip(_NAMES, columns, strict=True))
    entry = Entry(row["method"]) if row["method"] in Entry.__members__ else None
    return StoredIntent(
        intent=_intent(row),
        state=row["intent_state"],
        tries=row["tries"],
        due=row["due"],
        sealed_card=row["sealed_card"],
        payer=read_payer(row),
        entry=entry,
        wanted=Status(row["wanted"]),
        total=row["amount_total"],
        approval_code=row["approval_code"],
        merchant_id=row["merchant_id"],
        account_id=row["account_id"],
        request_id=row["request_id"],
        release=row["release"],
        surcharge_rate=row["surcharge_rate"],
        sequence=row["sequence"],
        details=read_details(row),
    )


def _intent(row: Mapping[str, Any]) -> Intent:
    """What the processor was or will be asked. Everything is held first: what is captured is taken when it is settled."""
    amounts, billing = read_amounts(row), read_details(row).billing
    return Intent(
        row["id"],
        Action(row["action"]),
        # After an edit the parts of what was asked for are gone; a reversal and a capture need their sum only.
        amounts if amounts.total == row["intended"] else Amounts(row["intended"]),
        row["created"],
        row["terminal_id"],
        row["merchant_number"] or "",
        hold=True,
        invoice_number=row["invoice_number"],
        avs=AvsMode(row["avs"]),
        billing_address=billing.address,
        billing_zip=billing.zip,
        check_cvv=row["check_cvv"],
        original=row["original_id"] if row["method"] == INSTANT else None,
        bank_account=not isinstance(read_payer(row), CardFacts),
    )


INSTANT: Final = "INSTANT"
"""The method of a transaction that uses the payer of an earlier one."""

_SELECT: Final = select(*_COLUMNS, _account.account_id, _account.merchant_number).select_from(
    table.transaction.outerjoin(
        table.terminal, and_(_account.merchant_id == _transaction.merchant_id, _account.terminal_id == _transaction.terminal_id)
    )
)

FIND: Final = Query(_SELECT.where(_transaction.id == bindparam("transaction_id")), _stored)

DUE: Final = Query(
    _SELECT.where(_transaction.due <= bindparam("now"))
    .order_by(_transaction.due)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True, of=table.transaction),
    _stored,
)
"""What nobody is at work on, the longest due first. Rows that another node is just taking are passed over."""

NEXT_DUE: Final = Query(select(func.min(_transaction.due)).where(_transaction.due.is_not(None)), lambda due: due)

MOVE: Final = Command(
    update(table.transaction)
    .where(
        _transaction.id == bindparam("transaction_id"),
        _transaction.intent_state == bindparam("was_state"),
        _transaction.tries == bindparam("was_tries"),
        _transaction.due == bindparam("was_due"),
    )
    .values(intent_state=bindparam("intent_state"), tries=bindparam("tries"), due=bindparam("due"))
)
"""Compare-and-set on state, tries and due: of several who want a question, or its end, one gets it."""

_FREED: Final = {"due": case((_transaction.intent_state == SENDING, bindparam("arrived")), else_=bindparam("now"))}

LET_GO: Final = Command(
    update(table.transaction)
    .where(_transaction.id == bindparam("transaction_id"), _transaction.due > bindparam("arrived"))
    .values(_FREED)
)
"""Nobody is at work on it any more: it is due `now`, or, if it may have been sent, once that must have `arrived`."""

TAKE_UP: Final = Command(update(table.transaction).where(_transaction.due > bindparam("arrived")).values(_FREED))
"""Nobody is at work on anything."""

DECIDE: Final = Command(
    update(table.transaction)
    .where(_transaction.id == bindparam("transaction_id"), _transaction.intent_state == bindparam("was_state"))
    .values(
        {
            name: bindparam(name)
            for name in (
                "status",
                "authorized",
                "code",
                "issuer_authorized",
                "approval_code",
                "zip_matches",
                "address_matches",
                "avs_checked",
                "cvv_status",
                "level3_eligible",
                "sequence",
                "modified",
                "intent_state",
                "tries",
                "due",
            )
        }
        | {"sealed_card": None}
    )
)
"""The end of a question, whatever it is: the card goes with it."""

REVERSE_AGAIN: Final = Command(
    update(table.transaction)
    .where(_transaction.id == bindparam("transaction_id"))
    .values(intent_state=REVERSING, tries=_transaction.tries + 1, due=bindparam("due"))
)
"""What was given up has been answered after all: it is reversed once more, whoever is at it already."""
