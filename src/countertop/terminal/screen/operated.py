"""What a page needs of the terminal that it shows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from countertop.domain.card import PaymentCard
from countertop.terminal.frame_log import FrameLog
from countertop.terminal.view import Key, Stroke, View


class Operated(Protocol):
    """A terminal that a page shows and operates: an agent, or whatever stands for one."""

    def watch(self) -> AsyncIterator[View]:
        """The view as it is now, and then each newer one."""
        ...

    @property
    def frames(self) -> FrameLog:
        """What was said lately over the terminal's channel, without what it carried."""
        ...

    def press(self, key: Key) -> None:
        """A key was pressed."""
        ...

    def swipe(self, raw: str) -> None:
        """A card was swiped; `raw` is what a reader would type, sentinels included."""
        ...

    def present(self, card: PaymentCard) -> None:
        """A payment card was inserted or tapped."""
        ...

    def draw(self, strokes: Sequence[Stroke]) -> None:
        """The whole of what is on the signature pad now."""
        ...

    def speak(self, language: str) -> None:
        """The customer chose a language, one of `words.WORDS`."""
        ...
