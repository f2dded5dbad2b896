"""Answers: what a handler returns, and how it leaves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

from countertop.domain.value import value

Header = tuple[bytes, bytes]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON: Final[Header] = (b"content-type", b"application/json")
HTML: Final[Header] = (b"content-type", b"text/html")
PNG: Final[Header] = (b"content-type", b"image/png")

WHOLE_ANSWER: Final = "countertop.whole_answer"
"""An ASGI extension of our server (`gateway.server`): a function of status, header lines and body that sends all of them at once.

It returns whether it did. Without it, or if it did not, an answer is sent in ASGI's two messages.
"""


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


async def send_answer(scope: Mapping[str, Any], send: Send, answer: Answer, request_id: bytes) -> None:
    """Sends an answer; every one of them names the request it belongs to."""
    extensions = scope.get("extensions")
    if (
        extensions
        and WHOLE_ANSWER in extensions
        and extensions[WHOLE_ANSWER](answer.status, _head(answer, request_id), answer.body)
    ):
        return
    headers: list[Header] = [(b"x-pj-request-id", request_id), *answer.headers]
    if answer.body:
        headers += (answer.content_type, (b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _head(answer: Answer, request_id: bytes) -> bytes:
    lines = b"x-pj-request-id: %b\r\n" % request_id
    if answer.body:
        lines = b"%b: %b\r\ncontent-length: %d\r\n%b" % (*answer.content_type, len(answer.body), lines)
    return lines + b"".join([b"%b: %b\r\n" % header for header in answer.headers]) if answer.headers else lines
