"""How a node is doing, for whoever keeps it running: `/healthz`, `/readyz` and `/metrics`. They need no login."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from countertop.gateway.bus.port import Bus
from countertop.gateway.http.answer import Answer
from countertop.gateway.http.call import Call
from countertop.gateway.http.route import Route
from countertop.gateway.metrics import Metrics
from countertop.gateway.operations.connection import renew_node
from countertop.gateway.operations.moment import Moment
from countertop.gateway.store.store import Store
from countertop.gateway.store.trouble import Unavailable
from countertop.gateway.timers import NODE_LEASE
from countertop.gateway.wire.json import write

PATIENCE: Final = 2.0
"""Seconds within which the writer has to have committed something."""
OK: Final = "ok"


class Health:
    """Looks at the parts of one node."""

    def __init__(self, store: Store, bus: Bus, metrics: Metrics, moment: Callable[[], Moment]) -> None:
        self._store = store
        self._bus = bus
        self._metrics = metrics
        self._moment = moment
        self._looking: asyncio.Task[str] | None = None

    def routes(self) -> list[Route]:
        """The three resources."""
        return [
            Route("GET", "/healthz", self.alive, "The process lives", public=True, described=False),
            Route("GET", "/readyz", self.ready, "Database, bus and writer answer", public=True, described=False),
            Route("GET", "/metrics", self.metrics, "Prometheus", media_type="text/plain", public=True, described=False),
        ]

    async def alive(self, _: Call) -> Answer:
        """`GET /healthz`: that there is an answer is the answer."""
        return Answer(200, write({"status": OK}))

    async def ready(self, _: Call) -> Answer:
        """`GET /readyz`: 200, or 503 and which part is not ready."""
        parts = {"store": await self._store_state(), "bus": OK if self._bus.ready else "not connected"}
        fit = all(state == OK for state in parts.values())
        return Answer(200 if fit else 503, write({"status": OK if fit else "not ready", **parts}))

    async def metrics(self, _: Call) -> Answer:
        """`GET /metrics`."""
        return Answer(200, self._metrics.page(), (b"content-type", CONTENT_TYPE_PLAIN_0_0_4.encode()))

    async def _store_state(self) -> str:
        # However many ask at once, one commit answers them.
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._commit())
        return await asyncio.shield(self._looking)

    async def _commit(self) -> str:
        """A real commit of what is to be written now and then anyway: only that shows a full disk or a locked file."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._store.write(renew_node, self._moment(), NODE_LEASE)
        except TimeoutError:
            return "no answer"
        except Unavailable as trouble:
            return str(trouble)
        return OK
