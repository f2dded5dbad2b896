"""Statements on level 3 data."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, delete, insert, select

from countertop.gateway.store import table
from countertop.gateway.store.statement import Command, Query

_level3 = table.level3.c
_THIS: Final = _level3.transaction_id == bindparam("transaction_id")

FIND: Final = Query(select(_level3.data).where(_THIS), str)
INSERT: Final = Command(insert(table.level3))
DELETE: Final = Command(delete(table.level3).where(_THIS))
