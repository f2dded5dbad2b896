"""Notes that a merchant keeps with its transactions."""

from __future__ import annotations

from countertop.domain.errors import NotFound
from countertop.gateway.operations.access import Caller
from countertop.gateway.operations.moment import Moment
from countertop.gateway.store import note as rows
from countertop.gateway.store import transaction as transactions
from countertop.gateway.store.note import Note
from countertop.gateway.store.unit import Unit

__all__ = ["Note", "add_note", "change_note", "delete_note", "find_note", "insert_note", "list_notes"]


def add_note(unit: Unit, at: Moment, caller: Caller, transaction_id: int, text: str) -> Note:
    """Writes a note. Raises NotFound if the caller's merchant has no such transaction."""
    _own(unit, caller.merchant_id, transaction_id)
    return insert_note(unit, at, transaction_id, text)


def insert_note(unit: Unit, at: Moment, transaction_id: int, text: str) -> Note:
    """Writes a note to a transaction that is known to be the right one."""
    number = unit.insert(rows.INSERT, transaction_id=transaction_id, note=text, created=at.now, modified=at.now)
    return Note(number, transaction_id, text, at.now, at.now)


def change_note(  # noqa: PLR0917 - which note, and its one field
    unit: Unit, at: Moment, caller: Caller, transaction_id: int, note_id: int, text: str
) -> Note:
    """Replaces a note's text. Raises NotFound if there is no such note."""
    note = find_note(unit, caller.merchant_id, transaction_id, note_id)
    unit.run(rows.CHANGE, note_id=note_id, note=text, modified=at.now)
    return Note(note.id, note.transaction_id, text, note.created, at.now)


def delete_note(unit: Unit, at: Moment, caller: Caller, transaction_id: int, note_id: int) -> None:
    """Removes a note. Raises NotFound if there is no such note."""
    del at  # every operation takes it
    find_note(unit, caller.merchant_id, transaction_id, note_id)
    unit.run(rows.DELETE, note_id=note_id)


def find_note(unit: Unit, merchant_id: str, transaction_id: int, note_id: int) -> Note:
    """One note. Raises NotFound if the merchant's transaction has no such."""
    _own(unit, merchant_id, transaction_id)
    note = unit.one(rows.FIND, note_id=note_id, transaction_id=transaction_id)
    if note is None:
        raise NotFound("no such note")
    return note


def list_notes(unit: Unit, merchant_id: str, transaction_id: int, offset: int, limit: int) -> list[Note]:
    """A transaction's notes, the oldest first. Raises NotFound if the merchant has no such transaction."""
    _own(unit, merchant_id, transaction_id)
    return unit.all(rows.LIST, transaction_id=transaction_id, offset=offset, limit=limit)


def _own(unit: Unit, merchant_id: str, transaction_id: int) -> None:
    if unit.one(transactions.FIND, merchant_id=merchant_id, transaction_id=transaction_id) is None:
        raise NotFound("no such transaction")
