"""One terminal's connection: what it says becomes operations, and what the gateway has to say goes out in order.

Frames are handled one after the other, each to its commit, and the next is not read before: a terminal that speaks faster
than the store commits, or than `FRAMES`, is slowed down by its own socket and loses nothing. A `finished` is answered after its
commit, and not at all if there was none; the terminal says it again.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, NamedTuple

import structlog

from countertop.domain.card import CardFacts, Expiry
from countertop.domain.clock import Instant
from countertop.domain.errors import Invalid, NotFound, TooLate
from countertop.domain.order import Kind, Order
from countertop.domain.payment import PaymentDecided, TakenCard
from countertop.domain.result import CardRead, Paid
from countertop.domain.screening import accepts
from countertop.domain.sealed_card import SealedCard
from countertop.gateway.bucket import Bucket
from countertop.gateway.devices.parts import Parts
from countertop.gateway.operations.connection import Greeting
from countertop.gateway.operations.payment import finish_payment, take_card
from countertop.gateway.operations.request import extend_request, finish_request, show_request
from countertop.gateway.store.trouble import Unavailable
from countertop.protocol.frames import (
    CardTaken,
    Clear,
    Decided,
    Extended,
    Finished,
    FromGateway,
    FromTerminal,
    Hello,
    Refused,
    ScreenChanged,
    Sealing,
    Show,
    Shown,
    Welcome,
    encode,
    encode_accepted,
    encode_show,
)
from countertop.protocol.screens import FIRST_SCREEN, LAST_SCREEN, Screen
from countertop.protocol.session import CloseCode, GatewaySession, Violation

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
SendWhole = Callable[[str], bool]

WHOLE_MESSAGE: Final = "countertop.whole_message"
"""An ASGI extension of our server (`gateway.websocket`): a function that sends a text at once, and returns whether it did.

Without it, or if it did not, a message is sent as ASGI does: by a task, when the client has read enough of what came before.
"""
HELLO_SECONDS: Final = 5.0
"""How long a terminal may take to say `hello`."""
MOST_WAITING: Final = 32
"""Frames that may wait for a terminal that reads slowly."""
FRAMES: Final = 100.0
"""Frames of a terminal that are heard in a second, for long. A customer who acts at once leads to four frames a request."""
MOST_FRAMES: Final = 400.0
"""How many at once. Time is the event loop's, in seconds: the network's pace is not the clock's."""
SLACK: Final = 500
"""Milliseconds by which a terminal's idea of its deadline may be wrong before it is told better."""

_log = structlog.stdlib.get_logger(__name__)


class Gone(Exception):
    """The other end has closed the connection."""


class Pushed(NamedTuple):
    """The request that the terminal was last told to show, and when. `remaining` is what it was told, in milliseconds."""

    request_id: str
    kind: Kind
    remaining: int
    at: Instant


class Channel:
    """One connection of one terminal. Its `id` is time-ordered, so that of two the newer can be told.

    `screen` is what the terminal shows, as far as it has said; `on_screen` is called when that changes. `pushed` is the request
    that it should show, None if there is none or its end is known. Without the `fingerprint_key` of its merchant a terminal is
    shown no payment.
    """

    __slots__ = (
        "_begun",
        "_closed",
        "_frames",
        "_loop",
        "_on_screen",
        "_outbox",
        "_parts",
        "_receive",
        "_send",
        "_send_whole",
        "_sender",
        "_session",
        "fingerprint_key",
        "id",
        "pushed",
        "screen",
        "terminal_id",
        "welcomed",
    )

    def __init__(  # noqa: PLR0917 - the parts of an ASGI call, in its order
        self,
        terminal_id: str,
        parts: Parts,
        receive: Receive,
        send: Send,
        on_screen: Callable[[Channel], None],
        send_whole: SendWhole | None = None,
    ) -> None:
        self.id = parts.moment().new_id()
        self.terminal_id = terminal_id
        self.screen = Screen.IDLE
        self.pushed: Pushed | None = None
        self.fingerprint_key: bytes | None = None
        self._begun: str | None = None
        self._parts = parts
        self._receive = receive
        self._send = send
        self._send_whole = send_whole
        self._on_screen = on_screen
        self._loop = asyncio.get_running_loop()
        self._session = GatewaySession()
        self._frames = Bucket(FRAMES, MOST_FRAMES, self._loop.time())
        self._outbox: list[str] = []
        self._sender: asyncio.Task[None] | None = None
        self.welcomed = False
        self._closed = False

    # What the gateway says.

    def show(self, request_id: str, order: Order, remaining: int, *, card_taken: bool = False) -> None:
        """Tells the terminal to show a request."""
        if order.kind is Kind.PAYMENT:
            sealing = self._sealing()
            if sealing is None:
                _log.error("a payment cannot be shown without a processor", terminal=self.terminal_id)
                return
            frame = Show(request_id=request_id, order=order, remaining=remaining, sealing=sealing, card_taken=card_taken)
            text = encode(frame)
        else:
            text = encode_show(request_id, order, remaining)
        self.pushed = Pushed(request_id, order.kind, remaining, self._parts.clock.now())
        self._say(text)

    def decide(self, request_id: str, decided: PaymentDecided) -> None:
        """Tells the terminal what became of its payment."""
        self.say(
            Decided(
                request_id=request_id,
                approved=decided.approved,
                transaction_id=decided.transaction_id,
                total=decided.total,
                signature=decided.signature,
                receipt=decided.receipt,
            )
        )

    def clear(self, request_id: str) -> None:
        """Tells the terminal that a request has ended elsewhere."""
        if self.pushed is not None and self.pushed.request_id == request_id:
            self.pushed = None
        self.say(Clear(request_id=request_id))

    def say(self, frame: FromGateway) -> None:
        """Says a frame, as soon as the terminal has been welcomed and what was said before has gone out."""
        self._say(encode(frame))

    def _say(self, text: str) -> None:
        if self.welcomed and not self._outbox and not self._closed and self._send_whole and self._send_whole(text):
            return
        self._outbox.append(text)
        if len(self._outbox) > MOST_WAITING:
            self.close(CloseCode.SLOW, "frames are not read")
        elif self.welcomed and self._sender is None:
            self._sender = self._loop.create_task(self._speak())

    def close(self, code: int, reason: str) -> None:
        """Ends the connection. What waits is not said any more."""
        if self._closed:
            return
        self._closed = True
        self._outbox.clear()
        self._sender = self._loop.create_task(self._say_goodbye(code, reason))

    async def closed(self) -> None:
        """Returns when everything that was to be said has gone out or never will."""
        if self._sender is not None:
            await asyncio.wait([self._sender])

    def greet(self, hello: Hello, greeting: Greeting) -> None:
        """Welcomes the terminal, and brings its screen into step with what is so."""
        running = greeting.running
        waiting, self._outbox = self._outbox, []
        self.welcomed = True
        self._begun = hello.request_id
        self.say(Welcome(nick_name=greeting.nick_name, merchant=greeting.merchant_name, server=self._parts.server))
        if hello.request_id is not None and (running is None or running.request_id != hello.request_id):
            self.clear(hello.request_id)
        if running is not None:
            self.show(running.request_id, running.order, running.remaining, card_taken=running.card_taken)
        for text in waiting:  # what happened while the greeting was looked up
            self._say(text)

    # What the terminal says.

    async def first(self) -> Hello:
        """The terminal's `hello`. Raises Gone; Violation if it takes too long or something else comes."""
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                hello = await self._next()
        except TimeoutError:
            raise Violation(CloseCode.SILENT, "no hello came") from None
        if not isinstance(hello, Hello):
            raise Violation(CloseCode.ILLEGAL, "hello comes first")
        self.screen = hello.screen
        return hello

    async def converse(self) -> None:
        """Hears the terminal out until it goes. Raises Gone; Violation if it breaks the rules."""
        while True:
            frame = await self._next()
            try:
                await self._hear(frame)
            except Unavailable as trouble:
                # Nothing was changed and nothing is answered; the terminal says it again, or the sweep does.
                _log.warning("a frame could not be carried out", frame=frame.frame, reason=str(trouble))

    async def _next(self) -> FromTerminal:
        message = await self._receive()
        if message["type"] != "websocket.receive" or self._closed:
            raise Gone
        if wait := self._frames.borrow(self._loop.time()):
            await asyncio.sleep(wait)
        text = message.get("text")
        if text is None:
            raise Violation(CloseCode.ILLEGAL, "frames are text")
        return self._session.receive(text)

    async def _hear(self, frame: FromTerminal) -> None:
        match frame:
            case Shown(request_id=request_id):
                await self._hear_shown(request_id)
            case CardTaken():
                await self._hear_card(frame)
            case Finished():
                await self._hear_finished(frame)
            case ScreenChanged(screen=screen, request_id=request_id):
                self._note(screen)
                if screen is Screen.SWIPE_AGAIN and request_id is not None:
                    await self._extend(request_id)

    async def _hear_shown(self, request_id: str) -> None:
        pushed = self.pushed
        if pushed is not None and pushed.request_id == request_id != self._begun:
            self._begun = request_id
            self._note(FIRST_SCREEN[pushed.kind])
        try:
            remaining = await self._parts.store.jot(show_request, self._parts.moment(), self.terminal_id, request_id)
        except (TooLate, NotFound):
            self.clear(request_id)
            return
        if pushed is None or abs(remaining - pushed.remaining) > SLACK:
            self.say(Extended(request_id=request_id, remaining=remaining))

    async def _hear_card(self, frame: CardTaken) -> None:
        """The answer is the decision, which comes later; at once where nobody had to be asked, or it is known already."""
        facts = CardFacts(
            frame.brand, frame.last_four, Expiry(frame.expiry_year, frame.expiry_month), bytes.fromhex(frame.fingerprint)
        )
        taken = TakenCard(SealedCard(frame.sealed, facts, frame.entry), frame.tip, frame.network)
        try:
            decided = await self._parts.store.write(take_card, self._parts.moment(), self.terminal_id, frame.request_id, taken)
        except (TooLate, NotFound, Invalid) as refusal:
            self.say(Refused(request_id=frame.request_id, reason=str(refusal)))
            return
        if decided is not None:
            self.decide(frame.request_id, decided)

    async def _hear_finished(self, frame: Finished) -> None:
        request_id = frame.request_id
        if self.pushed is not None and self.pushed.request_id == request_id:
            self.pushed = None
        self._note(LAST_SCREEN.get(frame.outcome, Screen.IDLE))
        if isinstance(frame.result, CardRead) and not accepts(frame.result, self._parts.allowlist):
            _log.warning("a terminal reported a card that must not leave one", terminal=self.terminal_id)
            self.say(Refused(request_id=request_id, reason="this card is not one that may be reported"))
            return
        finish: Callable[..., object] = finish_payment if isinstance(frame.result, Paid) else finish_request
        try:
            await self._parts.store.jot(finish, self._parts.moment(), self.terminal_id, request_id, frame.outcome, frame.result)
        except (TooLate, NotFound) as refusal:
            self.say(Refused(request_id=request_id, reason=str(refusal)))
        else:
            self._say(encode_accepted(request_id))

    async def _extend(self, request_id: str) -> None:
        try:
            remaining = await self._parts.store.jot(extend_request, self._parts.moment(), self.terminal_id, request_id)
        except (TooLate, NotFound):
            return  # it has had its time
        self.say(Extended(request_id=request_id, remaining=remaining))

    def _sealing(self) -> Sealing | None:
        """What a payment card is sealed with at this terminal; None: nobody here takes payments."""
        acquirer = self._parts.acquirer
        if acquirer is None or self.fingerprint_key is None:
            return None
        return Sealing(key=acquirer.public_pem, fingerprint_key=base64.b64encode(self.fingerprint_key).decode())

    def _note(self, screen: Screen) -> None:
        if screen is not self.screen:
            self.screen = screen
            self._on_screen(self)

    # How it goes out.

    async def _speak(self) -> None:
        # One task a burst: what is added meanwhile goes out in the same order.
        try:
            while self._outbox and not self._closed:
                await self._send({"type": "websocket.send", "text": self._outbox[0]})
                del self._outbox[:1]
        except OSError:
            self._outbox.clear()  # the connection is lost; whoever reads it will find out
        finally:
            if not self._closed:
                self._sender = None

    async def _say_goodbye(self, code: int, reason: str) -> None:
        with contextlib.suppress(OSError):  # it was closed already
            await self._send({"type": "websocket.close", "code": code, "reason": reason})
