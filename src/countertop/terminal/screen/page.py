"""Serves the page of one or many terminals: its files, and the link over which it gets views and says what a customer does.

    routes = screen_routes(agents.get, clock, prefix="/virtual-terminal", tray=cards)     # many: /virtual-terminal/{terminal}
    routes = single_screen_routes(agent, clock)                                           # one: /

The link is a WebSocket below the page's own path. It carries JSON: to the page `{"view": …}`, `{"frame": …}` and `{"tray": …}`,
from it what `terminal.screen.message` lists. Anything else from a page closes the link; nothing of it is kept or quoted, because
it may hold what was on a card.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from countertop.domain.clock import Clock
from countertop.domain.errors import NotReadable
from countertop.terminal.screen.asset import HEADERS, load_assets, load_document
from countertop.terminal.screen.message import MAX_MESSAGE, read_message
from countertop.terminal.screen.operated import Operated
from countertop.terminal.screen.picture import frame_message, tray_message, view_message
from countertop.terminal.screen.tray import TrayCard

ILLEGAL: Final = 1008
TOO_LONG: Final = 1009
UNKNOWN: Final = 4404
"""Close codes: the page said something it may not; too much of it; there is no such terminal."""


Broken = tuple[int, str]
"""Why a link is closed on a page: code and reason."""

Lookup = Callable[[str], Operated | None]
"""Finds a terminal by the id in the page's path; None: there is none."""


def screen_routes(lookup: Lookup, clock: Clock, *, prefix: str, tray: Sequence[TrayCard]) -> list[BaseRoute]:
    """The routes of many terminals' pages, at `{prefix}/{terminal}`, each with the cards of `tray` beside it."""
    page = _Page(lookup, clock, assets=f"{prefix}/static", tray=tray)
    return [
        Route(f"{prefix}/static/{{name}}", page.asset),
        Route(f"{prefix}/{{terminal}}", page.document),
        WebSocketRoute(f"{prefix}/{{terminal}}/link", page.link),
    ]


def single_screen_routes(terminal: Operated, clock: Clock) -> list[BaseRoute]:
    """The routes of one terminal's own page, at `/`. Without a tray: it stands on a counter."""
    page = _Page(lambda _: terminal, clock, assets="/static", tray=())
    return [Route("/static/{name}", page.asset), Route("/", page.document), WebSocketRoute("/link", page.link)]


class _Page:
    """What the routes do."""

    def __init__(self, lookup: Lookup, clock: Clock, *, assets: str, tray: Sequence[TrayCard]) -> None:
        self._lookup = lookup
        self._clock = clock
        self._tray = {card.name: card for card in tray}
        self._assets = load_assets()
        self._known = load_document(assets=assets, known=True, tray=bool(tray))
        self._unknown = load_document(assets=assets, known=False, tray=False)

    async def document(self, request: Request) -> Response:
        """The page; 404 and a page that says so where there is no such terminal."""
        if self._lookup(request.path_params.get("terminal", "")) is None:
            return Response(self._unknown, 404, HEADERS, "text/html")
        return Response(self._known, 200, HEADERS, "text/html")

    async def asset(self, request: Request) -> Response:
        """A file of the page, 304 where the browser has it already."""
        asset = self._assets.get(request.path_params["name"])
        if asset is None:
            return Response("404 Not Found", 404, HEADERS, "text/plain")
        headers = {**HEADERS, "Cache-Control": "no-cache", "ETag": asset.tag}
        if asset.tag in request.headers.get("If-None-Match", ""):
            return Response(None, 304, headers)
        return Response(asset.content, 200, headers, asset.media_type)

    async def link(self, socket: WebSocket) -> None:
        """The link, as long as the page is open. Refused (403) for a page that another site serves."""
        if not _same_origin(socket):
            await socket.close(ILLEGAL)
            return
        await socket.accept()
        terminal = self._lookup(socket.path_params.get("terminal", ""))
        if terminal is None:
            await socket.close(UNKNOWN, "no such terminal")
            return
        broken = None
        try:
            await socket.send_text(tray_message(tuple(self._tray.values())))
            broken = await self._converse(socket, terminal)
        except* WebSocketDisconnect:
            pass  # the page was closed, which is how every link ends
        if broken:
            await socket.close(*broken)

    async def _converse(self, socket: WebSocket, terminal: Operated) -> Broken | None:
        async with asyncio.TaskGroup() as group:
            telling = [group.create_task(self._tell_views(socket, terminal)), group.create_task(_tell_frames(socket, terminal))]
            try:
                return await self._obey(socket, terminal)
            finally:
                for task in telling:
                    task.cancel()

    async def _tell_views(self, socket: WebSocket, terminal: Operated) -> None:
        async for view in terminal.watch():
            await socket.send_text(view_message(view, self._clock.now()))

    async def _obey(self, socket: WebSocket, terminal: Operated) -> Broken | None:
        """Does what the page says until it is closed (None), or says something illegal."""
        while (message := await socket.receive())["type"] == "websocket.receive":
            text = message.get("text")
            if text is None:
                return ILLEGAL, "messages are text"
            if len(text) > MAX_MESSAGE:
                return TOO_LONG, "the message is too long"
            try:
                read_message(text).act(terminal, self._tray)
            except NotReadable as fault:
                return ILLEGAL, str(fault)
        return None


async def _tell_frames(socket: WebSocket, terminal: Operated) -> None:
    async for note in terminal.frames.watch():
        await socket.send_text(frame_message(note))


def _same_origin(socket: WebSocket) -> bool:
    """Whether the page that opens the link came from the host that it links to."""
    origin = urlsplit(socket.headers.get("Origin", ""))
    return origin.scheme in ("http", "https") and origin.netloc.lower() == socket.headers.get("Host", "").lower()
