"""Statements on remembered answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import bindparam, delete, insert, select

from countertop.domain.clock import Instant
from countertop.gateway.store import table
from countertop.gateway.store.statement import Command, Query

answer = table.answer.c
_THIS = (answer.login_id == bindparam("login_id"), answer.key_hash == bindparam("key_hash"))


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as its row holds it."""

    form_hash: bytes
    status: int
    sealed_body: bytes = field(repr=False)
    created: Instant


FIND: Final = Query(select(answer.form_hash, answer.status, answer.sealed_body, answer.created).where(*_THIS), StoredAnswer)
DELETE: Final = Command(delete(table.answer).where(*_THIS))
INSERT: Final = Command(insert(table.answer))
