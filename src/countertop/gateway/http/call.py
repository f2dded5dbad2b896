"""A call: one request as a handler sees it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from countertop.gateway.http.error import BODY_TOO_LARGE, NOT_A_FORM, NOT_FOUND, Disconnected, Problem
from countertop.gateway.http.form import parse
from countertop.gateway.http.route import Route
from countertop.gateway.operations.access import Caller

Receive = Callable[[], Awaitable[Mapping[str, Any]]]

MAX_BODY: Final = 256 * 1024
"""Largest body in bytes. Ten thousand characters of terms, each four bytes and every byte escaped, fit in."""
MOST_DRAINED: Final = 12 * 1024 * 1024
"""How much of a refused body is taken and thrown away, in bytes."""

_FORM_TYPES: Final = frozenset(
    {
        b"application/x-www-form-urlencoded",
        b"application/x-www-form-urlencoded; charset=utf-8",
        b"application/x-www-form-urlencoded;charset=utf-8",
    }
)


_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)


class Call:
    """One request: who asks (`caller`; of a public resource it is not set), for what, with which variables in the path."""

    __slots__ = ("_arrived", "_receive", "caller", "headers", "route", "scope", "variables")

    caller: Caller
    route: Route

    def __init__(self, scope: Mapping[str, Any], receive: Receive, variables: list[str]) -> None:
        self.scope = scope
        self.headers: Mapping[bytes, bytes] = dict(scope["headers"])
        self.variables = variables
        self._receive = receive
        self._arrived = False

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
        host = self.headers.get(b"host")
        name = host.decode("latin-1") if host else "{}:{}".format(*self.scope["server"])
        return f"{self.scope['scheme']}://{name}"

    def query(self) -> dict[str, list[str]]:
        """The query's values by name."""
        return parse(self.scope["query_string"])

    async def form(self) -> dict[str, list[str]]:
        """The form's values by name. Ends the request with 413, 415 or 400 if the body is not a form."""
        body = await self.body()
        if body:
            kind = self.headers.get(b"content-type")
            if kind is not None and kind not in _FORM_TYPES and not _is_form(kind):
                raise Problem(NOT_A_FORM)
        return parse(body)

    async def body(self) -> bytes:
        """The whole body. Raises Disconnected if the client goes before it is there; ends the request with 413 or 408."""
        # With both headers the length says nothing: chunked wins (RFC 9112, 6.3).
        length = self.headers.get(b"content-length", b"0")
        if (len(length) > 18 or int(length) > MAX_BODY) and b"transfer-encoding" not in self.headers:
            raise Problem(BODY_TOO_LARGE)
        # The server ends connections whose body takes too long.
        body = await self._piece()
        while not self._arrived or len(body) > MAX_BODY:
            if len(body) > MAX_BODY:
                raise Problem(BODY_TOO_LARGE)
            body += await self._piece()
        return body

    async def drain(self) -> None:
        """Takes what is left of a body that nobody wants, so that a client which is still sending gets to read its answer.

        A client that waits to be asked for the body is not asked; one that wants to send very much is cut off instead.
        """
        length = self.headers.get(b"content-length")
        sends = length is not None or b"transfer-encoding" in self.headers
        if not sends or b"expect" in self.headers or (length is not None and int(length) > MOST_DRAINED):
            return
        left = MOST_DRAINED
        while not self._arrived and left > 0:
            left -= len(await self._piece())

    async def _piece(self) -> bytes:
        message = await self._receive()
        if message["type"] != "http.request":
            raise Disconnected
        self._arrived = not message["more_body"]
        piece: bytes = message["body"]
        return piece

    async def gone(self) -> None:
        """Returns when the client has gone."""
        while (await self._receive())["type"] != "http.disconnect":
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
