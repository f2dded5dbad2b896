"""Statements on all columns of sealed values, for sealing them anew with another key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, bindparam, select, tuple_, update

from countertop.gateway.store import codec, table
from countertop.gateway.store.statement import Command, Query

Key = tuple[Any, ...]
"""A row's primary key."""


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed values: what they are sealed for, how its rows are walked through in order, how one is replaced.

    The parameters `after0`, `after1` … of `walk` and `key0`, `key1` … of `replace` are the primary key's columns.
    """

    name: str
    purpose: str
    first: Query[tuple[Any, ...]]
    walk: Query[tuple[Any, ...]]
    replace: Command


def _column(column: Column[Any], purpose: str) -> SealedColumn:
    key = list(column.table.primary_key)
    rows = select(column, *key).where(column.is_not(None)).order_by(*key).limit(bindparam("limit"))
    after = tuple_(*(bindparam(f"after{at}", type_=part.type) for at, part in enumerate(key)))
    this_row = [part == bindparam(f"key{at}") for at, part in enumerate(key)]
    return SealedColumn(
        f"{column.table.name}.{column.name}",
        purpose,
        Query(rows, lambda *row: row),
        Query(rows.where(tuple_(*key) > after), lambda *row: row),
        Command(update(column.table).where(*this_row, column == bindparam("was")).values({column.name: bindparam("becomes")})),
    )


COLUMNS: Final = (
    _column(table.request.c.sealed_result, codec.RESULT),
    _column(table.event.c.sealed_result, codec.RESULT),
    _column(table.webhook.c.sealed_secret, codec.WEBHOOK_SECRET),
    _column(table.smart_terminal.c.sealed_autopilot, codec.AUTOPILOT),
    _column(table.answer.c.sealed_body, codec.ANSWER),
    _column(table.transaction.c.sealed_card, codec.CARD),
    _column(table.signature.c.sealed_strokes, codec.SIGNATURE),
)
