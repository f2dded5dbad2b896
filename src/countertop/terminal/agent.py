"""The agent: runs one machine against a gateway, and connects again whenever the channel is lost.

    machine = Machine("countertop/0.1.0")
    agent = Agent("http://127.0.0.1:8440", token, machine, clock, session=session, random=random.random)
    running = asyncio.create_task(agent.run())
    agent.swipe(";7090112233654321?")

It does what the machine decides and decides nothing itself. An idle agent is one task that waits for a frame: thousands of
agents fit into one process and share one aiohttp session.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import cycle
from socket import SHUT_RDWR
from typing import Final

import aiohttp

from countertop.domain.card import PaymentCard
from countertop.domain.clock import SECOND, Clock, Instant
from countertop.protocol.frames import MAX_FRAME, SUBPROTOCOL, FromTerminal, encode
from countertop.protocol.session import CloseCode, TerminalSession, Violation
from countertop.terminal.frame_log import FrameLog
from countertop.terminal.machine import Machine
from countertop.terminal.pairing import obtain_token
from countertop.terminal.view import Key, Pairing, Stroke, View

CHANNEL: Final = "/terminal/channel"
FIRST_WAIT: Final = 250
"""Milliseconds before the first attempt to connect again; each further wait is twice as long."""
LONGEST_WAIT: Final = 15 * SECOND
GREETING: Final = 10.0
"""Seconds within which the gateway must welcome the terminal. One that gave up while the network was gone could not say so."""
SILENCE: Final = 30.0
"""Seconds without a word, not even the gateway's ping (every 20 s), after which the channel is taken for dead."""

_FAULTS: Final = frozenset({CloseCode.ILLEGAL, CloseCode.REPLACED, CloseCode.FLOOD})
"""Closed for these, the terminal waits longer each time: two terminals with one token would replace each other for ever."""

Random = Callable[[], float]
"""Gives a number from 0 to below 1."""

logger = logging.getLogger(__name__)


class Agent:
    """One terminal, connected or trying to be.

    `gateway` is the gateway's URL, or those of several nodes of it: each attempt to connect is made to the next of them.
    `random` spreads the attempts of many terminals that lost their gateway at the same moment; an attempt is given up if there is
    no welcome within `greeting` seconds. The aiohttp session stays the caller's: give it a connector without a limit where many
    agents share it.
    """

    def __init__(
        self,
        gateway: str | Sequence[str],
        token: str | None,
        machine: Machine,
        clock: Clock,
        *,
        session: aiohttp.ClientSession,
        random: Random,
        greeting: float = GREETING,
    ) -> None:
        self.machine = machine
        self.token = token
        self.frames = FrameLog()
        self._gateways = cycle(url.rstrip("/") for url in ([gateway] if isinstance(gateway, str) else gateway))
        self._clock = clock
        self._session = session
        self._random = random
        self._greeting = greeting
        self._socket: aiohttp.ClientWebSocketResponse[bool] | None = None
        self._plugged = asyncio.Event()
        self._plugged.set()
        self._outbox: deque[FromTerminal] = deque()
        self._sender: asyncio.Task[None] | None = None
        self._timer: asyncio.Task[None] | None = None
        self._timer_at: Instant | None = None
        self._listeners: list[Callable[[View], None]] = []
        self._view = machine.view

    # What a customer or a reader does.

    @property
    def view(self) -> View:
        """What the terminal shows now."""
        return self._view

    def press(self, key: Key) -> None:
        """A key was pressed."""
        self.machine.press(key, self._clock.now())
        self._settle()

    def swipe(self, raw: str) -> None:
        """A reader gave a stripe, sentinels included."""
        self.machine.swipe(raw, self._clock.now())
        self._settle()

    def present(self, card: PaymentCard) -> None:
        """A reader gave a payment card that was inserted or tapped."""
        self.machine.present(card, self._clock.now())
        self._settle()

    def draw(self, strokes: Sequence[Stroke]) -> None:
        """The whole of what is on the signature pad now."""
        self.machine.draw(strokes)
        self._settle()

    def speak(self, language: str) -> None:
        """Changes the language. Raises KeyError if the terminal does not speak it."""
        self.machine.speak(language)
        self._settle()

    # Who looks on.

    def listen(self, listener: Callable[[View], None]) -> Callable[[], None]:
        """Calls `listener` with each new view, in the event loop. Returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def watch(self) -> AsyncIterator[View]:
        """The view as it is now, and then each newer one; a slow watcher misses those in between, never the last."""
        changed = asyncio.Event()
        stop = self.listen(lambda _view: changed.set())
        try:
            while True:
                changed.clear()
                yield self._view
                await changed.wait()
        finally:
            stop()

    # The channel.

    async def pair(self) -> str:
        """Shows a code until an operator confirms it. Returns the token that the terminal has from then on, for safe keeping."""
        try:
            self.token = await obtain_token(next(self._gateways), self._session, self._clock, self._show_pairing)
        finally:
            self._show_pairing(None)
        return self.token

    async def run(self) -> None:
        """Connects, again and again, until cancelled. A terminal without a token has to `pair` first."""
        wait = 0
        try:
            while True:
                await self._plugged.wait()
                welcomed = await self._connect()
                wait = FIRST_WAIT if welcomed or wait == 0 else min(2 * wait, LONGEST_WAIT)
                if self._plugged.is_set():
                    await self._clock.sleep_until(self._clock.now() + round(wait * (0.5 + self._random() / 2)))
        finally:
            self._stop_tasks()

    async def unplug(self) -> None:
        """Cuts the connection and stays away until `plug`."""
        self._plugged.clear()
        if self._socket is not None:
            await self._socket.close()

    def cut(self) -> None:
        """Loses the connection, as by a cut cable: no word to the gateway. It is made anew at once."""
        if self._socket is not None and (end := self._socket.get_extra_info("socket")) is not None:
            end.shutdown(SHUT_RDWR)

    def plug(self) -> None:
        """Connects again after `unplug`."""
        self._plugged.set()

    async def _connect(self) -> bool:
        """One connection from beginning to end. Returns whether it went well: welcomed, and not closed for a reason of ours."""
        headers = {"Authorization": f"Bearer {self.token}"}
        patience = aiohttp.ClientWSTimeout(ws_receive=SILENCE, ws_close=2.0)
        try:
            async with (
                asyncio.timeout(self._greeting) as until_welcomed,
                self._session.ws_connect(
                    next(self._gateways) + CHANNEL,
                    headers=headers,
                    protocols=(SUBPROTOCOL,),
                    max_msg_size=MAX_FRAME,
                    timeout=patience,
                ) as socket,
            ):
                return await self._converse(socket, until_welcomed)
        except aiohttp.WSServerHandshakeError as error:
            logger.warning("the gateway refuses this terminal: status %d", error.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            logger.info("no connection to the gateway: %s", type(error).__name__)
        return False

    async def _converse(self, socket: aiohttp.ClientWebSocketResponse[bool], until_welcomed: asyncio.Timeout) -> bool:
        rules = TerminalSession()
        self._socket = socket
        self.machine.connected()
        self._settle()
        try:
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    raise Violation(CloseCode.ILLEGAL, "frames are text")
                frame = rules.receive(message.data)
                until_welcomed.reschedule(None)  # the first is the welcome, or breaks the rules
                self.frames.add("in", frame)
                self.machine.heard(frame, self._clock.now())
                self._settle()
        except Violation as broken:
            logger.warning("the gateway broke the rules: %s", broken.reason)
            await socket.close(code=broken.code, message=broken.reason.encode()[:120])
        except TimeoutError:
            logger.info("the gateway has gone silent")
        finally:
            self._socket = None
            self._outbox.clear()
            self.machine.disconnected()
            self._settle()
        return rules.welcomed and socket.close_code not in _FAULTS

    def _show_pairing(self, pairing: Pairing | None) -> None:
        self.machine.pair(pairing)
        self._settle()

    # After each thing that happened.

    def _settle(self) -> None:
        """Says what there is to say, shows what there is to show, and sets the clock for what comes next."""
        self._outbox.extend(self.machine.take_frames())
        self._start_sender()
        view = self.machine.view
        if view != self._view:
            self._view = view
            for listener in tuple(self._listeners):
                listener(view)
        self._set_timer()

    def _start_sender(self) -> None:
        if self._outbox and self._socket is not None and self._sender is None:
            self._sender = asyncio.create_task(self._send(self._socket))

    async def _send(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        # One task a burst: what is added meanwhile goes out in the same order.
        try:
            while self._outbox and socket is self._socket:
                frame = self._outbox.popleft()
                self.frames.add("out", frame)
                await socket.send_str(encode(frame))
        except (aiohttp.ClientError, ConnectionError):
            logger.info("the channel was lost while speaking")
        finally:
            self._sender = None
            if socket is not self._socket:
                self._start_sender()  # what waited meanwhile is for the connection that came after

    def _set_timer(self) -> None:
        at = self.machine.wakes_at
        if at is None or (self._timer is not None and self._timer_at is not None and self._timer_at <= at):
            return  # a timer that rings too early looks again
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = asyncio.create_task(self._ring(at))

    async def _ring(self, at: Instant) -> None:
        await self._clock.sleep_until(at)
        self._timer = None
        self.machine.tick(self._clock.now())
        self._settle()

    def _stop_tasks(self) -> None:
        for task in (self._timer, self._sender):
            if task is not None:
                task.cancel()
