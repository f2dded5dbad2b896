"""Requests whose headers came over the same connection before, byte for byte, so that they need not be parsed again.

Point-of-sale programs poll, and send the same headers each time; parsing them, one call into Python for each, was a quarter of
what a poll costs (ADR 33). Headers mean the same under another request line of the same version (RFC 9112): where what they mean
depends on it, the parser is asked.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from countertop.gateway.http.answer import Header
from countertop.gateway.http.call import Fields

MOST: Final = 2
"""Heads that are kept for a connection: one of its polls, one of its posts."""
LONGEST: Final = 1024
"""Bytes of headers that are kept, and of a body that such a request may have."""

LONGEST_LINE: Final = 256
"""Bytes of such a request's line."""

_LINE: Final = re.compile(rb"(GET|POST|PUT|DELETE) (/[A-Za-z0-9/_.~-]*)(?:\?([A-Za-z0-9=&_.~%+-]*))? HTTP/1\.1")
_METHOD: Final = {b"GET": "GET", b"POST": "POST", b"PUT": "PUT", b"DELETE": "DELETE"}
_NEVER: Final = (b"transfer-encoding", b"upgrade", b"expect", b"connection")
"""Headers that say more than what a request is: what follows, or what becomes of the connection."""


@lru_cache(maxsize=8192)
def _read(line: bytes) -> tuple[str, str, bytes] | None:
    """Method, path and query of a request line. Points of sale ask for the same again and again."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    method, path, query = match.groups()
    return _METHOD[method], path.decode(), query or b""


class Head(NamedTuple):
    """What a request's headers were: in their order, by name, and how long the body is that they announce."""

    headers: list[Header]
    fields: Fields
    length: int


class Recognised(NamedTuple):
    """A whole request."""

    method: str
    path: str
    query: bytes
    head: Head
    body: bytes


class Heads:
    """The heads of one connection."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}

    def recognise(self, data: bytes) -> Recognised | None:
        """The request that `data` is, if it is exactly one and its headers are known. Nothing else may be under way."""
        line, _, rest = data.partition(b"\r\n")
        headers, _, body = rest.partition(b"\r\n\r\n")
        head = self._known.get(headers)
        if head is None or len(body) != head.length:
            return None
        found = _read(line) if len(line) <= LONGEST_LINE else None
        return None if found is None else Recognised(*found, head, body)

    def learn(self, data: bytes, headers: list[Header], fields: Fields) -> None:
        """Remembers the headers of the request that the parser found at the beginning of `data`."""
        line, _, rest = data.partition(b"\r\n")
        known, _, body = rest.partition(b"\r\n\r\n")
        length = int(fields.get(b"content-length", b"0"))
        if len(body) != length or max(length, len(known)) > LONGEST:
            return
        if _LINE.fullmatch(line) is None or any(name in fields for name in _NEVER):
            return
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[known] = Head(headers, fields, length)
