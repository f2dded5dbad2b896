"""The client that blocks, over urllib3."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Final, Self, TypeVar

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError

from countertop.client.api import Api
from countertop.client.exchange import CONNECT_S, Answer, Arrival, Call, Flow, NoAnswer

T = TypeVar("T")

_NOT_SENT: Final = (NewConnectionError, ConnectTimeoutError, SSLError)


class Client(Api):
    """Calls a server and waits for it. Several threads may share one. A context manager: leaving it closes its connections."""

    def _open(self) -> None:
        self._pool = urllib3.PoolManager(retries=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes all connections."""
        self._pool.clear()

    def run(self, flow: Flow[T]) -> T:
        """Drives a flow to its end."""
        try:
            call = next(flow)
            while True:
                time.sleep(call.after_s)
                call = flow.send(self._make(call))
        except StopIteration as end:
            result: T = end.value
            return result

    def _make(self, call: Call) -> Arrival:
        began = time.monotonic()
        patience = urllib3.Timeout(connect=CONNECT_S, read=call.timeout_s)
        try:
            answer = self._pool.request(
                call.method, call.url, body=call.body, headers=call.headers, timeout=patience, redirect=False
            )
        except HTTPError as error:
            return NoAnswer(type(error).__name__, not isinstance(error, _NOT_SENT), time.monotonic() - began)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status, headers, answer.data, time.monotonic() - began)
