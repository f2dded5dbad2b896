"""Receipts that are owed to an address.

A mail is written in the commit of whatever promised it, and sent after that: at least once. Whoever sends it has it in hand for
`LEASE`; a node that dies with it leaves it to be found by another.
"""

from __future__ import annotations

from typing import Final

from countertop.domain.clock import MINUTE, Instant
from countertop.domain.errors import NotFound
from countertop.domain.hint import MailHint
from countertop.domain.mail import Mail, next_attempt
from countertop.gateway.operations.access import Caller
from countertop.gateway.operations.moment import Moment
from countertop.gateway.store import mail as rows
from countertop.gateway.store import transaction as transactions
from countertop.gateway.store.unit import Unit

LEASE: Final = 2 * MINUTE
"""How long a node has a mail in hand before others may take it, in ms: more than an attempt can last."""


def order_mail(  # noqa: PLR0917 - the fields of one form
    unit: Unit, at: Moment, caller: Caller, transaction_id: int, to: str, reply_to: str, asks: bool
) -> str:
    """A merchant wants the latest receipt of a transaction mailed. Returns the mail's id, for whoever sends it at once.

    Raises NotFound if the caller's merchant has no such transaction.
    """
    if unit.one(transactions.FIND, merchant_id=caller.merchant_id, transaction_id=transaction_id) is None:
        raise NotFound("no such transaction")
    return _insert(unit, at, caller.merchant_id, transaction_id, to, reply_to=reply_to, asks=asks)


def owe_mail(unit: Unit, at: Moment, merchant_id: str, transaction_id: int, to: str) -> None:
    """A customer at a terminal wants the receipt mailed."""
    _insert(unit, at, merchant_id, transaction_id, to)
    unit.hint(MailHint())


def _insert(
    unit: Unit, at: Moment, merchant_id: str, transaction_id: int, to: str, *, reply_to: str = "", asks: bool = False
) -> str:
    mail_id = at.new_id()
    unit.run(
        rows.INSERT,
        id=mail_id,
        merchant_id=merchant_id,
        transaction_id=transaction_id,
        to=to,
        reply_to=reply_to,
        asks=asks,
        attempts=0,
        due=at.now,
        state=rows.PENDING,
        failure=None,
        created=at.now,
    )
    return mail_id


def claim_mails(unit: Unit, at: Moment, limit: int, lease: int = LEASE) -> list[Mail]:
    """Takes due mails in hand for `lease` ms, at most `limit`, the longest due first. Meanwhile no other node is given them."""
    return [mail for mail in unit.all(rows.DUE, now=at.now, limit=limit) if _taken(unit, at, mail, lease)]


def claim_mail(unit: Unit, at: Moment, mail_id: str, lease: int = LEASE) -> Mail | None:
    """Takes one mail in hand. None: it is not due, or somebody else has it."""
    mail = unit.one(rows.DUE_ONE, mail_id=mail_id, now=at.now)
    return mail if mail is not None and _taken(unit, at, mail, lease) else None


def _taken(unit: Unit, at: Moment, mail: Mail, lease: int) -> bool:
    return unit.run(rows.LEASE, mail_id=mail.id, now=at.now, lease_end=at.now + lease) > 0


def next_due(unit: Unit) -> Instant | None:
    """When the next mail is due; None if none is owed."""
    return unit.one(rows.NEXT_DUE)


def record_sent(unit: Unit, at: Moment, mail: Mail) -> None:
    """The mail server has taken the mail."""
    del at  # every operation takes it
    _record(unit, mail, None, rows.SENT, None)


def record_unsent(unit: Unit, at: Moment, mail: Mail, failure: str, *, final: bool) -> Instant | None:
    """The mail was not taken, for a reason in words for an operator. Returns when it is tried again; None: it is given up.

    `final`: trying again would not help.
    """
    due = None if final else next_attempt(mail.attempts + 1, mail.created, at.now)
    _record(unit, mail, due, rows.GIVEN_UP if due is None else rows.PENDING, failure)
    return due


def _record(unit: Unit, mail: Mail, due: Instant | None, state: str, failure: str | None) -> None:
    # Of two attempts that were made at once (a lease ran out) the first to be recorded counts.
    unit.run(
        rows.RECORD,
        mail_id=mail.id,
        was_attempts=mail.attempts,
        attempts=mail.attempts + 1,
        due=due,
        state=state,
        failure=failure,
    )
