"""Answers: what a handler returns, and how it leaves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

Header = tuple[bytes, bytes]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON: Final[Header] = (b"content-type", b"application/json")
HTML: Final[Header] = (b"content-type", b"text/html")

_LENGTHS: Final = tuple(str(length).encode() for length in range(2048))


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a body and headers. An answer without a body (204) has no content type and no length either."""

    status: int
    body: bytes = b""
    content_type: Header = JSON
    headers: tuple[Header, ...] = ()


NO_CONTENT: Final = Answer(204)


async def send_answer(send: Send, answer: Answer, request_id: bytes) -> None:
    """Sends an answer; every one of them names the request it belongs to."""
    body = answer.body
    if body:
        length = len(body)
        size = _LENGTHS[length] if length < 2048 else str(length).encode()
        headers = [answer.content_type, (b"content-length", size), (b"x-pj-request-id", request_id), *answer.headers]
    else:
        headers = [(b"x-pj-request-id", request_id), *answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
