"""Statements on mails: the outbox of receipts."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, func, insert, select, update

from countertop.domain.mail import Mail
from countertop.gateway.store import table
from countertop.gateway.store.statement import Command, Query

PENDING: Final = "PENDING"
SENT: Final = "SENT"
GIVEN_UP: Final = "GIVEN_UP"

_mail = table.mail.c

INSERT: Final = Command(insert(table.mail))

_SELECT: Final = select(
    _mail.id,
    _mail.merchant_id,
    _mail.transaction_id,
    _mail.to,
    _mail.reply_to,
    _mail.asks,
    _mail.attempts,
    _mail.created,
).where(_mail.due <= bindparam("now"))

DUE: Final = Query(
    _SELECT.order_by(_mail.due).limit(bindparam("limit")).with_for_update(skip_locked=True),
    Mail,
)
"""What may be taken in hand now, the longest due first. Rows that another node is just taking are passed over."""

DUE_ONE: Final = Query(_SELECT.where(_mail.id == bindparam("mail_id")).with_for_update(skip_locked=True), Mail)
"""One mail, if it may be taken in hand now."""

LEASE: Final = Command(
    update(table.mail).where(_mail.id == bindparam("mail_id"), _mail.due <= bindparam("now")).values(due=bindparam("lease_end"))
)
"""Takes a due mail in hand, unless somebody else was quicker."""

RECORD: Final = Command(
    update(table.mail)
    .where(_mail.id == bindparam("mail_id"), _mail.attempts == bindparam("was_attempts"), _mail.due.is_not(None))
    .values(attempts=bindparam("attempts"), due=bindparam("due"), state=bindparam("state"), failure=bindparam("failure"))
)
"""Compare-and-set on the number of attempts."""

NEXT_DUE: Final = Query(select(func.min(_mail.due)).where(_mail.due.is_not(None)), lambda due: due)
