"""The doors of a server: which routes answer below which first segment of a path. Everything else is the API's.

And one that opens to this machine only: for pages on which whoever can open them acts as the customer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.routing import BaseRoute, Match, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from countertop.gateway.exchange import Exchange
from countertop.gateway.http.answer import Reply
from countertop.gateway.http.api import Api
from countertop.gateway.settings import is_loopback


class Doors:
    """The API, and an ASGI application made of the others: `others` are by the first segment of their paths, without slashes."""

    def __init__(self, api: Api, others: Mapping[str, Sequence[BaseRoute]]) -> None:
        self._api = api
        self._others = {segment: Router(routes, redirect_slashes=False) for segment, routes in others.items()}

    def answer(self, exchange: Exchange) -> Reply | None:
        """Answers a request if it is the API's: if it is below no other door, or no route there has its path."""
        door = self._others.get(_first_segment(exchange.path))
        if door is not None and _leads_somewhere(door, exchange):
            return None
        return self._api.answer(exchange)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on a WebSocket, or a request that is not the API's."""
        door = self._others.get(_first_segment(scope["path"]))
        if door is not None:
            await door(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close"})  # before it is accepted: 403


def _first_segment(path: str) -> str:
    end = path.find("/", 1)
    return path[1:end] if end > 0 else path[1:]


def _leads_somewhere(door: Router, exchange: Exchange) -> bool:
    scope = {"type": "http", "method": exchange.method, "path": exchange.path, "root_path": "", "headers": exchange.headers}
    return any(route.matches(scope)[0] is not Match.NONE for route in door.routes)


def is_from_here(scope: Scope) -> bool:
    """Whether a request or WebSocket is from this machine.

    One that calls this machine by any name but its own is not: a site that makes its own name mean this machine (DNS rebinding)
    comes that way, and to a browser this machine is then that site.
    """
    headers = Headers(scope=scope)
    client = scope.get("client")
    try:
        host = urlsplit(f"//{headers.get('host', '')}").hostname
    except ValueError:
        return False
    proxied = "x-forwarded-for" in headers or "forwarded" in headers
    return not proxied and client is not None and is_loopback(client[0]) and host is not None and is_loopback(host)


class FromHere:
    """Lets through to `app` what is from this machine; the rest is answered 403."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request or a WebSocket on, or does not."""
        if is_from_here(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close"})  # before it is accepted: 403
        else:
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body"})
