"""A webhook receiver for tests and demonstrations: keeps what it gets, judges the signatures, misbehaves when asked to.

    async with catch(secret="s3cret") as catcher:
        ...                                        # subscribe catcher.url, start a request
        first = await catcher.wait_for(1)
        assert first[0].verdict.good
        catcher.reply = Reply(503)                 # from now on
        catcher.then(Reply(500), CloseWithout())   # for the next two, before `reply` holds again

It listens on the loopback interface, so only the same machine can send to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import re
import socket
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web
from rich.console import Console
from rich.text import Text
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from countertop.domain.webhook import sign, standard_key
from countertop.testing.listener import stop_accepting

WAIT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: after `delay_s` seconds, this status, these headers, this body."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Drip:
    """An answer without an end: a byte every `every_s` seconds."""

    status: int = 200
    every_s: float = 0.05


@dataclass(frozen=True, slots=True)
class Hold:
    """No answer until `Catcher.release` is called; then 200."""


@dataclass(frozen=True, slots=True)
class CloseWithout:
    """The connection is closed without an answer."""


Behaviour = Reply | Drip | Hold | CloseWithout


def redirect(to: str, status: int = 302) -> Reply:
    """An answer that sends the sender somewhere else."""
    return Reply(status, headers={"Location": to})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the signatures are worth: None where there is none, or no secret to judge it by."""

    vendor: bool | None
    standard: bool | None

    @property
    def good(self) -> bool:
        """Both are there and right."""
        return self.vendor is True and self.standard is True


@dataclass(frozen=True, slots=True)
class Caught:
    """One delivery as it came. Header names are lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    verdict: Verdict

    @property
    def event(self) -> dict[str, Any]:
        """The body's JSON. Raises ValueError if it is none."""
        content = json.loads(self.body)
        if not isinstance(content, dict):
            raise TypeError("the body is not an object")
        return content

    @property
    def id(self) -> str:
        """The event's id, the same in every attempt."""
        return self.headers.get("webhook-id", "")

    @property
    def data(self) -> dict[str, Any]:
        """The event's `data`."""
        content: dict[str, Any] = self.event["data"]
        return content


def judge(secret: str | None, headers: Mapping[str, str], body: bytes) -> Verdict:
    """Checks both signatures of a delivery; header names are lower case."""
    if not secret:
        return Verdict(None, None)
    vendor = standard = None
    if "x-pj-signature" in headers:
        vendor = hmac.compare_digest(headers["x-pj-signature"].encode(), sign(secret, body).encode())
    if "webhook-signature" in headers:
        try:
            Webhook(standard_key(secret)).verify(body, dict(headers), json_parse=False)
            standard = True
        except (WebhookVerificationError, ValueError):  # the library does not expect every kind of nonsense
            standard = False
    return Verdict(vendor, standard)


class Catcher:
    """What `catch` gives. `caught` holds everything that came, oldest first; `reply` is how it answers."""

    def __init__(self, secret: str | None, on_caught: Callable[[Caught], None] | None) -> None:
        self.url = ""
        self.secret = secret
        self.caught: list[Caught] = []
        self.reply: Behaviour = Reply()
        self._on_caught = on_caught
        self._next: deque[Behaviour] = deque()
        self._came = asyncio.Condition()
        self._released = asyncio.Event()
        self._closing = asyncio.Event()

    def then(self, *behaviours: Behaviour) -> None:
        """How to answer the next deliveries, one each; after them `reply` holds again."""
        self._next.extend(behaviours)

    def release(self) -> None:
        """Lets everything go that is on `Hold`, now and later."""
        self._released.set()

    async def wait_for(self, what: int | Callable[[list[Caught]], object], within_s: float = WAIT_S) -> list[Caught]:
        """Waits until so many deliveries have come, or until a predicate over all of them holds; returns all of them.

        Raises TimeoutError if that does not happen within `within_s` seconds.
        """
        fulfilled = (lambda: len(self.caught) >= what) if isinstance(what, int) else lambda: bool(what(self.caught))
        async with asyncio.timeout(within_s), self._came:
            await self._came.wait_for(fulfilled)
        return list(self.caught)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Takes one delivery and answers it."""
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        caught = Caught(request.path_qs, headers, body, judge(self.secret, headers, body))
        behaviour = self._next.popleft() if self._next else self.reply
        async with self._came:
            self.caught.append(caught)
            self._came.notify_all()
        if self._on_caught is not None:
            self._on_caught(caught)
        return await self._answer(request, behaviour)

    async def _answer(self, request: web.BaseRequest, behaviour: Behaviour) -> web.StreamResponse:
        match behaviour:
            case Reply(status, answer, headers, delay_s):
                if delay_s:
                    await self._wait(delay_s)
                return web.Response(status=status, body=answer, headers=headers)
            case Drip(status, every_s):
                return await self._drip(request, status, every_s)
            case Hold():
                await self._released.wait()
                return web.Response()
            case CloseWithout():
                if request.transport is not None:
                    request.transport.close()
                return web.Response()

    async def _drip(self, request: web.BaseRequest, status: int, every_s: float) -> web.StreamResponse:
        response = web.StreamResponse(status=status)
        await response.prepare(request)
        while not self._closing.is_set():
            await response.write(b".")  # raises once the sender has had enough
            await self._wait(every_s)
        return response

    async def _wait(self, seconds: float) -> None:
        """Waits so long, or until the catcher closes."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)

    def close(self) -> None:
        """Ends all answers that are being waited with."""
        self._closing.set()
        self._released.set()


@asynccontextmanager
async def catch(
    secret: str | None = None, *, port: int = 0, on_caught: Callable[[Caught], None] | None = None
) -> AsyncIterator[Catcher]:
    """Runs a catcher on the loopback interface; port 0 takes a free one. Every path is its own."""
    catcher = Catcher(secret, on_caught)
    runner = web.ServerRunner(web.Server(catcher.handle, access_log=None), shutdown_timeout=1)
    await runner.setup()
    try:
        listener = socket.create_server(("127.0.0.1", port))
        await web.SockSite(runner, listener).start()
        catcher.url = f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
        try:
            yield catcher
        finally:
            await stop_accepting([listener])
    finally:
        catcher.close()
        await runner.cleanup()


class Printer:
    """Prints a line for each delivery, for a person to look at: `catch(on_caught=Printer(console))`.

    In the line only the ends of a card's digits are shown; with `bodies` the body follows as it came.
    """

    def __init__(self, console: Console | None = None, *, bodies: bool = False) -> None:
        self._console = console or Console()
        self._bodies = bodies

    def __call__(self, caught: Caught) -> None:
        """Prints one delivery."""
        line = Text(time.strftime("%H:%M:%S "), style="dim")
        line.append(_summary(caught), style="bold")
        for name, verdict in (("X-Pj-Signature", caught.verdict.vendor), ("webhook-signature", caught.verdict.standard)):
            line.append(f"  {_SIGNS[verdict]} {name}", style=_STYLES[verdict])
        self._console.print(line, soft_wrap=True)
        if self._bodies:
            self._console.print(Text(caught.body.decode(errors="replace"), style="dim"), soft_wrap=True)


_SIGNS: Final = {True: "✓", False: "✗", None: "–"}
_STYLES: Final = {True: "green", False: "bold red", None: "dim"}
_DIGITS: Final = re.compile(r"\d{9,}")


def _summary(caught: Caught) -> str:
    """What happened, in one line."""
    try:
        event, data = caught.event, caught.data
    except (ValueError, TypeError, KeyError):
        return f"{len(caught.body)} bytes that are no event"
    facts = [str(data[name]) for name in ("status", "outcome", "promptButton", "input", "transactionId") if name in data]
    if "trackData" in data:
        facts.append(_DIGITS.sub(lambda digits: f"{digits[0][:4]}…{digits[0][-4:]}", str(data["trackData"])))
    return " ".join([str(event.get("type")), *facts])
