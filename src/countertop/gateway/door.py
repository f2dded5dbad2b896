"""The doors of a server: which routes answer below which first segment of a path. Everything else is the API's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Receive, Scope, Send


class Doors:
    """An ASGI application made of the API and others. `others` are by the first segment of their paths, without slashes."""

    def __init__(self, api: ASGIApp, others: Mapping[str, Sequence[BaseRoute]]) -> None:
        self._api = api
        self._others = {
            segment: Router(routes, redirect_slashes=False, default=self._answer_unknown) for segment, routes in others.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request or a WebSocket on."""
        path: str = scope["path"]
        end = path.find("/", 1)
        door = self._others.get(path[1:end] if end > 0 else path[1:])
        if door is not None:
            await door(scope, receive, send)
        else:
            await self._answer_unknown(scope, receive, send)

    async def _answer_unknown(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._api(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close"})  # before it is accepted: 403
