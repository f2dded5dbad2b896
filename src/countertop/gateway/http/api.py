"""The API: an ASGI application made of the route table, the check of who calls, and the resources' handlers.

There is no stack of middlewares: one call goes through one function, because half of what a poll costs would be theirs.
"""

from __future__ import annotations

import contextlib
import itertools
import traceback
from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import Any, Final

import structlog

from countertop.domain.ids import RandomBytes
from countertop.gateway.http.access import Access
from countertop.gateway.http.answer import Answer, Send, send_answer
from countertop.gateway.http.call import Call, Receive
from countertop.gateway.http.description import Description
from countertop.gateway.http.error import BROKEN, NOT_ACCEPTABLE, NOT_FOUND, Disconnected, answer_to, method_not_allowed
from countertop.gateway.http.idempotency import Once
from countertop.gateway.http.level3 import Level3s
from countertop.gateway.http.negotiation import accepts
from countertop.gateway.http.note import Notes
from countertop.gateway.http.parts import ApiParts
from countertop.gateway.http.payment import PaymentRequests
from countertop.gateway.http.receipt import Receipts
from countertop.gateway.http.request import Requests
from countertop.gateway.http.route import Route, RouteTable
from countertop.gateway.http.settlement import Settlements
from countertop.gateway.http.signature import Signatures
from countertop.gateway.http.smart_terminal import SmartTerminals
from countertop.gateway.http.terminal import Terminals
from countertop.gateway.http.transaction import Transactions
from countertop.gateway.http.waiting import Waiting
from countertop.gateway.http.webhook import Webhooks

_log = structlog.stdlib.get_logger(__name__)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})


class Api:
    """The API as an ASGI application for HTTP. `close` it before the server stops."""

    def __init__(self, table: RouteTable, access: Access, waiting: Waiting, parts: ApiParts) -> None:
        self.table: Final = table
        self._access = access
        self._waiting = waiting
        self._observe = parts.observe
        self._request_ids = _request_ids(parts.random)

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answers one request."""
        started = perf_counter()
        request_id = next(self._request_ids)
        method: str = scope["method"]
        routes, variables = self.table.find(scope["path"])
        route = routes.get(method)
        call = Call(scope, receive, variables)
        try:
            answer = await self._answer(call, route) if route is not None else _no_route(routes, method)
        except Disconnected:
            return
        except Exception as error:
            answer = _answer_to(error, request_id, method, route)
        if answer.status >= 400:
            with contextlib.suppress(Disconnected):
                await call.drain()
        await send_answer(scope, send, answer, request_id)
        if self._observe is not None:
            self._observe(route, method if method in _METHODS else "OTHER", answer.status, perf_counter() - started)

    async def _answer(self, call: Call, route: Route) -> Answer:
        accept = call.headers.get(b"accept")
        if accept is not None and not accepts(call.scope["headers"], accept, route.media_type):
            return NOT_ACCEPTABLE
        call.route = route
        if not route.public:
            call.caller = await self._access.admit(call.headers)
        return await route.handle(call)

    @property
    def waits(self) -> int:
        """How many polls wait for news."""
        return self._waiting.count

    def close(self) -> None:
        """Answers every waiting poll, so that none holds the server up."""
        self._waiting.close()


def make_api(parts: ApiParts) -> Api:
    """Puts the API together."""
    once = Once(parts)
    waiting = Waiting()
    routes = [
        *Terminals(parts).routes(),
        *SmartTerminals(parts, once).routes(),
        *Requests(parts, waiting).routes(),
        *Webhooks(parts, once).routes(),
        *payment_routes(parts, once, waiting),
        *parts.more_routes,
    ]
    access = Access(parts)
    return Api(RouteTable([*routes, *Description(parts, access, routes).routes()]), access, waiting, parts)


def payment_routes(parts: ApiParts, once: Once, waiting: Waiting) -> list[Route]:
    """The resources about money."""
    return [
        *PaymentRequests(parts, once).routes(),
        *Transactions(parts, once, waiting).routes(),
        *Notes(parts, once).routes(),
        *Receipts(parts).routes(),
        *Signatures(parts, once).routes(),
        *Level3s(parts, once).routes(),
        *Settlements(parts).routes(),
    ]


def _no_route(routes: Mapping[str, Route], method: str) -> Answer:
    if not routes:
        return NOT_FOUND
    allowed = sorted({*routes, "OPTIONS"})
    if method == "OPTIONS":
        return Answer(204, headers=((b"allow", ", ".join(allowed).encode()),))
    return method_not_allowed(allowed)


def _answer_to(error: Exception, request_id: bytes, method: str, route: Route | None) -> Answer:
    answer = answer_to(error)
    if answer is None or answer.status >= 500:
        _report(error, request_id, method, route)
    return BROKEN if answer is None else answer


def _report(error: Exception, request_id: bytes, method: str, route: Route | None) -> None:
    """One line about what went wrong: where in the code, never with which values; an exception's text may hold them."""
    place = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    _log.error(
        "request failed",
        request_id=request_id.decode(),
        method=method if method in _METHODS else "OTHER",
        resource=route.path if route else None,
        error=type(error).__name__,
        cause=type(error.__cause__).__name__ if error.__cause__ else None,
        place=place,
    )


def _request_ids(random: RandomBytes) -> Iterator[bytes]:
    """UUIDs (version 4) for `X-Pj-Request-Id`: this process's random digits, then a count. They need to be unique, not secret."""
    digits = random(16).hex()
    prefix = b"%b-%b-4%b-a%b-" % tuple(part.encode() for part in (digits[:8], digits[8:12], digits[12:15], digits[15:18]))
    for number in itertools.count(1):
        yield b"%b%012x" % (prefix, number)
