"""A note on a transaction."""

from __future__ import annotations

from typing_extensions import TypedDict

from countertop.domain.clock import Instant
from countertop.gateway.wire.instant import to_the_second


class NoteBody(TypedDict):
    """One note."""

    noteId: int
    uri: str
    note: str
    created: str
    lastModified: str


def note_body(note_id: int, uri: str, note: str, created: Instant, modified: Instant) -> NoteBody:
    """The same in every release."""
    return {
        "noteId": note_id,
        "uri": uri,
        "note": note,
        "created": to_the_second(created),
        "lastModified": to_the_second(modified),
    }
