"""Statements on signatures, which are what makes a receipt a signed one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import bindparam, func, insert, select

from countertop.domain.clock import Instant
from countertop.domain.money import Cents
from countertop.gateway.store import table
from countertop.gateway.store.statement import Command, Query

_signature = table.signature.c


@dataclass(frozen=True, slots=True)
class StoredSignature:
    """A signature as its row holds it."""

    id: str
    transaction_id: int
    sealed_strokes: bytes = field(repr=False)
    source: str
    signed_by: str
    address: str
    total: Cents
    created: Instant


_THIS: Final = _signature.transaction_id == bindparam("transaction_id")

LIST: Final = Query(select(*_signature).where(_THIS).order_by(_signature.id.desc()), StoredSignature)
"""A transaction's signatures, the newest first."""
COUNT: Final = Query(select(func.count()).where(_THIS), int)
INSERT: Final = Command(insert(table.signature))
