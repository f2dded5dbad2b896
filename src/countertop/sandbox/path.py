"""The test server's own resources: a customer's hands, a terminal's plug, and the clock. Behind the same login as the API."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from countertop.domain.card import Entry
from countertop.domain.clock import DAY, SECOND, Instant
from countertop.domain.errors import NotFound
from countertop.gateway.http.answer import Answer
from countertop.gateway.http.call import Call
from countertop.gateway.http.form import Form, Reader
from countertop.gateway.http.route import Handler, Route
from countertop.gateway.wire.instant import to_the_millisecond
from countertop.gateway.wire.json import write
from countertop.sandbox.customer import present_card, sign, type_text
from countertop.sandbox.virtual import VirtualTerminals, online
from countertop.terminal.agent import Agent
from countertop.terminal.view import Key, View

RECONNECT: Final = 5.0
"""Seconds that a plugged-in terminal gets to connect."""


class ScreenBody(TypedDict):
    """What a virtual terminal shows."""

    screen: str
    lines: list[str]
    buttons: list[str]
    online: bool
    requestId: NotRequired[str]


class TimeBody(TypedDict):
    """What time it is on this server."""

    now: str


class SwipeForm(Form):
    """A card through the slot."""

    stripe: Annotated[str, Field(max_length=1024, description="What a reader would type, sentinels included")]


class PressForm(Form):
    """A key."""

    key: Annotated[Key, Field(description="The red X is CANCEL, the yellow < CLEAR, the green O ENTER")]


class TypeForm(Form):
    """Keys, then ENTER."""

    text: Annotated[str, Field(max_length=64, pattern="^[0-9]*$", description="Digits")]


class CardForm(Form):
    """A payment card."""

    number: Annotated[str, Field(pattern="^[0-9]{12,19}$", description="Its number; it is good until 12/2049, its code is 999")]
    entry: Annotated[Entry, Field(description="How it comes in")] = Entry.CHIP


class AdvanceForm(Form):
    """How far to put the clock forward."""

    seconds: Annotated[float, Field(gt=0, le=366 * DAY / SECOND, allow_inf_nan=False)]


_SWIPE: Final = Reader(SwipeForm, "field")
_PRESS: Final = Reader(PressForm, "field")
_TYPE: Final = Reader(TypeForm, "field")
_CARD: Final = Reader(CardForm, "field")
_ADVANCE: Final = Reader(AdvanceForm, "field")


class TestPaths:
    """The resources below `/test`. `advance` puts the clock forward by milliseconds and returns once what is due has happened."""

    __test__ = False

    def __init__(self, terminals: VirtualTerminals, advance: Callable[[int], Awaitable[Instant]]) -> None:
        self._terminals = terminals
        self._advance = advance

    def routes(self) -> list[Route]:
        """All of them."""
        one = "/test/smartterminals/{smartTerminalId}"
        missing = (404,)

        def act(name: str, handle: Handler, summary: str, form: Reader[Any] | None = None) -> Route:
            return Route("POST", f"{one}/{name}", handle, summary, answer=ScreenBody, form=form, statuses=missing)

        return [
            Route("GET", f"{one}/screen", self.screen, "What a virtual terminal shows", answer=ScreenBody, statuses=missing),
            act("swipe", self.swipe, "Swipe a card", _SWIPE),
            act("press", self.press, "Press a key", _PRESS),
            act("type", self.type, "Type, then press ENTER", _TYPE),
            act("sign", self.sign, "Sign, then press ENTER"),
            act("card", self.card, "Insert, tap, swipe or type a payment card", _CARD),
            act("unplug", self.unplug, "Cut the terminal's connection"),
            act("plug", self.plug, "Let the terminal connect again"),
            Route("POST", "/test/clock/advance", self.advance, "Put the clock forward", answer=TimeBody, form=_ADVANCE),
        ]

    async def screen(self, call: Call) -> Answer:
        """`GET …/screen`."""
        return _shown(self._agent(call))

    async def swipe(self, call: Call) -> Answer:
        """`POST …/swipe`."""
        agent = self._agent(call)
        agent.swipe(_SWIPE.read(call.form()).stripe)
        return _shown(agent)

    async def press(self, call: Call) -> Answer:
        """`POST …/press`."""
        agent = self._agent(call)
        agent.press(_PRESS.read(call.form()).key)
        return _shown(agent)

    async def type(self, call: Call) -> Answer:
        """`POST …/type`."""
        agent = self._agent(call)
        type_text(agent, _TYPE.read(call.form()).text)
        return _shown(agent)

    async def sign(self, call: Call) -> Answer:
        """`POST …/sign`."""
        agent = self._agent(call)
        sign(agent)
        return _shown(agent)

    async def card(self, call: Call) -> Answer:
        """`POST …/card`."""
        agent = self._agent(call)
        form = _CARD.read(call.form())
        present_card(agent, form.number, form.entry)
        return _shown(agent)

    async def unplug(self, call: Call) -> Answer:
        """`POST …/unplug`."""
        agent = self._agent(call)
        await agent.unplug()
        return _shown(agent)

    async def plug(self, call: Call) -> Answer:
        """`POST …/plug`; returns when the terminal is connected, or could not connect in time."""
        agent = self._agent(call)
        agent.plug()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RECONNECT):
                await online(agent)
        return _shown(agent)

    async def advance(self, call: Call) -> Answer:
        """`POST /test/clock/advance`."""
        seconds = _ADVANCE.read(call.form()).seconds
        now = await self._advance(round(seconds * SECOND))
        body: TimeBody = {"now": to_the_millisecond(now)}
        return Answer(200, write(body))

    def _agent(self, call: Call) -> Agent:
        agent = self._terminals.find_of(call.caller.merchant_id, call.uuid())
        if agent is None:
            raise NotFound("no such virtual terminal")
        return agent


def _shown(agent: Agent) -> Answer:
    return Answer(200, write(screen_body(agent.view)))


def screen_body(view: View) -> ScreenBody:
    """A view as the wire has it."""
    body: ScreenBody = {
        "screen": view.screen.value,
        "lines": [view.headline, *view.lines],
        "buttons": [button.label for button in view.buttons],
        "online": view.online,
    }
    if view.request_id is not None:
        body["requestId"] = view.request_id
    return body
