"""Views and frames as the page gets them: JSON, in the words of `terminal.view`, with durations in place of instants.

A page's clock is not the terminal's, so it learns how long a request stays, not until when.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from countertop.domain.clock import Instant
from countertop.terminal.frame_log import FrameNote
from countertop.terminal.screen.tray import TrayCard
from countertop.terminal.view import View


def view_message(view: View, now: Instant) -> str:
    """A view as the page draws it; `remaining` milliseconds are left of `allowed`."""
    fields = asdict(view)
    deadline = fields.pop("deadline")
    fields["remaining"] = None if deadline is None else max(0, deadline - now)
    return json.dumps({"view": fields})


def frame_message(note: FrameNote) -> str:
    """A line for the log."""
    return json.dumps({"frame": asdict(note)})


def tray_message(cards: Sequence[TrayCard]) -> str:
    """The cards as the page lays them out: all but what is on them."""
    looks = [
        {"name": card.name, "style": card.style, "title": dict(card.title), "note": dict(card.note), "uses": card.uses}
        for card in cards
    ]
    return json.dumps({"tray": looks})
