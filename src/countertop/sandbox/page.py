"""The pages of virtual terminals, and who may open them.

Whoever can open a page can act as the customer. From this machine that needs no login, because a developer sits there; from
elsewhere it needs an API login, which the browser asks for. A request that calls this machine by any name but its own counts as
from elsewhere: another site's script could come that way.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from typing import Final

from starlette.datastructures import Headers
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from countertop.domain.clock import Clock
from countertop.gateway.door import is_from_here
from countertop.gateway.operations.access import Login, find_login
from countertop.gateway.password import PasswordCheck, TooManyLogins
from countertop.gateway.store.store import Store
from countertop.sandbox.card import TRAY
from countertop.sandbox.virtual import VirtualTerminals
from countertop.terminal.screen.page import screen_routes

DOOR: Final = "virtual-terminal"
"""First segment of the pages' paths."""
MOST_REMEMBERED: Final = 1_000
"""Headers that were right. One login can be written in any number of them."""


class Logins:
    """Who may act as the customer of a virtual terminal from elsewhere: any API login. Remembers those that were right."""

    def __init__(self, store: Store, passwords: PasswordCheck) -> None:
        self._store = store
        self._passwords = passwords
        self._salt = os.urandom(16)
        self._right: set[bytes] = set()

    async def admit(self, authorization: str) -> bool:
        """Whether a Basic `Authorization` header's login and password are right."""
        mark = hashlib.blake2b(authorization.encode(), key=self._salt).digest()
        if mark in self._right:
            return True
        scheme, _, encoded = authorization.partition(" ")
        try:
            name, _, password = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        if scheme.lower() != "basic" or "\0" in name:
            return False
        login = await self._store.peek(find_login, name)
        try:
            right = await self._passwords.verify(*_identity(login), password)
        except TooManyLogins:
            return False
        if right:
            if len(self._right) >= MOST_REMEMBERED:
                self._right.clear()
            self._right.add(mark)
        return right


def _identity(login: Login | None) -> tuple[str | None, str | None]:
    return (None, None) if login is None else (login.id, login.password_hash)


class _FromHereOrLoggedIn:
    """Lets a request or WebSocket through to `app` if it is from this machine or has a login."""

    def __init__(self, app: ASGIApp, logins: Logins) -> None:
        self._app = app
        self._logins = logins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_from_here(scope) or await self._logins.admit(Headers(scope=scope).get("authorization", "")):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close"})
        else:
            challenge = [(b"www-authenticate", b'Basic realm="Virtual terminal", charset="UTF-8"'), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 401, "headers": challenge})
            await send({"type": "http.response.body"})


def page_routes(terminals: VirtualTerminals, clock: Clock, logins: Logins) -> list[BaseRoute]:
    """The pages' routes, `/virtual-terminal/{id}` and what belongs to it."""
    routes = screen_routes(terminals.find, clock, prefix=f"/{DOOR}", tray=TRAY)
    for route in routes:
        if isinstance(route, Route | WebSocketRoute):
            route.app = _FromHereOrLoggedIn(route.app, logins)
    return routes
