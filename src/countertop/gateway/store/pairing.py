"""Statements on pairings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, delete, func, insert, select, update

from countertop.domain.clock import Instant
from countertop.gateway.store import table
from countertop.gateway.store.statement import Command, Query

pairing = table.pairing.c


@dataclass(frozen=True, slots=True)
class StoredPairing:
    """A device grant as its row holds it. `smart_terminal_id` is None until an operator confirmed it."""

    smart_terminal_id: str | None
    denied: bool
    expires: Instant
    polled: Instant


FIND: Final = Query(
    select(pairing.smart_terminal_id, pairing.denied, pairing.expires, pairing.polled).where(
        pairing.device_code_hash == bindparam("device_code_hash")
    ),
    StoredPairing,
)
COUNT: Final = Query(select(func.count()).where(pairing.expires > bindparam("now")), int)
INSERT: Final = Command(insert(table.pairing))
NOTE_POLL: Final = Command(
    update(table.pairing).where(pairing.device_code_hash == bindparam("device_code_hash")).values(polled=bindparam("polled"))
)
DECIDE: Final = Command(
    update(table.pairing)
    .where(
        pairing.user_code == bindparam("user_code"),
        pairing.expires > bindparam("now"),
        pairing.smart_terminal_id.is_(None),
        pairing.denied.is_(False),
    )
    .values(smart_terminal_id=bindparam("terminal"), denied=bindparam("refused"))
)
DELETE: Final = Command(delete(table.pairing).where(pairing.device_code_hash == bindparam("device_code_hash")))
