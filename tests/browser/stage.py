"""A terminal on a stage: a real machine behind the real page, told by the test what a gateway would tell it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final, Self, TypeVar

import uvicorn
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from countertop.domain.card import PaymentCard
from countertop.domain.clock import MINUTE, Instant
from countertop.domain.order import Order, PaymentOrder
from countertop.protocol.frames import CardTaken, Decided, Finished, FromGateway, Show, Welcome
from countertop.sandbox.card import TRAY
from countertop.terminal.frame_log import FrameLog
from countertop.terminal.machine import Machine
from countertop.terminal.screen.page import screen_routes, single_screen_routes
from countertop.terminal.view import Key, Stroke, View
from tests.unit.counter import SEALING

TERMINAL: Final = "88888888-4444-4444-4444-cccccccccccc"
START: Final = 1_790_000_000_000

T = TypeVar("T")


class StageClock:
    """Stands still until it is advanced."""

    def __init__(self) -> None:
        self.instant: Instant = START

    def now(self) -> Instant:
        return self.instant

    async def sleep_until(self, instant: Instant) -> None:
        raise NotImplementedError


class StagedTerminal:
    """Implements `Operated` round a machine that has no gateway."""

    def __init__(self) -> None:
        self.clock = StageClock()
        self.changed = asyncio.Condition()
        self.frames = FrameLog()
        self.reset()

    def reset(self) -> None:
        """A machine that has just been welcomed."""
        self.machine = Machine("stage/1")
        self.finished: list[Finished] = []
        self.taken: list[CardTaken] = []
        self.requests = 0
        self.asked: PaymentOrder | None = None
        self.machine.connected()
        self.hear(Welcome(nick_name="Counter 1", merchant="Corner Books", server="test"))

    # What the page calls.

    async def watch(self) -> AsyncIterator[View]:
        last = None
        while True:
            if (view := self.machine.view) != last:
                last = view
                yield view
                continue
            async with self.changed:
                await self.changed.wait()

    def press(self, key: Key) -> None:
        self.machine.press(key, self.clock.now())
        self.settle()

    def swipe(self, raw: str) -> None:
        self.machine.swipe(raw, self.clock.now())
        self.settle()

    def present(self, card: PaymentCard) -> None:
        self.machine.present(card, self.clock.now())
        self.settle()

    def draw(self, strokes: Sequence[Stroke]) -> None:
        self.machine.draw(strokes)
        self.settle()

    def speak(self, language: str) -> None:
        self.machine.speak(language)
        self.settle()

    # What the test calls.

    def hear(self, frame: FromGateway) -> None:
        """The gateway says something."""
        self.frames.add("in", frame)
        self.machine.heard(frame, self.clock.now())
        self.settle()

    def order(self, order: Order, remaining: int = MINUTE) -> None:
        """The gateway says `show`."""
        self.asked = order if isinstance(order, PaymentOrder) else None
        self.requests += 1
        request_id = f"0192d3a0-0000-7000-8000-{self.requests:012d}"
        sealing = SEALING if isinstance(order, PaymentOrder) else None
        self.hear(Show(request_id=request_id, order=order, remaining=remaining, sealing=sealing))

    def decide(self, *, approved: bool = True, total: int = 42_50) -> None:
        """The gateway says `decided`; what is asked for next is what was ordered."""
        asked = self.asked if approved else None
        self.hear(
            Decided(
                request_id=f"0192d3a0-0000-7000-8000-{self.requests:012d}",
                approved=approved,
                transaction_id=71,
                total=total,
                signature=asked is not None and asked.show_signature_prompt,
                receipt=asked is not None and asked.show_receipt_prompt,
            )
        )

    def advance(self, milliseconds: int) -> None:
        """Time passes."""
        self.clock.instant += milliseconds
        self.machine.tick(self.clock.now())
        self.settle()

    def cut(self) -> None:
        """The terminal's own connection to its gateway is lost."""
        self.machine.disconnected()
        self.settle()

    def settle(self) -> None:
        for frame in self.machine.take_frames():
            if isinstance(frame, Finished):
                self.finished.append(frame)
            if isinstance(frame, CardTaken):
                self.taken.append(frame)
            self.frames.add("out", frame)
        self._told = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()


class Stage:
    """A server in a thread of its own, with the page of one staged terminal. `run` does something in its loop."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._down = False
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, name="stage")

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(20):
            raise TimeoutError("the stage did not open")
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    @property
    def url(self) -> str:
        """The page of the staged terminal, as a test server serves it."""
        return f"{self.address}/virtual-terminal/{TERMINAL}"

    def run(self, act: Callable[..., T], *args: Any, **named: Any) -> T:
        """Does something in the server's loop, and waits for it."""

        async def do() -> T:
            return act(*args, **named)

        return asyncio.run_coroutine_threadsafe(do(), self._loop).result(10)

    def cut_links(self, *, stay_away: bool = False) -> None:
        """Every page loses its link; with `stay_away` it cannot be opened again until `let_in`."""
        self._down = stay_away

        def close() -> None:
            for connection in list(self._server.server_state.connections):
                if connection.transport is not None:
                    connection.transport.close()

        self.run(close)

    def let_in(self) -> None:
        """Links can be opened again."""
        self._down = False

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and self._down:
            await receive()
            await send({"type": "websocket.close", "code": 1013})
            return
        await self._pages(scope, receive, send)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._open())
        self._loop.close()

    async def _open(self) -> None:
        self.terminal = StagedTerminal()
        terminals = {TERMINAL: self.terminal}
        clock = self.terminal.clock
        routes = screen_routes(terminals.get, clock, prefix="/virtual-terminal", tray=TRAY)
        self._pages = Starlette(routes=[*routes, *single_screen_routes(self.terminal, clock)])
        config = uvicorn.Config(self._answer, interface="asgi3", log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._ready.set()
        await self._server.serve(sockets=[self._socket])
