"""A call: one request as a handler sees it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

from countertop.gateway.http.error import BODY_TOO_LARGE, NOT_A_FORM, NOT_FOUND, Disconnected, Problem
from countertop.gateway.http.form import parse, parse_by_steps
from countertop.gateway.http.route import Route
from countertop.gateway.operations.access import Caller
from countertop.gateway.turn import Turns

T = TypeVar("T")


class Fields(dict[bytes, bytes]):
    """A request's headers by name. `mark` is what `Access` knows them by: those that a connection sends again have it already."""

    __slots__ = ("mark",)

    mark: bytes | None

    def __init__(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        super().__init__(headers)
        self.mark = None


class Exchange(Protocol):
    """What the server has of a request: its head, and as much of its body as has come."""

    method: str
    path: str
    query: bytes
    headers: list[tuple[bytes, bytes]]
    fields: Fields

    @property
    def body(self) -> bytes | bytearray:
        """What has come of the body and was not received yet."""
        ...

    @property
    def arrived(self) -> bool:
        """Whether the body is here whole."""
        ...

    @property
    def origin(self) -> str:
        """Scheme and host as the client wrote them."""
        ...

    async def receive(self) -> Mapping[str, Any]:
        """The next of ASGI's messages: a piece of the body, or that the client has gone."""
        ...


MAX_BODY: Final = 256 * 1024
"""Largest body in bytes. Ten thousand characters of terms, each four bytes and every byte escaped, fit in."""
READ_AT_ONCE: Final = 16 * 1024
"""Largest body in bytes that is read at once; longer ones are read piece by piece."""
SHORT: Final = 32
"""Largest body in bytes of which it is worth remembering what it said: an account and little more."""
MOST_DRAINED: Final = 12 * 1024 * 1024
"""How much of a refused body is taken and thrown away, in bytes."""

_FORM_TYPES: Final = frozenset(
    {
        b"application/x-www-form-urlencoded",
        b"application/x-www-form-urlencoded; charset=utf-8",
        b"application/x-www-form-urlencoded;charset=utf-8",
    }
)


_UUID: Final = re.compile("-".join(f"[0-9a-fA-F]{{{digits}}}" for digits in (8, 4, 4, 4, 12)))
_NUMBER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)


class Call:
    """One request: who asks (`caller`; of a public resource it is not set), for what, with which variables in the path.

    `id` is unique. `started` is when it was here, by `time.perf_counter`.
    """

    __slots__ = ("_values", "caller", "exchange", "headers", "id", "route", "started", "variables")

    caller: Caller

    def __init__(self, call_id: bytes, exchange: Exchange, route: Route, variables: Sequence[str], started: float) -> None:
        self.id = call_id
        self.exchange = exchange
        self.headers = exchange.fields
        self.route = route
        self.variables = variables
        self.started = started
        self._values: dict[str, list[str]] | None = None

    def uuid(self, position: int = 0) -> str:
        """A variable of the path that names something. What is no UUID names nothing: the request ends with 404."""
        text = self.variables[position]
        if _UUID.fullmatch(text) is None:
            raise Problem(NOT_FOUND)
        return text.lower()

    def number(self, position: int = 0) -> int:
        """A variable of the path that numbers something. What is no such number numbers nothing: the request ends with 404."""
        text = self.variables[position]
        if _NUMBER.fullmatch(text) is None:
            raise Problem(NOT_FOUND)
        return int(text)

    @property
    def origin(self) -> str:
        """Scheme and host as the caller wrote them, for addresses in an answer."""
        return self.exchange.origin

    def query(self) -> dict[str, list[str]]:
        """The query's values by name."""
        return parse(self.exchange.query)

    @property
    def readable(self) -> bool:
        """Whether the body is here, and so short that it can be read at once."""
        exchange = self.exchange
        return exchange.arrived and len(exchange.body) <= READ_AT_ONCE

    def form(self) -> dict[str, list[str]]:
        """The form's values by name. Ends the request with 415 or 400 if the body (`readable`, or gathered) is none."""
        if self._values is None:
            body = bytes(self.exchange.body)
            self._check_type(body)
            self._values = parse(body)
        return self._values

    def short_form(self, read: Callable[[bytes], T]) -> T | None:
        """What `read`, which remembers, makes of a short body; None: the form is to be read as any other. Ends as `form` does."""
        if self._values is not None or len(self.exchange.body) > SHORT:
            return None
        body = bytes(self.exchange.body)
        self._check_type(body)
        return read(body)

    async def gather(self, turns: Turns) -> None:
        """Waits until the body is here, and reads it. Raises Disconnected if the client goes before.

        Ends the request as `form` does, and with 413. The server ends connections whose body takes too long.
        """
        # With both headers the length says nothing: chunked wins (RFC 9112, 6.3).
        length = self.headers.get(b"content-length", b"0")
        if (len(length) > 18 or int(length) > MAX_BODY) and b"transfer-encoding" not in self.headers:
            raise Problem(BODY_TOO_LARGE)
        exchange = self.exchange
        gathered = bytearray(await self._piece())
        while not exchange.arrived or exchange.body or len(gathered) > MAX_BODY:
            if len(gathered) > MAX_BODY:
                raise Problem(BODY_TOO_LARGE)
            gathered += await self._piece()
        body = bytes(gathered)
        self._check_type(body)
        self._values = await turns.spread(parse_by_steps(body))

    async def drain(self) -> None:
        """Takes what is left of a body that nobody wants, so that a client which is still sending gets to read its answer.

        A client that waits to be asked for the body is not asked; one that wants to send very much is cut off instead.
        """
        length = self.headers.get(b"content-length")
        if b"expect" in self.headers or (length is not None and int(length) > MOST_DRAINED):
            return
        left = MOST_DRAINED
        while not self.exchange.arrived and left > 0:
            left -= len(await self._piece())

    def _check_type(self, body: bytes) -> None:
        kind = self.headers.get(b"content-type")
        if body and kind is not None and kind not in _FORM_TYPES and not _is_form(kind):
            raise Problem(NOT_A_FORM)

    async def _piece(self) -> bytes:
        message = await self.exchange.receive()
        if message["type"] != "http.request":
            raise Disconnected
        piece: bytes = message["body"]
        return piece

    async def gone(self) -> None:
        """Returns when the client has gone."""
        while (await self.exchange.receive())["type"] != "http.disconnect":
            pass


def _is_form(content_type: bytes) -> bool:
    media_type, _, parameters = content_type.lower().partition(b";")
    if media_type.strip() != b"application/x-www-form-urlencoded":
        return False
    for parameter in parameters.split(b";"):
        name, _, value = parameter.partition(b"=")
        if name.strip() == b"charset" and value.strip(b' \t"') not in (b"utf-8", b"utf8", b"us-ascii"):
            return False
    return True
