"""Whose token is it?"""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, select

from countertop.gateway.store import table
from countertop.gateway.store.statement import Query
from countertop.gateway.store.unit import Unit

_FIND: Final = Query(select(table.smart_terminal.c.id).where(table.smart_terminal.c.token_hash == bindparam("token_hash")), str)


def find_paired(unit: Unit, token_hash: bytes) -> str | None:
    """The Smart Terminal that holds the token with this SHA-256; None if there is none."""
    return unit.one(_FIND, token_hash=token_hash)
