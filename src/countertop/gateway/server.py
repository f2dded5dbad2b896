"""The socket and the HTTP server behind it: uvicorn, set up for short requests and many idle terminals."""

from __future__ import annotations

import asyncio
import gc
import resource
import socket
import ssl
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from countertop.gateway.connection import Config, Connection
from countertop.gateway.exchange import Answerer
from countertop.gateway.settings import Settings, SettingsError
from countertop.gateway.turn import Turns
from countertop.gateway.websocket import Unread, WebSocket
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
SPARE_FILES: Final = 1024
"""Open files that are kept for other things than connections: the database, deliveries, a start of everything."""
STOP: Final = 7
"""Seconds that running requests get to finish when the node stops."""


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

    async def start(self, app: ASGIApp, answerer: Answerer | None = None) -> None:
        """Serves `app`, and before it is asked what `answerer` knows. Raises SettingsError if the certificate does not work."""
        config = self._configure(app)
        config.answerer = answerer
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

    def _configure(self, app: ASGIApp) -> Config:
        settings = self._settings
        config = Config(
            app,
            http=Connection,
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
        config.turns = Turns()
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
            if isinstance(connection, Connection):
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
