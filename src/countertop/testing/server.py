"""A test server inside the process that tests with it, on a thread and an event loop of its own.

    with run_server(directory) as server:
        server.caller.post(f"/smartterminals/{server.smart_terminal_id}/request-read", {"terminalId": server.terminal_id})
        server.terminal.until("SWIPE_CARD")
        server.terminal.swipe(";7090112233654321?")

It has one merchant with one account and one virtual terminal, no limits on how often one may ask, and credentials of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import uvloop

from countertop.gateway.seed import SeedFile, check_seed
from countertop.gateway.settings import load_settings
from countertop.sandbox.assembly import TestServer
from countertop.testing.caller import Caller, Form, ended
from countertop.testing.catcher import Catcher, Caught, catch
from countertop.testing.terminal import VirtualTerminal

T = TypeVar("T")

TERMINAL_ID: Final = 1
START_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that runs. `caller` calls it with its login and key; `terminal` is its virtual terminal."""

    url: str
    login: str
    password: str
    application_key: str
    terminal_id: int
    smart_terminal_id: str
    caller: Caller
    terminal: VirtualTerminal
    loop: asyncio.AbstractEventLoop

    def advance(self, seconds: float) -> None:
        """Puts the server's clock forward; returns once everything that is due by then has happened."""
        reply = self.caller.post("/test/clock/advance", {"seconds": seconds})
        if reply.status != 200:
            raise AssertionError(f"status {reply.status}: {reply.body.decode(errors='replace')}")

    def start(self, kind: str, form: Form | None = None) -> str:
        """Posts a request (`kind`: `request-read`, …) to the virtual terminal. Returns its id."""
        path = f"/smartterminals/{self.smart_terminal_id}/{kind}"
        reply = self.caller.post(path, {"terminalId": self.terminal_id, **(form or {})})
        if reply.status != 200:
            raise AssertionError(f"status {reply.status}: {reply.body.decode(errors='replace')}")
        return str(reply.json["requestPaymentId" if kind == "request-payment" else "requestId"])

    def ended(self, request_id: str, within_s: float = 10.0) -> dict[str, Any]:
        """Polls a request until it has ended; returns the poll's body. Raises TimeoutError."""
        return ended(self.caller, request_id, within_s)

    @contextlib.contextmanager
    def catching(self, event: str = "SMARTTERMINAL_REQUEST") -> Iterator[WebhookCatcher]:
        """Catches webhooks of one event type, from the subscription to its end."""
        secret = secrets.token_urlsafe(24)
        with _entered(self.loop, catch(secret)) as catcher:
            reply = self.caller.post("/webhooks", {"event": event, "url": catcher.url, "secret": secret})
            if reply.status != 200:
                raise AssertionError(f"status {reply.status}: {reply.body.decode(errors='replace')}")
            try:
                yield WebhookCatcher(catcher, self.loop)
            finally:
                self.caller.delete(f"/webhooks/{reply.json['webhookId']}")


class WebhookCatcher:
    """What was delivered, each with the verdict on its signatures."""

    def __init__(self, catcher: Catcher, loop: asyncio.AbstractEventLoop) -> None:
        self._catcher = catcher
        self._loop = loop

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._catcher.url

    @property
    def secret(self) -> str:
        """What the deliveries are signed with."""
        return self._catcher.secret or ""

    @property
    def caught(self) -> list[Caught]:
        """Everything so far, oldest first."""
        return list(self._catcher.caught)

    def wait_for(self, what: int | Callable[[list[Caught]], object], within_s: float = 10.0) -> list[Caught]:
        """Waits until so many were delivered, or a predicate over all of them holds. Raises TimeoutError."""
        return _await(self._loop, self._catcher.wait_for(what, within_s))


@contextlib.contextmanager
def run_server(data: Path, **settings: object) -> Iterator[RunningServer]:
    """Runs a server with its data in a directory until the context is left. `settings` are those of the gateway."""
    login, password, key, device = "tester", secrets.token_urlsafe(15), str(uuid.uuid4()), str(uuid.uuid4())
    quick = {"server": "test", "host": "127.0.0.1", "port": 0, "data": data, "poll_interval": 0, "rate_limit": "100000/100000"}
    seed = check_seed(_document(login, password, key, device), "the seed", test_server=True)
    with _loop() as loop, _entered(loop, _serving(quick | settings, seed)) as url, Caller(url, login, password, key) as caller:
        yield RunningServer(url, login, password, key, TERMINAL_ID, device, caller, VirtualTerminal(caller, device), loop)


@contextlib.asynccontextmanager
async def _serving(settings: dict[str, object], seed: SeedFile) -> AsyncIterator[str]:
    async with TestServer(load_settings(settings)) as server:
        await server.seed(seed)
        await server.serve()
        yield server.url


@contextlib.contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs on a thread."""
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="countertop-server", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        _await(loop, loop.shutdown_asyncgens())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _await(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(work, loop).result()


@contextlib.contextmanager
def _entered(loop: asyncio.AbstractEventLoop, context: contextlib.AbstractAsyncContextManager[T]) -> Iterator[T]:
    """An asynchronous context, entered and left in one task of another thread's loop."""
    entered: Future[T] = Future()
    leave = asyncio.Event()

    async def live() -> None:
        try:
            async with context as value:
                entered.set_result(value)
                await leave.wait()
        except BaseException as error:
            if not entered.done():
                entered.set_exception(error)
            raise

    life = asyncio.run_coroutine_threadsafe(live(), loop)
    value = entered.result(START_S)
    try:
        yield value
    finally:
        loop.call_soon_threadsafe(leave.set)
        life.result(START_S)


def _document(login: str, password: str, key: str, device: str) -> dict[str, Any]:
    return {
        "merchant": [
            {
                "name": "Test merchant",
                "login": [{"login": login, "password": password}],
                "application_key": [{"key": key}],
                "terminal": [{"terminalId": TERMINAL_ID, "nickName": "Main", "default": True}],
                "smart_terminal": [{"smartTerminalId": device, "nickName": "Counter", "virtual": True}],
            }
        ]
    }
