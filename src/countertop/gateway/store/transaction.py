"""Statements on transactions, as merchants know them: those that are decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, bindparam, case, func, insert, or_, select, update

from countertop.domain.amount import Amounts, Part
from countertop.domain.card import Brand, CardFacts, Expiry
from countertop.domain.clock import Instant
from countertop.domain.intent import Action
from countertop.domain.money import Cents
from countertop.domain.releases import Release
from countertop.domain.response import Avs, AvsMode, CvvStatus, Decision
from countertop.domain.transaction import AccountType, AchFacts, CardHistory, Details, Payer, Status, Transaction
from countertop.gateway.store import codec, table
from countertop.gateway.store.statement import Command, Query

transaction = table.transaction.c
_merchant = table.merchant.c
_account = table.terminal.c


@dataclass(frozen=True, slots=True)
class StoredTransaction:
    """A transaction with what its rules do not look at. `external_…` are the merchant's own, `signed` is when it last was."""

    rules: Transaction
    merchant_id: str
    account_id: str | None
    terminal_id: int
    request_id: str | None
    release: Release
    method: str
    service: str
    network: str | None
    ach_type: str | None
    external_id: str
    external_data: str
    original_id: int | None
    signed: Instant | None
    receipt_email: str | None
    intent_state: str
    tries: int
    due: Instant | None


def read_amounts(row: Mapping[str, Any]) -> Amounts:
    """The parts of a row's total."""
    return Amounts(**{part.value: row[f"amount_{part}"] for part in Part})


def read_payer(row: Mapping[str, Any]) -> Payer:
    """Whose money a row moves."""
    if row["expiry"] is None:
        return AchFacts(AccountType(row["account_type"]), row["last_four"], bytes(row["fingerprint"]))
    year, month = row["expiry"].split("-")
    return CardFacts(Brand(row["account_type"]), row["last_four"], Expiry(int(year), int(month)), bytes(row["fingerprint"]))


def read_details(row: Mapping[str, Any]) -> Details:
    """What of a row can be changed at any time."""
    billing, shipping = codec.read_contact(row["billing"]), codec.read_contact(row["shipping"])
    return Details(row["invoice_number"], row["purchase_order_number"], billing, shipping)


def _decision(row: Mapping[str, Any]) -> Decision:
    avs = Avs(AvsMode(row["avs"]), row["zip_matches"], row["address_matches"]) if row["avs_checked"] else None
    cvv = CvvStatus(row["cvv_status"])
    level3 = row["level3_eligible"] if row["level3"] else None  # only an account that has level 3 is told of it
    return Decision(row["code"], row["issuer_authorized"], row["approval_code"], avs, cvv, level3)


_BESIDE: Final = (
    "merchant_id",
    "account_id",
    "terminal_id",
    "request_id",
    "release",
    "method",
    "service",
    "network",
    "ach_type",
    "external_id",
    "external_data",
    "original_id",
    "signed",
    "receipt_email",
    "intent_state",
    "tries",
    "due",
)
_COLUMNS: Final = [column for column in table.transaction.c if column.name not in ("sealed_card", "wanted", "intended")]
_NAMES: Final = [*(column.name for column in _COLUMNS), "account_id", "level3"]


def _stored(*columns: Any) -> StoredTransaction:
    row = dict(zip(_NAMES, columns, strict=True))
    status = Status(row["status"])
    rules = Transaction(
        row["id"],
        Action(row["action"]),
        status,
        read_amounts(row),
        row["authorized"],
        _decision(row),
        read_payer(row),
        row["created"],
        row["modified"],
        read_details(row),
        row["surcharge_rate"],
        # A batch counts what was declined and voided too, but only what moves money is settled by it.
        row["settlement_id"] if status in (Status.CAPTURE, Status.REJECT) else None,
        row["sequence"],
    )
    return StoredTransaction(rules, *(row[name] for name in _BESIDE))


_DECIDED: Final = transaction.code.is_not(None)
_SELECT: Final = (
    select(*_COLUMNS, _account.account_id, _account.level3)
    .select_from(
        table.transaction.outerjoin(
            table.terminal, and_(_account.merchant_id == transaction.merchant_id, _account.terminal_id == transaction.terminal_id)
        )
    )
    .where(_DECIDED)
)

FIND: Final = Query(
    _SELECT.where(transaction.id == bindparam("transaction_id"), transaction.merchant_id == bindparam("merchant_id")), _stored
)
"""A merchant's transaction, if it is decided."""

FILTERS: Final[Mapping[str, ColumnElement[bool]]] = {
    "action": transaction.action == bindparam("action"),
    "amount_total": transaction.amount_total == bindparam("amount_total"),
    "billing_first_name": transaction.billing_first_name == bindparam("billing_first_name"),
    "billing_last_name": transaction.billing_last_name == bindparam("billing_last_name"),
    "billing_identifier": transaction.billing_identifier == bindparam("billing_identifier"),
    "start": transaction.created >= bindparam("start"),
    "end": transaction.created <= bindparam("end"),
    "invoice_number": transaction.invoice_number == bindparam("invoice_number"),
    "purchase_order_number": transaction.purchase_order_number == bindparam("purchase_order_number"),
    "last_four": transaction.last_four == bindparam("last_four"),
    "external_id": transaction.external_id == bindparam("external_id"),
    "external_data": transaction.external_data == bindparam("external_data"),
    "service": transaction.service == bindparam("service"),
    "settlement_id": transaction.settlement_id == bindparam("settlement_id"),
    "unsettled": transaction.settlement_id.is_(None),
    "status": transaction.status == bindparam("status"),
    "terminal_id": transaction.terminal_id == bindparam("terminal_id"),
    "transaction_id": transaction.id == bindparam("transaction_id"),
}
"""What transactions can be searched by. Each has the parameter of its own name, but `unsettled`, which has none."""


@cache
def search(filters: frozenset[str]) -> Query[StoredTransaction]:
    """The statement that searches a merchant's transactions by these filters, the newest first."""
    wanted = [FILTERS[name] for name in sorted(filters)]
    found = _SELECT.where(transaction.merchant_id == bindparam("merchant_id"), *wanted).order_by(transaction.id.desc())
    return Query(found.offset(bindparam("offset")).limit(bindparam("limit")), _stored)


INSERT: Final = Command(
    insert(table.transaction)
    .values({column.name: bindparam(column.name) for column in table.transaction.c if column.name != "id"})
    .returning(transaction.id)
)
"""A new transaction; gives its number."""

CHANGE: Final = Command(
    update(table.transaction)
    .where(transaction.id == bindparam("transaction_id"), transaction.sequence == bindparam("was_sequence"))
    .values(
        {
            name: bindparam(name)
            for name in (
                "status",
                *(f"amount_{part}" for part in Part),
                "amount_total",
                "surcharge_rate",
                "invoice_number",
                "purchase_order_number",
                "billing",
                "shipping",
                "billing_first_name",
                "billing_last_name",
                "billing_identifier",
                "external_id",
                "external_data",
                "sequence",
                "modified",
                "intent_state",
                "tries",
                "due",
            )
        }
    )
)
"""Compare-and-set on the sequence that the change was decided on."""

CHANGE_STATUS: Final = Command(
    update(table.transaction)
    .where(transaction.id == bindparam("transaction_id"), transaction.sequence == bindparam("was_sequence"))
    .values(status=bindparam("status"), sequence=bindparam("becomes"), modified=bindparam("now"))
)
"""The same for a status that changes alone."""

SIGN: Final = Command(
    update(table.transaction)
    .where(transaction.id == bindparam("transaction_id"))
    .values(signed=bindparam("signed"), modified=bindparam("signed"))
)
SET_RECEIPT_EMAIL: Final = Command(
    update(table.transaction)
    .where(transaction.id == bindparam("transaction_id"))
    .values(receipt_email=bindparam("receipt_email"))
)

LOCK_MERCHANT: Final = Query(
    select(_merchant.id).where(_merchant.id == bindparam("merchant_id")).with_for_update(key_share=True), str
)
"""Makes those wait who would count what one card was charged at the same time."""

EARLIER: Final = Query(
    select(transaction.status, transaction.created).where(
        transaction.fingerprint == bindparam("fingerprint"),
        transaction.created > bindparam("since"),
        transaction.merchant_id == bindparam("merchant_id"),
        transaction.action == bindparam("action"),
        transaction.intended == bindparam("intended"),
        transaction.invoice_number == bindparam("invoice_number"),
    ),
    lambda status, created: (Status(status), created),
)
"""Earlier payments that look the same as one that is about to be made."""


def _sum(counts: ColumnElement[bool]) -> Any:
    return func.coalesce(func.sum(case((counts, transaction.amount_total), else_=0)), 0)


HISTORY: Final = Query(
    select(
        _sum(and_(transaction.action == Action.CHARGE.value, transaction.status == Status.CAPTURE.value, _DECIDED)),
        # A refund that is held or not decided yet counts: it may still take place.
        _sum(
            and_(
                transaction.action == Action.REFUND.value,
                or_(transaction.status == Status.CAPTURE.value, transaction.status == Status.HOLD.value),
            )
        ),
    ).where(
        transaction.fingerprint == bindparam("fingerprint"),
        transaction.created > bindparam("since"),
        transaction.merchant_id == bindparam("merchant_id"),
    ),
    lambda charged, refunded: CardHistory(int(charged), int(refunded)),
)
"""What was charged and refunded to one card."""


@dataclass(frozen=True, slots=True)
class Account:
    """A merchant account that is to take a payment. `type` is `CARD` or `ACH`: what it takes it from."""

    terminal_id: int
    account_id: str
    type: str
    surcharge_rate: int | None


_SELECT_ACCOUNT: Final = select(_account.terminal_id, _account.account_id, _account.type, _account.surcharge_rate).where(
    _account.merchant_id == bindparam("merchant_id"), _account.enabled.is_(True)
)
FIND_ACCOUNT: Final = Query(_SELECT_ACCOUNT.where(_account.terminal_id == bindparam("terminal_id")), Account)
FIND_DEFAULT_ACCOUNT: Final = Query(
    _SELECT_ACCOUNT.where(_account.is_default.is_(True), _account.type == bindparam("type"))
    .order_by(_account.terminal_id)
    .limit(1),
    Account,
)


def amount_columns(amounts: Amounts) -> dict[str, Cents]:
    """The columns of a total and its parts."""
    return {**{f"amount_{part}": amounts.part(part) for part in Part}, "amount_total": amounts.total}


def details_columns(details: Details) -> dict[str, str]:
    """The columns of what can be changed at any time."""
    return {
        "invoice_number": details.invoice_number,
        "purchase_order_number": details.purchase_order_number,
        "billing": codec.write_contact(details.billing),
        "shipping": codec.write_contact(details.shipping),
        "billing_first_name": details.billing.first_name,
        "billing_last_name": details.billing.last_name,
        "billing_identifier": details.billing.identifier,
    }


def payer_columns(payer: Payer) -> dict[str, object]:
    """The columns of what may be kept of a card or an account."""
    if isinstance(payer, CardFacts):
        account_type, expiry = payer.brand.value, f"{payer.expiry.year:04d}-{payer.expiry.month:02d}"
    else:
        account_type, expiry = payer.account_type.value, None
    return {
        "account_type": account_type,
        "last_four": payer.last_four,
        "expiry": expiry,
        "fingerprint": payer.fingerprint,
    }


def decision_columns(decision: Decision) -> dict[str, object]:
    """The columns of a processor's answer."""
    avs = decision.avs
    return {
        "code": decision.code,
        "issuer_authorized": decision.authorized,
        "approval_code": decision.approval_code,
        "zip_matches": avs and avs.zip_matches,
        "address_matches": avs and avs.address_matches,
        "avs_checked": avs is not None,
        "cvv_status": decision.cvv.value,
        "level3_eligible": decision.level3_eligible,
    }
