"""Notes on transactions."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from countertop.gateway.http.answer import NO_CONTENT, Answer
from countertop.gateway.http.call import Call
from countertop.gateway.http.form import LINES, Form, Reader
from countertop.gateway.http.idempotency import Once
from countertop.gateway.http.page import PAGE, page_answer, page_of
from countertop.gateway.http.parts import ApiParts
from countertop.gateway.http.payment_form import MAX_NOTE
from countertop.gateway.http.route import Route
from countertop.gateway.http.transaction import transaction_uri
from countertop.gateway.operations.note import Note, add_note, change_note, delete_note, find_note, list_notes
from countertop.gateway.wire.json import write
from countertop.gateway.wire.note import NoteBody, note_body
from countertop.gateway.wire.page import PageBody


class NoteForm(Form):
    """The text of a note."""

    note: Annotated[str, StringConstraints(min_length=1, max_length=MAX_NOTE, pattern=LINES), Field(repr=False)]


_FORM: Final = Reader(NoteForm, "label")


class Notes:
    """`/transactions/{transactionId}/notes`."""

    def __init__(self, parts: ApiParts, once: Once) -> None:
        self._parts = parts
        self._once = once

    def routes(self) -> list[Route]:
        """All of them."""
        every = "/transactions/{transactionId}/notes"
        one = f"{every}/{{noteId}}"
        missing = (404,)
        return [
            Route("GET", every, self.list_all, "List notes", answer=PageBody[NoteBody], query=PAGE, statuses=missing),
            Route("POST", every, self.add, "Write a note", answer=NoteBody, form=_FORM, statuses=missing),
            Route("GET", one, self.show, "Show a note", answer=NoteBody, statuses=missing),
            Route("PUT", one, self.change, "Change a note", answer=NoteBody, form=_FORM, statuses=missing),
            Route("DELETE", one, self.delete, "Remove a note", statuses=missing),
        ]

    async def list_all(self, call: Call) -> Answer:
        """`GET …/notes`."""
        page = page_of(call)
        found = await self._parts.store.peek(list_notes, call.caller.merchant_id, call.number(), page.offset, page.limit + 1)
        return page_answer(call, page, [_body(call, note) for note in found])

    async def add(self, call: Call) -> Answer:
        """`POST …/notes`."""
        values = call.form()
        text = _FORM.read(values).note
        return await self._once.write(call, values, lambda note: _answer(call, note), add_note, call.caller, call.number(), text)

    async def show(self, call: Call) -> Answer:
        """`GET …/notes/{noteId}`."""
        found = await self._parts.store.peek(find_note, call.caller.merchant_id, call.number(), call.number(1))
        return _answer(call, found)

    async def change(self, call: Call) -> Answer:
        """`PUT …/notes/{noteId}`."""
        text = _FORM.read(call.form()).note
        moment = self._parts.moment()
        changed = await self._parts.store.write(change_note, moment, call.caller, call.number(), call.number(1), text)
        return _answer(call, changed)

    async def delete(self, call: Call) -> Answer:
        """`DELETE …/notes/{noteId}`."""
        await self._parts.store.write(delete_note, self._parts.moment(), call.caller, call.number(), call.number(1))
        return NO_CONTENT


def _answer(call: Call, note: Note) -> Answer:
    return Answer(200, write(_body(call, note)))


def _body(call: Call, note: Note) -> NoteBody:
    uri = f"{transaction_uri(call, note.transaction_id)}/notes/{note.id}"
    return note_body(note.id, uri, note.note, note.created, note.modified)
