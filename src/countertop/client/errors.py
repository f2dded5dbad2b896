"""Everything that a client raises.

    ClientError
    ├── Unreachable               no answer came for as long as the client's patience lasted; nothing was done
    ├── AnswerLost                the same, but it was sent: whether it was done is not known
    ├── BadAnswer                 an answer came that is none of this API
    ├── NotGenuine                a webhook's signatures do not hold
    └── ApiError                  the server has refused, with words that say why
        ├── InvalidCall             400: a parameter is missing or wrong
        ├── AuthenticationFailed    401: login, password or application key
        ├── Forbidden               403: no permission, or a limit is reached
        ├── NotFound                404: no such thing, or somebody else's
        ├── TooManyRequests         429: asked too often
        └── ServerFailed            5xx: the server's fault

No message and no `repr` holds a secret or a card's digits: what a server says is passed on without its long runs of digits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from countertop.domain.errors import CountertopError, Fault

_DIGITS: Final = re.compile(r"\d(?:[ -]?\d){8,}")


class ClientError(CountertopError):
    """Root of all errors that a client raises. `request_id`: the Smart Terminal request that was waited for, if one was."""

    request_id: str | None = None


class Unreachable(ClientError):
    """No answer came; the server cannot have done anything."""


class AnswerLost(ClientError):
    """What was asked for was sent, and no answer came: it may have been done.

    `idempotency_key` is the key it was sent with. Asking again with the same key does it once.
    """

    def __init__(self, message: str, idempotency_key: str | None = None) -> None:
        super().__init__(message)
        self.idempotency_key = idempotency_key


class BadAnswer(ClientError):
    """What answered does not speak this API. The answer itself is not repeated."""


class NotGenuine(ClientError):
    """A webhook that its sender has not signed, has signed too long ago, or that was changed on its way."""


class ApiError(ClientError):
    """The server has refused.

    `faults` are about parameters, `messages` about none; `call_id` is the server's name of this call (`X-Pj-Request-Id`), for
    whoever looks into its logs.
    """

    def __init__(
        self, status: int, faults: Sequence[Fault] = (), messages: Sequence[str] = (), call_id: str | None = None
    ) -> None:
        self.status = status
        self.faults = tuple(replace(fault, message=_without_digits(fault.message)) for fault in faults)
        self.messages = tuple(map(_without_digits, messages))
        self.call_id = call_id
        said = [*(f"{fault.parameter}: {fault.message}" for fault in self.faults), *self.messages]
        super().__init__(f"status {status}: {' '.join(said) or 'no reason given'}")


class InvalidCall(ApiError):
    """A parameter is missing or wrong: `faults` says which."""


class AuthenticationFailed(ApiError):
    """Login, password or application key is wrong."""


class Forbidden(ApiError):
    """This login may not do it, or a documented limit is reached."""


class NotFound(ApiError):
    """No such thing, or it belongs to somebody else."""


class TooManyRequests(ApiError):
    """Asked too often, for longer than the client's patience lasted."""


class ServerFailed(ApiError):
    """The server could not do it."""


_BY_STATUS: Final[dict[int, type[ApiError]]] = {
    400: InvalidCall,
    401: AuthenticationFailed,
    403: Forbidden,
    404: NotFound,
    429: TooManyRequests,
}


def api_error(status: int) -> type[ApiError]:
    """The class of the error that a status stands for."""
    return ServerFailed if status >= 500 else _BY_STATUS.get(status, ApiError)


def _without_digits(text: str) -> str:
    """A text with an ellipsis for everything that could be a card or telephone number."""
    return _DIGITS.sub("…", text)
