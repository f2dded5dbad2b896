"""Polling a Smart Terminal request: where it is now, or after the next change."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from countertop.domain.hint import RequestHint
from countertop.gateway.http.answer import Answer
from countertop.gateway.http.call import Call
from countertop.gateway.http.error import Disconnected, Problem, failure, retry_after
from countertop.gateway.http.form import Form, Reader
from countertop.gateway.http.parts import ApiParts
from countertop.gateway.http.rate import Pace
from countertop.gateway.http.route import Route
from countertop.gateway.http.waiting import ASK_AGAIN, Waiting, ring
from countertop.gateway.operations.request import RequestView, find_request
from countertop.gateway.store.store import Seen
from countertop.gateway.wire.request import StatusBody, status_body

MAX_WAIT: Final = 60
_SECONDS: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,30})?(?:[eE]-?[0-9]{1,3})?", re.ASCII)


def _seconds(text: object) -> object:
    if isinstance(text, str) and _SECONDS.fullmatch(text) is None:
        raise ValueError("not a number of seconds")
    return text


class PollQuery(Form):
    """How long an answer may wait for news."""

    wait: Annotated[
        float,
        Field(ge=0, le=MAX_WAIT, description="Seconds to wait for the next change of a request that has not ended"),
        BeforeValidator(_seconds),
    ] = 0


_QUERY: Final = Reader(PollQuery, "field", empties=True)


class Requests:
    """`/smartterminals/requests`."""

    def __init__(self, parts: ApiParts, waiting: Waiting) -> None:
        self._store = parts.store
        self._clock = parts.clock
        self._pace = Pace(parts.poll_interval)
        self._waiting = waiting
        parts.bus.subscribe(RequestHint, lambda hint: waiting.wake(hint.request_id))

    def routes(self) -> list[Route]:
        """The one there is."""
        return [
            Route(
                "GET",
                "/smartterminals/requests/{requestId}",
                self.poll,
                "Poll a request",
                answer=StatusBody,
                query=_QUERY,
                statuses=(404,),
            )
        ]

    def poll(self, call: Call) -> Answer | Awaitable[Answer]:
        """`GET /smartterminals/requests/{requestId}`."""
        request_id = call.uuid()
        caller = call.caller
        wait = _QUERY.read(call.query()).wait if call.exchange.query else 0
        key = (caller.merchant_id, request_id)
        early = self._pace.step(key, self._clock.now())
        if early:
            raise Problem(failure(429, "This request was polled a moment ago.", retry_after(early)))
        found = self._store.peek(find_request, caller.merchant_id, request_id)
        if not wait and isinstance(found, Seen):
            return _answer(call, found.value)
        return self._poll_later(call, found, wait, key)

    async def _poll_later(self, call: Call, found: Awaitable[RequestView], wait: float, key: tuple[str, str]) -> Answer:
        view = await found
        if wait and view.status.running:
            view = await self._news(call, view, wait, key)
        return _answer(call, view)

    async def _news(self, call: Call, seen: RequestView, wait: float, key: tuple[str, str]) -> RequestView:
        """The request after its next change, or as it is when the time is over. Raises Disconnected."""
        loop = asyncio.get_running_loop()
        end = loop.time() + wait
        gone = asyncio.create_task(call.gone())
        view = seen
        try:
            with self._waiting.bell(seen.id) as bell:
                while True:
                    view = await self._store.peek(find_request, key[0], seen.id)
                    left = end - loop.time()
                    if view.sequence != seen.sequence or left <= 0 or self._waiting.closed:
                        break
                    await ring(bell, gone, min(left, ASK_AGAIN))
                    if gone.done():
                        raise Disconnected
        finally:
            gone.cancel()
        if view.sequence != seen.sequence:
            self._pace.pardon(key)
        return view


def _answer(call: Call, view: RequestView) -> Answer:
    return Answer(200, status_body(view.id, view.status, view.outcome, view.result, call.caller.release, view.transaction_id))
