"""Both clients in one suite: whichever it is, what is asked of it runs aside, so that the test can be the customer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from countertop.client import AsyncClient, Client


class Caller(Protocol):
    """One of the two clients, with nothing of its manner left to see."""

    def begin(self, method: str, *args: Any, **options: Any) -> Future[Any]:
        """Begins what a method does."""

    def call(self, method: str, *args: Any, **options: Any) -> Any:
        """What a method returns or raises."""
        return self.begin(method, *args, **options).result(20)


class BlockingCaller(Caller):
    def __init__(self, client: Client, threads: ThreadPoolExecutor) -> None:
        self._client = client
        self._threads = threads

    def begin(self, method: str, *args: Any, **options: Any) -> Future[Any]:
        return self._threads.submit(getattr(self._client, method), *args, **options)


class AsyncCaller(Caller):
    def __init__(self, client: AsyncClient, loop: asyncio.AbstractEventLoop) -> None:
        self._client = client
        self._loop = loop

    def begin(self, method: str, *args: Any, **options: Any) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(getattr(self._client, method)(*args, **options), self._loop)


@contextlib.contextmanager
def calling(manner: str, loop: asyncio.AbstractEventLoop, *args: str, **options: Any) -> Iterator[Caller]:
    """A client of this manner; an asynchronous one lives in a loop that runs on another thread."""
    if manner == "blocking":
        with ThreadPoolExecutor(2) as threads, Client(*args, **options) as client:
            yield BlockingCaller(client, threads)
    else:
        awaited = AsyncClient(*args, **options)
        try:
            yield AsyncCaller(awaited, loop)
        finally:
            asyncio.run_coroutine_threadsafe(awaited.close(), loop).result(10)
