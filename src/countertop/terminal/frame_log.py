"""What was said lately over a terminal's channel, for whoever looks on: that a frame was said, never what it carried."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Literal

from countertop.domain.request import Outcome
from countertop.protocol.frames import CardTaken, Decided, Finished, FromGateway, FromTerminal, Hello, ScreenChanged, Welcome

REMEMBERED: Final = 24
"""How many frames a terminal remembers. Four are said in the life of one read."""


@dataclass(frozen=True, slots=True)
class FrameNote:
    """One line. `way` is "in" for what the gateway said, "out" for the terminal; `detail` is the screen or outcome named."""

    way: Literal["in", "out"]
    frame: str
    request_id: str | None = None
    detail: str | None = None


class FrameLog:
    """The latest frames of one terminal. Belongs to one event loop."""

    def __init__(self) -> None:
        self._notes: deque[FrameNote] = deque(maxlen=REMEMBERED)
        self._count = 0
        self._watchers: set[asyncio.Event] = set()

    def add(self, way: Literal["in", "out"], frame: FromGateway | FromTerminal) -> None:
        """A frame was said."""
        self._notes.append(_note(way, frame))
        self._count += 1
        for changed in self._watchers:
            changed.set()

    async def watch(self) -> AsyncIterator[FrameNote]:
        """The frames that are remembered, and then each newer one. A watcher that is too slow misses the oldest."""
        changed = asyncio.Event()
        self._watchers.add(changed)
        seen = 0
        try:
            while True:
                changed.clear()
                fresh = min(self._count - seen, len(self._notes))
                seen = self._count
                for note in list(self._notes)[len(self._notes) - fresh :]:
                    yield note
                await changed.wait()
        finally:
            self._watchers.discard(changed)


def _note(way: Literal["in", "out"], frame: FromGateway | FromTerminal) -> FrameNote:
    match frame:
        case Welcome():
            return FrameNote(way, frame.frame)
        case Hello(screen=detail) | ScreenChanged(screen=detail):
            return FrameNote(way, frame.frame, frame.request_id, detail)
        case Finished(outcome=outcome):
            return FrameNote(way, frame.frame, frame.request_id, outcome)
        case CardTaken(entry=entry):
            return FrameNote(way, frame.frame, frame.request_id, entry)
        case Decided(approved=approved):
            return FrameNote(way, frame.frame, frame.request_id, Outcome.APPROVED if approved else Outcome.DECLINED)
        case _:
            return FrameNote(way, frame.frame, frame.request_id)
