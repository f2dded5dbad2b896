"""Statements on notes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update

from countertop.domain.clock import Instant
from countertop.gateway.store import table
from countertop.gateway.store.statement import Command, Query

_note = table.note.c


@dataclass(frozen=True, slots=True)
class Note:
    """A merchant's note on a transaction."""

    id: int
    transaction_id: int
    note: str = field(repr=False)
    created: Instant
    modified: Instant


_SELECT: Final = select(_note.id, _note.transaction_id, _note.note, _note.created, _note.modified).where(
    _note.transaction_id == bindparam("transaction_id")
)

FIND: Final = Query(_SELECT.where(_note.id == bindparam("note_id")), Note)
LIST: Final = Query(_SELECT.order_by(_note.id).offset(bindparam("offset")).limit(bindparam("limit")), Note)
INSERT: Final = Command(
    insert(table.note)
    .values({column.name: bindparam(column.name) for column in _note if column.name != "id"})
    .returning(_note.id)
)
"""A new note; gives its number."""
CHANGE: Final = Command(
    update(table.note).where(_note.id == bindparam("note_id")).values(note=bindparam("note"), modified=bindparam("modified"))
)
DELETE: Final = Command(delete(table.note).where(_note.id == bindparam("note_id")))
