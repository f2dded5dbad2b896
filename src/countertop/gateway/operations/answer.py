"""Idempotency: the same order given twice under one key happens once, and is answered alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from countertop.domain.clock import DAY
from countertop.domain.errors import Fault, Invalid
from countertop.gateway.operations.access import Caller
from countertop.gateway.operations.moment import Moment
from countertop.gateway.store import answer as rows
from countertop.gateway.store import codec
from countertop.gateway.store.unit import Unit

KEPT: Final = DAY
"""How long an answer is remembered, in ms."""

ANOTHER_FORM: Final = Fault("Idempotency-Key", "invalid", "This key was used with another request.")


def once(  # noqa: PLR0917 - who, under which key, what
    unit: Unit, at: Moment, caller: Caller, key_hash: bytes, form_hash: bytes, effect: Callable[[Unit], tuple[int, bytes]]
) -> tuple[int, bytes]:
    """Has the effect and remembers its answer, an HTTP status and a body, in the same unit; or gives what was remembered.

    `key_hash` is the SHA-256 of the caller's key, `form_hash` of all that makes the order. What `effect` raises is not kept:
    it has changed nothing. Raises Invalid if the key was used for another order.
    """
    found = unit.one(rows.FIND, login_id=caller.login_id, key_hash=key_hash)
    if found is not None and at.now < found.created + KEPT:
        if found.form_hash != form_hash:
            raise Invalid([ANOTHER_FORM])
        return found.status, unit.unseal(found.sealed_body, codec.ANSWER)
    status, body = effect(unit)
    if found is not None:
        unit.run(rows.DELETE, login_id=caller.login_id, key_hash=key_hash)
    unit.run(
        rows.INSERT,
        login_id=caller.login_id,
        key_hash=key_hash,
        form_hash=form_hash,
        status=status,
        sealed_body=unit.seal(body, codec.ANSWER),
        created=at.now,
    )
    return status, body
