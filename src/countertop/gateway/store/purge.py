"""Statements that find and remove what need not be kept, a limited number of rows at a time."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, delete, exists, select, tuple_

from countertop.gateway.store import table
from countertop.gateway.store.statement import Command, Query, among

_request = table.request.c
_event = table.event.c
_delivery = table.delivery.c
_attempt = table.attempt.c
_answer = table.answer.c
_pairing = table.pairing.c
_webhook = table.webhook.c
_mail = table.mail.c

REQUESTS: Final = Command(
    delete(table.request).where(
        _request.id.in_(
            select(_request.id)
            .where(_request.ended <= bindparam("before"))
            .order_by(_request.ended)
            .limit(bindparam("limit"))
            .with_for_update(skip_locked=True)
        )
    )
)

EVENTS: Final = Query(
    select(_event.id)
    .where(
        _event.id < bindparam("before_id"),
        ~exists().where(_delivery.event_id == _event.id, _delivery.due.is_not(None)),
    )
    .order_by(_event.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True),
    str,
)
"""Old events that nobody is owed any more."""

ATTEMPTS_OF: Final = Command(delete(table.attempt).where(among(_attempt.event_id, "event_ids")))
DELIVERIES_OF: Final = Command(delete(table.delivery).where(among(_delivery.event_id, "event_ids")))
EVENTS_OF: Final = Command(delete(table.event).where(among(_event.id, "event_ids")))

ORPHANS: Final = Command(
    delete(table.delivery).where(
        tuple_(_delivery.event_id, _delivery.webhook_id).in_(
            select(_delivery.event_id, _delivery.webhook_id)
            .where(_delivery.due.is_not(None), ~exists().where(_webhook.id == _delivery.webhook_id))
            .limit(bindparam("limit"))
            .with_for_update(skip_locked=True)
        )
    )
)
"""What was still owed to subscriptions that are no more."""

ANSWERS: Final = Command(
    delete(table.answer).where(
        tuple_(_answer.login_id, _answer.key_hash).in_(
            select(_answer.login_id, _answer.key_hash)
            .where(_answer.created <= bindparam("before"))
            .order_by(_answer.created)
            .limit(bindparam("limit"))
            .with_for_update(skip_locked=True)
        )
    )
)

PAIRINGS: Final = Command(
    delete(table.pairing).where(
        _pairing.device_code_hash.in_(
            select(_pairing.device_code_hash)
            .where(_pairing.expires <= bindparam("now"))
            .limit(bindparam("limit"))
            .with_for_update(skip_locked=True)
        )
    )
)

MAILS: Final = Command(
    delete(table.mail).where(
        _mail.id.in_(
            select(_mail.id)
            .where(_mail.id < bindparam("before_id"), _mail.due.is_(None))
            .order_by(_mail.id)
            .limit(bindparam("limit"))
            .with_for_update(skip_locked=True)
        )
    )
)
"""Mails that were sent or given up."""
