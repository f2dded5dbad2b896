"""One connection to a receiver of webhooks: a request goes out whole, and of its answer the status and the first bytes are kept.

This is as much of HTTP/1.1's client side as a delivery needs, and a sixth of the cost of a client that can do everything.
"""

from __future__ import annotations

import asyncio
from typing import Final, cast

import httptools

from countertop.domain.value import value
from countertop.domain.webhook import KEEP_ANSWER

MOST_HEAD: Final = 32 * 1024
"""Most bytes of an answer's head, with all interim answers (1xx) before it."""
_SWITCHED: Final = 101


@value
class Reply:
    """What a receiver answered: the status, and the first `KEEP_ANSWER` bytes of the body as they came, folded or not."""

    status: int
    beginning: bytes
    folded: bool


class NotHttp(Exception):
    """What came was no answer."""


class Closed(Exception):
    """The connection was closed before there was an answer. `heard`: something had come."""

    def __init__(self, *, heard: bool) -> None:
        super().__init__("closed")
        self.heard = heard


class Connection(asyncio.Protocol):
    """A connection, for one request after the other.

    The status is the answer: once it is here, a body that does not end, or a connection that does, takes nothing from it.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        # Receivers that count their line ends wrong have taken the delivery all the same.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )
        self._waiting: asyncio.Future[Reply] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._begin()
        self.idle_since = 0.0
        self.used = False

    def _begin(self) -> None:
        self._heard = 0
        self._head = 0
        self._status: int | None = None
        self._body = bytearray()
        self._folded = False
        self._whole = False
        self._reusable = False

    @property
    def usable(self) -> bool:
        """Whether it is open and nobody waits for an answer."""
        return self._transport is not None and self._waiting is None and not self._transport.is_closing()

    def post(self, request: bytes, until: float) -> asyncio.Future[Reply]:
        """Sends a request; the future is its answer. `until` is a time of the event loop.

        The future raises Closed, NotHttp, or TimeoutError. Whoever stops waiting for it must `close` the connection.
        """
        waiting: asyncio.Future[Reply] = self._loop.create_future()
        if self._transport is None or self._transport.is_closing():
            waiting.set_exception(Closed(heard=False))
            return waiting
        self._begin()
        self.used = True
        self._waiting = waiting
        self._timer = self._loop.call_at(until, self._run_out)
        self._transport.write(request)
        return waiting

    def close(self) -> None:
        """Ends the connection, whatever is on its way."""
        if self._transport is not None:
            self._transport.abort()

    # What the transport tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is open."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - why makes no difference
        """The connection is closed. An answer without a length ends so."""
        self._transport = None
        if self._status is not None:
            self._answer()
        else:
            self._fail(Closed(heard=self._heard > 0))

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self._waiting is None:
            self.close()  # nobody has asked
            return
        self._heard += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._reusable = False
            if not self._whole:
                self._fail(NotHttp())
        if self._whole or len(self._body) >= KEEP_ANSWER:
            self._answer()
        elif self._status is None and self._heard > MOST_HEAD:
            self._fail(NotHttp())

    def _run_out(self) -> None:
        if self._status is not None:
            self._answer()
        else:
            self._fail(TimeoutError())

    # What the parser tells.

    def on_message_begin(self) -> None:
        """An answer begins; after the whole one it is nobody's."""
        if self._whole:
            self._reusable = False

    def on_header(self, name: bytes, text: bytes) -> None:
        """A header, of the answer or of one before it."""
        self._head += len(name) + len(text)
        if name.lower() == b"content-encoding":
            self._folded = True

    def on_headers_complete(self) -> None:
        """A head is here; that of an interim answer (1xx) is not the answer's, and one that is too large is nobody's."""
        status = self._parser.get_status_code()
        if (status >= 200 or status == _SWITCHED) and self._head <= MOST_HEAD and not self._whole:
            self._status = status

    def on_body(self, piece: bytes) -> None:
        """A piece of the answer's body."""
        if not self._whole:
            self._body += piece[: KEEP_ANSWER - len(self._body)]

    def on_message_complete(self) -> None:
        """An answer is here whole; an interim one is forgotten."""
        if self._status is None:
            self._folded = False
        elif not self._whole:
            self._whole = True
            self._reusable = self._parser.should_keep_alive()

    # What comes of it.

    def _answer(self) -> None:
        waiting = self._settle()
        if not (self._whole and self._reusable):
            self.close()
        if waiting is not None and self._status is not None:
            waiting.set_result(Reply(self._status, bytes(self._body), self._folded))

    def _fail(self, error: Exception) -> None:
        waiting = self._settle()
        self.close()
        if waiting is not None:
            waiting.set_exception(error)

    def _settle(self) -> asyncio.Future[Reply] | None:
        """Ends the wait; returns who still waits."""
        waiting, self._waiting = self._waiting, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return None if waiting is None or waiting.done() else waiting
