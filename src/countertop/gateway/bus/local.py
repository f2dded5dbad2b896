"""Hints within one process: a call to each listener, there and then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import structlog

from countertop.domain.hint import Hint
from countertop.gateway.bus.port import H, Unsubscribe

_log = structlog.stdlib.get_logger(__name__)


class LocalBus:
    """The bus of a single node."""

    def __init__(self) -> None:
        self._listeners: dict[type[object], dict[object, Callable[[Any], None]]] = {}

    @property
    def ready(self) -> bool:
        """Always: there is nothing between a publisher and its listeners."""
        return True

    async def start(self) -> None:
        """Nothing to begin."""

    async def stop(self) -> None:
        """Nothing to let go of."""

    def publish(self, hints: Sequence[Hint]) -> None:
        """Tells every listener. One that fails is logged and disturbs no other."""
        for hint in hints:
            # A copy, because a listener may subscribe another or leave.
            for listener in tuple(self._listeners.get(type(hint), {}).values()):
                try:
                    listener(hint)
                except Exception:
                    _log.exception("a hint's listener failed", hint=type(hint).__name__)

    def subscribe(self, kind: type[H], listener: Callable[[H], None]) -> Unsubscribe:
        """Calls `listener` with each hint of the class `kind` until the returned function is called (again is harmless)."""
        listeners = self._listeners.setdefault(kind, {})
        entry = object()
        listeners[entry] = listener

        def unsubscribe() -> None:
            listeners.pop(entry, None)

        return unsubscribe
