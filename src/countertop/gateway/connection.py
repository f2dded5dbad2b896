"""One HTTP connection: uvicorn's, with bounds on how slowly and how much a client may send, and a short way for our answers.

uvicorn starts a task with a scope and messages for each request, which costs more than all the rest of a poll: so the API is
asked first (ADR 29), and what it does not know is served by uvicorn's means.
"""

from __future__ import annotations

import asyncio
import heapq
import urllib.parse
from collections import deque
from collections.abc import Coroutine
from typing import Any, Final, cast

import httptools
import uvicorn
from uvicorn._types import HTTPScope
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from countertop.gateway.exchange import Answerer, Exchange, Line
from countertop.gateway.head import Heads, Recognised
from countertop.gateway.http.answer import Header, Later, Whole
from countertop.gateway.http.call import Fields
from countertop.gateway.turn import Turns
from countertop.gateway.wire.error import error_body

MOST_HEAD: Final = 32 * 1024
"""Most bytes of a request's line and headers; of a trailer, too."""
MOST_REQUEST: Final = 16 * 1024 * 1024
"""Most bytes of one request at all; resources allow far less, and answer 413 where they do."""

MADE_ROOM: Final = 16
"""When there are too many connections, this part of all that may be is closed: those that have been quiet for longest."""


class Config(uvicorn.Config):
    """uvicorn's settings and ours: how many connections there may be, and who answers before `app` is asked.

    Whoever has sent many things at once has them done in `turns`.
    """

    most_connections: int
    turns: Turns
    answerer: Answerer | None = None


class _Ignored(list[Header]):
    """Takes headers and keeps none."""

    def append(self, header: Header, /) -> None:
        """Does nothing."""


class Connection(HttpToolsProtocol):
    """One HTTP connection.

    Chunked together with a length: chunked wins (RFC 9112, section 6.3), and the connection is closed after the answer, so that
    nobody can disagree about where the next request begins.
    """

    cycle: Exchange | None  # type: ignore[assignment]  # the newest request

    def __init__(self, config: Config, *args: Any, **named: Any) -> None:
        super().__init__(config, *args, **named)
        self._most_connections = config.most_connections
        self._answerer = config.answerer
        self._turns = config.turns
        self.parser.set_dangerous_leniencies(lenient_chunked_length=True)
        self._arriving_since: float | None = None
        self._arrived = 0
        self._arrived_at_body = 0
        self._head_is_open = True
        self._idle_since: float | None = None
        self._running: Exchange | None = None
        self._waiting: deque[Exchange] = deque()
        self._answered_now = False
        self._heads: Heads | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connected."""
        super().connection_made(transport)
        facts = (self.server_state, self.scheme or "http", self.server)
        self._line = Line(transport, self.flow, *facts, self.on_response_complete, behind_proxy=self.config.proxy_headers)
        self._arriving_since = self.loop.time()
        if len(self.connections) > self._most_connections:
            make_room(self, self._most_connections)
            if len(self.connections) > self._most_connections:
                self.refuse(503, "The server has too many connections.")

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended: none of the requests that came over it can be answered."""
        super().connection_lost(exc)
        for exchange in (self._running, *self._waiting):
            if exchange is not None:
                exchange.lose()
        self._waiting.clear()

    def data_received(self, data: bytes) -> None:
        """Bytes came. Ends the connection if they are more than a request may have."""
        self._idle_since = None
        self._answered_now = False
        idle = self._arriving_since is None and self._running is None
        if idle and self._heads is not None:
            known = self._heads.recognise(data)
            if known is not None:
                self._take(known)
                return
        if self._arriving_since is None:
            self._arriving_since = self.loop.time()
        self._arrived += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
        except httptools.HttpParserError:
            self.refuse(400, "The request is not valid HTTP.")
        if self._arrived > MOST_HEAD:
            self._refuse_the_endless()
        elif idle:
            self._learn(data)

    def _take(self, known: Recognised) -> None:
        """A request is here whole, and its headers came before."""
        head = known.head
        exchange = Exchange(self._line, known.method, known.path, known.query, head.headers, head.fields)
        exchange.body = known.body
        exchange.complete()
        self.cycle = self._running = exchange
        self._begin(exchange)

    def _learn(self, data: bytes) -> None:
        """From its second request on, a connection remembers the headers of those that came whole and by themselves."""
        exchange = self.cycle
        if exchange is None or self._arriving_since is not None or not exchange.keep_alive or not exchange.arrived:
            return
        if self._heads is None:
            self._heads = Heads()
        self._heads.learn(data, exchange.headers, exchange.fields)

    # What the parser finds.

    def on_message_begin(self) -> None:
        """A request begins."""
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def on_headers_complete(self) -> None:
        """A request's head is here."""
        self._head_is_open = False
        parser = self.parser
        version, method = parser.get_http_version(), parser.get_method().decode("ascii")
        upgrade = parser.should_upgrade()
        if upgrade and self._should_upgrade():
            self.scope = cast("HTTPScope", {"method": method, "headers": self.headers})  # all that the handshake is told
            return
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        if "%" in path:
            path = urllib.parse.unquote(path)
        # After an upgrade that nobody offers the parser leaves the body unread: what follows is no new request.
        keep_alive = version != "1.0" and not upgrade and parser.should_keep_alive()
        headers, self.headers = self.headers, _IGNORED  # what a trailer says after the body does not become a header
        exchange = Exchange(self._line, method, path, url.query or b"", headers, Fields(headers))
        exchange.keep_alive, exchange.waiting_for_100_continue = keep_alive, self.expect_100_continue
        self.cycle = exchange
        if self._running is None:
            self._running = exchange
        else:
            self.flow.pause_reading()
            self._waiting.append(exchange)
        if exchange.may_be_long:
            self._begin(exchange)

    def on_body(self, body: bytes) -> None:
        """A piece of a request's body is here."""
        self._arrived_at_body = self._arrived
        exchange = self.cycle
        if exchange is None or exchange.response_complete:
            return
        exchange.take(body)
        if len(exchange.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()

    def on_chunk_header(self) -> None:
        """A piece of a chunked body begins."""
        exchange = self.cycle
        if exchange is not None and b"content-length" in exchange.fields:
            exchange.keep_alive = False
            if exchange.response_complete:
                self.transport.close()

    def on_message_complete(self) -> None:
        """A request is here whole."""
        self._head_is_open = True
        self._arriving_since = None
        self._arrived = self._arrived_at_body = 0
        exchange = self.cycle
        if exchange is not None and not exchange.arrived:
            exchange.complete()
            self._begin(exchange)

    # What becomes of a request.

    def _begin(self, exchange: Exchange) -> None:
        """Has a request answered, if it is its turn: in their order, and of those that came together one in a turn."""
        if exchange is not self._running or exchange.begun or self.transport.is_closing():
            return
        if self._answered_now:
            self._turns.put(self._go_on)
            return
        exchange.begun = True
        if self.flow.write_paused:
            self._spawn(self._answer_when_read(exchange))
        else:
            self._answer(exchange)

    def _go_on(self) -> None:
        self._answered_now = False
        exchange = self._running
        if exchange is not None and (exchange.arrived or exchange.may_be_long):
            self._begin(exchange)

    async def _answer_when_read(self, exchange: Exchange) -> None:
        await self.flow.drain()
        self._answer(exchange)

    def _answer(self, exchange: Exchange) -> None:
        reply = None if self._answerer is None else self._answerer(exchange)
        if isinstance(reply, Whole):
            self._answered_now = True
            exchange.respond(reply)
        elif isinstance(reply, Later):
            finish = reply.finish
            reply.future.add_done_callback(lambda future: exchange.respond(finish(future)))
        elif reply is not None:
            self._spawn(exchange.respond_later(reply))
        else:
            exchange.speak_asgi(self._scope_of(exchange))
            self._spawn(exchange.run_asgi(self.app))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def on_response_complete(self) -> None:
        """A request is answered. Notes the time where uvicorn starts a timer: `close_if_slow` looks at it."""
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self._waiting:
            self._running = self._waiting.popleft()
            self._turns.put(self._go_on)
        else:
            self._running = None
            self._idle_since = self.loop.time()

    def _scope_of(self, exchange: Exchange) -> HTTPScope:
        scope = {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": "1.1",
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "method": exchange.method,
            "root_path": self.root_path,
            "path": exchange.path,
            "query_string": exchange.query,
            "headers": list(exchange.headers),
            "state": self.app_state.copy(),
        }
        return cast("HTTPScope", scope)

    # Bounds.

    def _refuse_the_endless(self) -> None:
        if self._head_is_open:
            self.refuse(431, "The request's headers are too large.")
        elif self._arrived > MOST_REQUEST or self._arrived - self._arrived_at_body > MOST_HEAD:
            self.transport.close()

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
        exchange = self.cycle
        answered = exchange is not None and exchange.response_started and not (exchange.response_complete and self._head_is_open)
        if not answered and not self._waiting:
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


_IGNORED: Final = _Ignored()


def make_room(newcomer: Connection, most: int) -> None:
    """Closes the connections on which nothing has happened for longest, and which owe nobody an answer."""
    quiet = [
        (since, id(connection), connection)
        for connection in newcomer.connections
        if isinstance(connection, Connection) and connection is not newcomer and (since := connection.quiet_since) is not None
    ]
    for _, _, connection in heapq.nsmallest(max(1, most // MADE_ROOM), quiet):
        connection.refuse(503, "The server has too many connections.")
        newcomer.connections.discard(connection)
