"""The client for an event loop, over aiohttp."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Final, Self, TypeVar

import aiohttp
from yarl import URL

from countertop.client.api import Api
from countertop.client.exchange import CONNECT_S, Answer, Arrival, Call, Flow, NoAnswer

T = TypeVar("T")

_NOT_SENT: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


class AsyncClient(Api):
    """Calls a server from one event loop. An asynchronous context manager: leaving it closes its connections."""

    def _open(self) -> None:
        # Made at the first call, because it belongs to the loop that runs then.
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes all connections."""
        if self._session is not None:
            await self._session.close()

    async def run(self, flow: Flow[T]) -> T:
        """Drives a flow to its end."""
        try:
            call = next(flow)
            while True:
                await asyncio.sleep(call.after_s)
                call = flow.send(await self._make(call))
        except StopIteration as end:
            result: T = end.value
            return result

    async def _make(self, call: Call) -> Arrival:
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        began = time.monotonic()
        patience = aiohttp.ClientTimeout(sock_connect=CONNECT_S, sock_read=call.timeout_s)
        url = URL(call.url, encoded=True)
        try:
            async with self._session.request(
                call.method, url, data=call.body, headers=call.headers, timeout=patience, allow_redirects=False
            ) as answer:
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return Answer(answer.status, headers, await answer.read(), time.monotonic() - began)
        except (aiohttp.ClientError, OSError) as error:
            return NoAnswer(type(error).__name__, not isinstance(error, _NOT_SENT), time.monotonic() - began)
