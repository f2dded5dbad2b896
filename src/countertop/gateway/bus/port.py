"""How hints get from where something happened to whoever wants to know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from countertop.domain.hint import Hint

H = TypeVar("H", bound=Hint)

Unsubscribe = Callable[[], None]


class Bus(Protocol):
    """Carries hints. Fast and fallible: a hint may be lost, so nothing may depend on one (see `domain.hint`).

    All methods are called in the event loop. Listeners are plain functions and run in it too, so they must be quick.
    """

    @property
    def ready(self) -> bool:
        """Whether hints reach every node that they should reach."""
        ...

    async def start(self) -> None:
        """Begins to carry hints. Returns at once, even if what carries them is out of reach for now."""
        ...

    async def stop(self) -> None:
        """Hands over what was published, waiting a moment at most, and lets go of everything."""
        ...

    def publish(self, hints: Sequence[Hint]) -> None:
        """Tells every listener. Never waits, never fails."""
        ...

    def subscribe(self, kind: type[H], listener: Callable[[H], None]) -> Unsubscribe:
        """Calls `listener` with each hint of the class `kind` until the returned function is called."""
        ...
