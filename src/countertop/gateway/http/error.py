"""Errors as the wire has them: one object, every fault of a form at once.

What a caller did wrong is answered with words that help to mend it; what went wrong here, with no detail at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from countertop.domain.errors import Fault, Invalid, LimitReached, NotFound, TooLate
from countertop.gateway.http.answer import JSON, Answer, Header
from countertop.gateway.store.trouble import Unavailable
from countertop.gateway.wire.error import error_body, faults_body


class Problem(Exception):
    """Ends a request with an error answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Disconnected(Exception):
    """The client has gone; there is nobody to answer."""


def failure(status: int, message: str, *headers: Header) -> Answer:
    """An error answer with one message that belongs to no parameter."""
    return Answer(status, error_body(message), JSON, headers)


def faulty(faults: Iterable[Fault]) -> Answer:
    """The answer to a form or query with faults: 400, the faults in order of their parameters."""
    return Answer(400, faults_body(sorted(faults, key=_parameter)))


def _parameter(fault: Fault) -> str:
    return fault.parameter


def retry_after(milliseconds: float) -> Header:
    """`Retry-After` in whole seconds, at least one."""
    return b"retry-after", b"%d" % max(1, -(-milliseconds // 1000))


def answer_to(error: Exception) -> Answer | None:
    """The answer to what an operation raised; None if that should never have come this far."""
    match error:
        case Problem():
            answer: Answer | None = error.answer
        case Invalid():
            answer = faulty(error.faults)
        case NotFound():
            answer = NOT_FOUND
        case LimitReached():
            answer = failure(403, str(error))
        case TooLate():
            answer = CONFLICT
        case Unavailable():
            answer = UNAVAILABLE
        case _:
            answer = None
    return answer


def method_not_allowed(allowed: Sequence[str]) -> Answer:
    """The resource exists, but not for this method."""
    return failure(405, "405 Method Not Allowed", (b"allow", ", ".join(allowed).encode()))


_CHALLENGE: Final = (b"www-authenticate", b'Basic realm="API", charset="UTF-8"')

WRONG_LOGIN: Final = failure(401, "Authentication failed. The API login and/or password is wrong.", _CHALLENGE)
WRONG_KEY: Final = failure(401, "The X-PJ-Application-Key header is missing or holds an invalid application key.", _CHALLENGE)
NOT_FOUND: Final = failure(404, "404 Not Found")
NOT_ACCEPTABLE: Final = failure(406, "406 Not Acceptable: the Accept header must allow application/json.")
CONFLICT: Final = failure(409, "409 Conflict: something else was changed at the same time.")
BODY_TOO_LARGE: Final = failure(413, "413 Content Too Large")
NOT_A_FORM: Final = failure(415, "415 Unsupported Media Type: send the parameters as application/x-www-form-urlencoded in UTF-8.")
BROKEN: Final = failure(500, "500 Internal Server Error")
UNAVAILABLE: Final = failure(503, "503 Service Unavailable", retry_after(1000))
