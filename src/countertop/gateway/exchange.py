"""One request and its answer on an HTTP connection.

The API is given the exchange itself and answers it in one write. Whatever else is served speaks ASGI, and for that the exchange
is what uvicorn has for a request: its body comes and its answer goes in ASGI's messages.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from uvicorn._types import HTTPScope
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle
from uvicorn.server import ServerState

from countertop.gateway.http.answer import Header, Reply, Whole
from countertop.gateway.http.call import Fields

Answerer = Callable[["Exchange"], Reply | None]
"""What answers requests without ASGI; None: it does not know this one. Called in the event loop, raises nothing.

It is called when a request is here whole, or when its head is and its body may become too large to be waited for.
"""

MOST_GATHERED: Final = HIGH_WATER_LIMIT
"""Bytes of a body that is waited for before anybody is asked for an answer."""

_logger: Final = logging.getLogger("uvicorn.error")


class Line:
    """What all exchanges of one connection share. `answered` is called after each answer; `state` is the server's."""

    __slots__ = ("_head", "_headers", "answered", "behind_proxy", "flow", "scheme", "server", "state", "transport")

    def __init__(  # noqa: PLR0917 - what there is to know of a connection
        self,
        transport: asyncio.Transport,
        flow: FlowControl,
        state: ServerState,
        scheme: str,
        server: tuple[str, int | None] | None,
        answered: Callable[[], None],
        *,
        behind_proxy: bool,
    ) -> None:
        self.transport = transport
        self.flow = flow
        self.state = state
        self.scheme = scheme
        self.server = server
        self.answered = answered
        self.behind_proxy = behind_proxy
        self._headers: list[Header] | None = None
        self._head = b""

    @property
    def head(self) -> bytes:
        """The headers of every answer, as lines."""
        headers = self.state.default_headers  # a new list each second
        if headers is not self._headers:
            self._headers = headers
            self._head = b"".join([b"%b: %b\r\n" % header for header in headers])
        return self._head


class Exchange(RequestResponseCycle):
    """A request's head, what has come of its body, and how its answer leaves. `body` and `more_body` are uvicorn's names."""

    access_log = False
    logger = _logger
    disconnected = False
    body: bytes | bytearray = b""  # type: ignore[assignment]  # most requests have none, or one piece
    more_body = True
    response_started = False
    response_complete = False
    chunked_encoding: bool | None = None
    expected_content_length = 0
    begun = False
    keep_alive = True
    waiting_for_100_continue = False

    def __init__(  # noqa: PLR0917 - what a request's line and headers say, in their order
        self, line: Line, method: str, path: str, query: bytes, headers: list[Header], fields: Fields
    ) -> None:
        # uvicorn's own way to make one costs as much as the API's way to answer, and most of what it sets is said above.
        self._line = line
        self.transport = line.transport
        self.flow = line.flow
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.fields = fields
        self._event: asyncio.Event | None = None

    @property
    def may_be_long(self) -> bool:
        """Whether its body may be too large, or too slow to come, to be waited for before it is looked at who sends it."""
        fields = self.fields
        length = fields.get(b"content-length")
        if length is None:
            return b"transfer-encoding" in fields
        return self.waiting_for_100_continue or len(length) > 6 or int(length) > MOST_GATHERED or b"transfer-encoding" in fields

    @property
    def origin(self) -> str:
        """Scheme and host as the client wrote them."""
        line, fields = self._line, self.fields
        scheme = line.scheme
        if line.behind_proxy and fields.get(b"x-forwarded-proto", b"").strip() in (b"http", b"https"):
            scheme = fields[b"x-forwarded-proto"].strip().decode()
        host = fields.get(b"host")
        name = host.decode("latin-1") if host else "{}:{}".format(*(line.server or ("", "")))
        return f"{scheme}://{name}"

    @property
    def arrived(self) -> bool:
        """Whether the body is here whole."""
        return not self.more_body

    def take(self, piece: bytes) -> None:
        """More of the body came. Whoever waits for it is told when it is worth it: a body may come byte by byte."""
        if not self.body:
            self.body = piece
        elif isinstance(self.body, bytearray):
            self.body += piece
        else:
            self.body = bytearray(self.body + piece)
        if len(self.body) > HIGH_WATER_LIMIT:
            self._tell()

    def complete(self) -> None:
        """The body is here whole."""
        self.more_body = False
        self._tell()

    def lose(self) -> None:
        """The client has gone."""
        if not self.response_complete:
            self.disconnected = True
        self._tell()

    def respond(self, whole: Whole) -> None:
        """Sends an answer in one write, which is half of what it costs in ASGI's two messages."""
        if self.disconnected or self.response_started or self.transport.is_closing():
            return
        end = b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n"
        body = b"" if self.method == "HEAD" else whole.body
        self.transport.write(b"".join((STATUS_LINE[whole.status], self._line.head, whole.head, end, body)))
        self.response_started = self.response_complete = True
        self._tell()
        if not self.keep_alive:
            self.transport.close()
        self._line.answered()

    async def respond_later(self, reply: Awaitable[Whole | None]) -> None:
        """Sends an answer when there is one; None: nobody is there to be answered."""
        try:
            whole = await reply
        except BaseException:  # the server stops
            self.transport.close()
            raise
        if whole is not None:
            if self.flow.write_paused:
                await self.flow.drain()
            self.respond(whole)

    def speak_asgi(self, scope: HTTPScope) -> None:
        """Prepares for `run_asgi`."""
        self.scope = scope
        self.default_headers = self._line.state.default_headers
        self.on_response = self._line.answered

    @property
    def message_event(self) -> asyncio.Event:  # type: ignore[override]  # made when somebody waits for it, and no sooner
        """Is set when there is something to receive."""
        if self._event is None:
            self._event = asyncio.Event()
            self._event.set()
        return self._event

    def _tell(self) -> None:
        if self._event is not None:
            self._event.set()
