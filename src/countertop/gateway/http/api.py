"""The API: the route table, the check of who calls, and the resources' handlers.

There is no stack of middlewares, and no task for what can be answered at once: that would be most of what a poll costs (ADR 29).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import traceback
from collections.abc import Awaitable, Iterator, Mapping
from functools import partial
from http import HTTPStatus
from time import perf_counter
from typing import Any, Final

import structlog

from countertop.domain.ids import RandomBytes
from countertop.gateway.http.access import Access
from countertop.gateway.http.answer import Answer, Later, Pending, Reply, Whole, whole
from countertop.gateway.http.call import Call, Exchange
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
from countertop.gateway.operations.access import Caller
from countertop.gateway.turn import Turns

_log = structlog.stdlib.get_logger(__name__)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
_WITH_BODY: Final = frozenset({"POST", "PUT"})


class Api:
    """The API. `close` it before the server stops."""

    def __init__(self, table: RouteTable, access: Access, waiting: Waiting, parts: ApiParts) -> None:
        self.table: Final = table
        self._access = access
        self._waiting = waiting
        self._observe = parts.observe
        self._turns = Turns()
        self._request_ids = _request_ids(parts.random)
        self._nowhere = Route("GET", "", self._find_nothing, "What no route is for", public=True, described=False)

    def answer(self, exchange: Exchange) -> Reply:
        """Answers one request: at once if nothing has to be waited for, which is most of what is asked."""
        started = perf_counter()
        routes, variables = self.table.find(exchange.path)
        route = routes.get(exchange.method, self._nowhere)
        call = Call(next(self._request_ids), exchange, route, variables, started)
        try:
            found = self._look_for(call, route)
        except Exception as error:  # it becomes an answer
            found = _answer_to(error, call)
        if type(found) is Pending:
            return Later(found.future, partial(self._finish, call, found))
        if isinstance(found, Answer):
            if found.status < HTTPStatus.BAD_REQUEST or exchange.arrived:
                return self._whole(found, call)
            found = _now(found)
        return self._wait_for(found, call)

    def _look_for(self, call: Call, route: Route) -> Answer | Awaitable[Answer]:
        if route is self._nowhere:
            return route.handle(call)
        accept = call.headers.get(b"accept")
        if accept is not None and not accepts(call.exchange.headers, accept, route.media_type):
            return NOT_ACCEPTABLE
        if not route.public:
            caller = self._access.admit(call.headers)
            if not isinstance(caller, Caller):
                return self._admitted(call, route, caller)
            call.caller = caller
        if route.method in _WITH_BODY and not call.readable:
            return self._admitted(call, route, None)
        return route.handle(call)

    async def _admitted(self, call: Call, route: Route, caller: Awaitable[Caller] | None) -> Answer:
        if caller is not None:
            call.caller = await caller
        if route.method in _WITH_BODY and not call.readable:
            await call.gather(self._turns)
        found = route.handle(call)
        return found if isinstance(found, Answer) else await found

    async def _wait_for(self, found: Awaitable[Answer], call: Call) -> Whole | None:
        try:
            answer = await found
        except Disconnected:
            return None
        except Exception as error:  # it becomes an answer
            answer = _answer_to(error, call)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            with contextlib.suppress(Disconnected):
                await call.drain()
        return self._whole(answer, call)

    def _finish(self, call: Call, pending: Pending, future: asyncio.Future[Any]) -> Whole:
        try:
            answer = pending.render(future.result())
        except Exception as error:  # it becomes an answer
            answer = _answer_to(error, call)
        return self._whole(answer, call)

    def _whole(self, answer: Answer, call: Call) -> Whole:
        if self._observe is not None:
            self._observe(call.route, _method_of(call), answer.status, perf_counter() - call.started)
        return whole(answer, call.id)

    def _find_nothing(self, call: Call) -> Answer:
        routes, _ = self.table.find(call.exchange.path)
        return _no_route(routes, call.exchange.method)

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


async def _now(answer: Answer) -> Answer:
    return answer


def _method_of(call: Call) -> str:
    """As it may stand in a metric or a log: a client could make up any number of others."""
    method = call.exchange.method
    return method if method in _METHODS else "OTHER"


def _answer_to(error: Exception, call: Call) -> Answer:
    answer = answer_to(error)
    if answer is None or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _report(error, call)
    return BROKEN if answer is None else answer


def _report(error: Exception, call: Call) -> None:
    """One line about what went wrong: where in the code, never with which values; an exception's text may hold them."""
    place = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    _log.error(
        "request failed",
        request_id=call.id.decode(),
        method=_method_of(call),
        resource=call.route.path or None,
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
