"""The socket and the HTTP server behind it: uvicorn, set up for short requests and many idle terminals.

`Protocol` adds what uvicorn leaves to a proxy in front: bounds on how slowly and how much a client may send.
"""

from __future__ import annotations

import asyncio
import gc
import heapq
import resource
import socket
import ssl
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from countertop.gateway.http.answer import WHOLE_ANSWER
from countertop.gateway.settings import Settings, SettingsError
from countertop.gateway.websocket import Unread, WebSocket
from countertop.gateway.wire.error import error_body
from countertop.protocol.frames import MAX_FRAME

BACKLOG: Final = 4096
KEEP_ALIVE: Final = 30
"""Seconds a connection may be idle between two requests."""
HEAD_WITHIN: Final = 10.0
"""Seconds within which a request's head must be here, from its first byte or from connecting on."""
BODY_WITHIN: Final = 30.0
"""The same for the whole request."""
READ_WITHIN: Final = 30.0
"""Seconds within which a client must have read what was sent to it."""
MOST_HEAD: Final = 32 * 1024
"""Most bytes of a request's line and headers; of a trailer, too."""
MOST_REQUEST: Final = 16 * 1024 * 1024
"""Most bytes of one request at all; resources allow far less, and answer 413 where they do."""
MADE_ROOM: Final = 16
"""When there are too many connections, this part of all that may be is closed: those that have been quiet for longest."""
SPARE_FILES: Final = 1024
"""Open files that are kept for other things than connections: the database, deliveries, a start of everything."""
STOP: Final = 7
"""Seconds that running requests get to finish when the node stops."""


class _Config(uvicorn.Config):
    most_connections: int


class _Ignored(list[tuple[bytes, bytes]]):
    """Takes headers and keeps none."""

    def append(self, header: tuple[bytes, bytes], /) -> None:
        """Does nothing."""


class Protocol(HttpToolsProtocol):
    """One HTTP connection.

    Chunked together with a length: chunked wins (RFC 9112, section 6.3), and the connection is closed after the answer, so that
    nobody can disagree about where the next request begins.
    """

    def __init__(self, config: _Config, *args: Any, **named: Any) -> None:
        super().__init__(config, *args, **named)
        self._most_connections = config.most_connections
        self.parser.set_dangerous_leniencies(lenient_chunked_length=True)
        self._arriving_since: float | None = None
        self._arrived = 0
        self._arrived_at_body = 0
        self._head_is_open = True
        self._idle_since: float | None = None
        self._running: RequestResponseCycle | None = None
        # One for all requests: with one of its own each request would hold itself until the garbage collector comes by.
        self._extensions: dict[str, Any] = {WHOLE_ANSWER: self._answer_whole}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connected."""
        super().connection_made(transport)
        self._arriving_since = self.loop.time()
        if len(self.connections) > self._most_connections:
            self._make_room()
            if len(self.connections) > self._most_connections:
                self.refuse(503, "The server has too many connections.")

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended. uvicorn tells the last request that came; those before it must not be answered either."""
        super().connection_lost(exc)
        self._extensions.clear()
        for cycle in (self._running, *(cycle for cycle, _ in self.pipeline)):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self.pipeline.clear()

    def data_received(self, data: bytes) -> None:
        """Bytes came. Ends the connection if they are more than a request may have."""
        self._idle_since = None
        if self._arriving_since is None:
            self._arriving_since = self.loop.time()
        self._arrived += len(data)
        super().data_received(data)
        if self._arrived > MOST_HEAD:
            self._refuse_the_endless()

    def on_body(self, body: bytes) -> None:
        """A piece of a request's body is here."""
        self._arrived_at_body = self._arrived
        super().on_body(body)

    def on_headers_complete(self) -> None:
        """A request's head is here: it begins to be served."""
        super().on_headers_complete()
        self._head_is_open = False
        if not self.pipeline:
            self._running = self.cycle
        if not self.parser.should_upgrade():
            self.headers = _IGNORED  # what a trailer says after the body does not become a header of the request
            self.scope["extensions"] = self._extensions

    def on_chunk_header(self) -> None:
        """A piece of a chunked body begins."""
        if any(name == b"content-length" for name, _ in self.scope["headers"]):
            self.cycle.keep_alive = False
            if self.cycle.response_complete:
                self.transport.close()

    def on_message_complete(self) -> None:
        """A request is here whole."""
        super().on_message_complete()
        self._head_is_open = True
        self._arriving_since = None
        self._arrived = self._arrived_at_body = 0

    def on_response_complete(self) -> None:
        """A request is answered. Notes the time where uvicorn starts a timer: `close_if_slow` looks at it."""
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._running, app = self.pipeline.pop()
            self._start_asgi_task(self._running, app)
        else:
            self._idle_since = self.loop.time()

    def _answer_whole(self, status: int, headers: bytes, body: bytes) -> bool:
        """The ASGI extension `WHOLE_ANSWER`: head and body in one write, which is half of what an answer costs otherwise.

        `headers` are lines that end in CRLF and say how long the body is. Returns False, and has done nothing, if the answer has
        to be sent the usual way: the client reads too slowly, asked for the head only, or has gone.
        """
        cycle = self._running
        if cycle is None or cycle.disconnected or cycle.response_started:
            return False
        if cycle.flow.write_paused or cycle.scope["method"] == "HEAD":
            return False
        defaults = b"".join([b"%b: %b\r\n" % header for header in cycle.default_headers])
        end = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
        cycle.transport.write(b"".join((STATUS_LINE[status], defaults, headers, end, body)))
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()
        return True

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - ours is in the API's own form
        """What came was no HTTP."""
        self.refuse(400, "The request is not valid HTTP.")

    def _refuse_the_endless(self) -> None:
        if self._head_is_open:
            self.refuse(431, "The request's headers are too large.")
        elif self._arrived > MOST_REQUEST or self._arrived - self._arrived_at_body > MOST_HEAD:
            self.transport.close()

    def _make_room(self) -> None:
        """Closes the connections on which nothing has happened for longest, and which owe nobody an answer."""
        quiet = [
            (since, id(connection), connection)
            for connection in self.connections
            if isinstance(connection, Protocol) and connection is not self and (since := connection.quiet_since) is not None
        ]
        for _, _, connection in heapq.nsmallest(max(1, self._most_connections // MADE_ROOM), quiet):
            connection.refuse(503, "The server has too many connections.")
            self.connections.discard(connection)

    @property
    def quiet_since(self) -> float | None:
        """When it last did something, in the loop's time, if it is idle or a request's head is still on its way."""
        if self.transport.is_closing():
            return None
        return self._idle_since if self._arriving_since is None else self._arriving_since if self._head_is_open else None

    def refuse(self, status: int, message: str) -> None:
        """Answers outside the application, with an error object, and closes the connection."""
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle
        answered = cycle is not None and cycle.response_started and not (cycle.response_complete and self._head_is_open)
        if not answered and not self.pipeline:
            body = error_body(message)
            head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
            self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()

    def close_if_slow(self, earliest_head: float, earliest_body: float, earliest_use: float) -> None:
        """Ends the connection if what it began to send before that moment of the loop's time is not here yet.

        One that is idle is ended if it was used before `earliest_use` and not since.
        """
        if self._idle_since is not None and self._idle_since < earliest_use and self._arriving_since is None:
            self.transport.close()
            return
        earliest = earliest_head if self._head_is_open else earliest_body
        if self._arriving_since is not None and self._arriving_since < earliest:
            self.refuse(408, "The request took too long to arrive.")

    def _unsupported_upgrade_warning(self) -> None:
        self.cycle.keep_alive = False  # the parser left the body unread: what follows is no new request


_IGNORED: Final = _Ignored()


class Listener:
    """A bound socket and, once started, the server behind it."""

    def __init__(
        self,
        settings: Settings,
        *,
        head_within: float = HEAD_WITHIN,
        body_within: float = BODY_WITHIN,
        idle_within: float = KEEP_ALIVE,
        read_within: float = READ_WITHIN,
    ) -> None:
        """Binds the socket. Raises SettingsError if it cannot be bound."""
        self._settings = settings
        self._within = (head_within, body_within, idle_within, read_within)
        self._socket = _bind(settings.host, settings.port)
        self._server: uvicorn.Server | None = None
        self._loops: list[asyncio.Task[None]] = []

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._socket.getsockname()[1])

    @property
    def url(self) -> str:
        """Where the node can be reached from this machine, without a slash at the end."""
        scheme = "https" if self._settings.tls_cert else "http"
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._settings.host, self._settings.host)  # noqa: S104 - compared, not bound
        return f"{scheme}://[{host}]:{self.port}" if ":" in host else f"{scheme}://{host}:{self.port}"

    async def start(self, app: ASGIApp) -> None:
        """Serves `app`. Raises SettingsError if the certificate does not work."""
        config = self._configure(app)
        try:
            config.load()
        except (ssl.SSLError, OSError) as error:
            self._socket.close()
            raise SettingsError(f"TLS_CERT and TLS_KEY cannot be used: {error}") from None
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=[self._socket])
        self._server = server
        self._loops = [asyncio.create_task(server.main_loop()), asyncio.create_task(_close_slow(server, *self._within))]

    async def stop(self) -> None:
        """Takes no more requests, finishes those that run (for `STOP` seconds at most) and closes all connections."""
        if self._server is None:
            self._socket.close()
            return
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self._server.shutdown(sockets=[self._socket])
        self._server = None

    def _configure(self, app: ASGIApp) -> _Config:
        settings = self._settings
        config = _Config(
            app,
            http=Protocol,
            ws=WebSocket,
            ws_max_size=MAX_FRAME,
            ws_per_message_deflate=False,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=settings.behind_proxy,
            forwarded_allow_ips="*" if settings.behind_proxy else None,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=STOP,
            ssl_certfile=settings.tls_cert,
            ssl_keyfile=settings.tls_key,
        )
        config.most_connections = min(settings.connections, _most_connections())
        return config


async def _close_slow(
    server: uvicorn.Server, head_within: float, body_within: float, idle_within: float, read_within: float
) -> None:
    # A look at all connections now and then costs less than a timer for each request.
    loop = asyncio.get_running_loop()
    unread = Unread(read_within)
    while True:
        await asyncio.sleep(head_within / 10)
        now = loop.time()
        connections = list(server.server_state.connections)
        unread.look([connection.transport for connection in connections], now)
        for connection in connections:
            if isinstance(connection, Protocol):
                connection.close_if_slow(now - head_within, now - body_within, now - idle_within)


def _bind(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=host == "::")
    except OSError as error:
        raise SettingsError(f"HOST, PORT: cannot listen on {host}:{port}: {error.strerror or error}") from None


def settle_memory() -> None:
    """Takes what was assembled out of the garbage collector's sight and lets it look less often.

    For a server process after its start: it cuts the longest pauses three- to fivefold.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _most_connections() -> int:
    """How many connections the system's limit of open files leaves room for: at it, nothing works at all."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(limit - SPARE_FILES, limit // 2)


def raise_file_limit() -> None:
    """Lets this process have as many connections open as the system grants it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
