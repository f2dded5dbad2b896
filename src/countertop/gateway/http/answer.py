"""Answers: what a handler returns, and how it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from functools import lru_cache
from typing import Any, Final, NamedTuple

from countertop.domain.value import value

Header = tuple[bytes, bytes]

JSON: Final[Header] = (b"content-type", b"application/json")
HTML: Final[Header] = (b"content-type", b"text/html")
PNG: Final[Header] = (b"content-type", b"image/png")


@value
class Answer:
    """A status, a body and headers. An answer without a body (204) has no content type and no length either."""

    status: int
    body: bytes = b""
    content_type: Header = JSON
    headers: tuple[Header, ...] = ()


def page_headers(policy: str) -> tuple[Header, ...]:
    """The headers of an HTML page, with its content security policy: it is what it says it is, and stands in no frame."""
    return (
        (b"content-security-policy", policy.encode()),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
    )


NO_CONTENT: Final = Answer(204)


@value
class Whole:
    """An answer as it is sent: its status, its header lines but for those that every answer has, and its body."""

    status: int
    head: bytes
    body: bytes


@lru_cache(maxsize=1024)
def _entity(content_type: Header, length: int) -> bytes:
    return b"%b: %b\r\ncontent-length: %d\r\n" % (*content_type, length) if length else b""


def whole(answer: Answer, request_id: bytes) -> Whole:
    """An answer as it is sent; every one of them names the request it belongs to."""
    lines = b"%bx-pj-request-id: %b\r\n" % (_entity(answer.content_type, len(answer.body)), request_id)
    if answer.headers:
        lines += b"".join([b"%b: %b\r\n" % header for header in answer.headers])
    return Whole(answer.status, lines, answer.body)


class Pending:
    """An answer that somebody else's answer decides: what `render` makes of the future's value.

    It can be awaited, but it need not be: who has one can be told when the future is done, which spares a task.
    """

    __slots__ = ("future", "render")

    def __init__(self, future: asyncio.Future[Any], render: Callable[[Any], Answer]) -> None:
        self.future = future
        self.render = render

    def __await__(self) -> Generator[Any, None, Answer]:
        """Raises what the future raises."""
        return self.render((yield from self.future.__await__()))


class Later(NamedTuple):
    """An answer that is sent when a future is done: what `finish`, which raises nothing, makes of it."""

    future: asyncio.Future[Any]
    finish: Callable[[asyncio.Future[Any]], Whole]


Reply = Whole | Later | Awaitable[Whole | None]
"""What comes of a request: an answer, or a way to it; None in the end if the client has gone."""
