"""Smart Terminals: which there are, what they are asked to do, back to the idle screen."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints

from countertop.domain.errors import Invalid, TooLate
from countertop.domain.order import InputOrder, Kind, Order, PromptOrder, ReadOrder, SignatureOrder
from countertop.domain.releases import BUSY, Release
from countertop.gateway.http.answer import NO_CONTENT, Answer, Pending
from countertop.gateway.http.call import Call
from countertop.gateway.http.error import Problem, failure
from countertop.gateway.http.form import Boolean, Form, LongText, Number, Reader, Values, parse
from countertop.gateway.http.idempotency import Once
from countertop.gateway.http.page import PAGE, page_answer, page_of
from countertop.gateway.http.parts import ApiParts
from countertop.gateway.http.route import Handler, Route
from countertop.gateway.operations.request import StartRequest, check_target, press_main, start_request
from countertop.gateway.operations.terminal import list_smart_terminals
from countertop.gateway.wire.page import PageBody
from countertop.gateway.wire.request import StartedBody, started_body
from countertop.gateway.wire.smart_terminal import SmartTerminalBody, smart_terminal_body

MOST_SHORT: Final = 256
"""Short forms that are remembered for each kind of request."""

ButtonLabel = Annotated[str, StringConstraints(max_length=8, pattern=r"^[^\x00-\x1F\x7F]*[^\x00-\x20\x7F][^\x00-\x1F\x7F]*$")]
"""One line with something to see on it."""


class TargetForm(Form):
    """What every request has: the merchant account that it is for, and what becomes of a request that runs."""

    terminal_id: Annotated[Number, Field(alias="terminalId", description="The merchant account, see `GET /terminals`")]
    interrupt_busy_terminal: Annotated[
        Boolean,
        Field(
            alias="interruptBusyTerminal",
            description="Before release 2018-06-19: `false` ends the request as `BUSY` instead of interrupting what runs",
        ),
    ] = True

    def interrupts(self, release: Release) -> bool:
        """Whether it ends what runs on a busy terminal."""
        return release < BUSY and self.interrupt_busy_terminal


class RequestForm(TargetForm):
    """A request that is no payment."""

    def order(self) -> Order:
        """What the terminal is asked to do."""
        return _READ


class ReadForm(RequestForm):
    """Read the stripe of a non-financial card."""


class PromptForm(RequestForm):
    """Show a text; the customer presses one of the buttons."""

    text: Annotated[LongText, Field(description="Plain text; a line feed, or the two characters `\\n`, begins a new line")]
    buttons: Annotated[
        tuple[ButtonLabel, ...],
        Field(alias="buttons[]", min_length=1, max_length=3, description="The labels in the order shown"),
    ]

    def order(self) -> Order:
        """A prompt, its line ends made one kind."""
        return PromptOrder(_lines(self.text).replace("\\n", "\n"), self.buttons)


class InputForm(RequestForm):
    """Let the customer type a phone number of the US."""

    type: Annotated[Literal["PHONE"], Field(description="What is asked for")]

    def order(self) -> Order:
        """An input of the form asked for."""
        return InputOrder(self.type)


class SignatureForm(RequestForm):
    """Show terms; the customer signs below them."""

    terms: Annotated[LongText, Field(description="Plain text")]

    def order(self) -> Order:
        """A signature below the terms."""
        return SignatureOrder(_lines(self.terms))


_READ: Final = ReadOrder()
_LINE_END: Final = re.compile(r"\r\n?")


def _lines(text: str) -> str:
    return _LINE_END.sub("\n", text) if "\r" in text else text


_TARGET: Final = Reader(TargetForm, "field")
_READ_FORM: Final = Reader(ReadForm, "field")
_PROMPT_FORM: Final = Reader(PromptForm, "field")
_INPUT_FORM: Final = Reader(InputForm, "field")
_SIGNATURE_FORM: Final = Reader(SignatureForm, "field")


class SmartTerminals:
    """The resources below `/smartterminals` that are about a device."""

    def __init__(self, parts: ApiParts, once: Once) -> None:
        self._parts = parts
        self._once = once

    def routes(self) -> list[Route]:
        """All of them."""
        one = "/smartterminals/{smartTerminalId}"
        return [
            Route(
                "GET",
                "/smartterminals",
                self.list_all,
                "List Smart Terminals",
                answer=PageBody[SmartTerminalBody],
                query=PAGE,
            ),
            self._request(f"{one}/request-read", "Read a non-financial card", Kind.READ, _READ_FORM),
            self._request(f"{one}/request-prompt", "Ask with buttons", Kind.PROMPT, _PROMPT_FORM),
            self._request(f"{one}/request-input", "Ask for a phone number", Kind.INPUT, _INPUT_FORM),
            self._request(f"{one}/request-signature", "Ask for a signature", Kind.SIGNATURE, _SIGNATURE_FORM),
            Route("POST", f"{one}/main", self.main, "Back to the idle screen; what runs ends without a result", statuses=(404,)),
        ]

    def _request(self, path: str, summary: str, kind: Kind, reader: Reader[Any]) -> Route:
        return Route("POST", path, self._starter(kind, reader), summary, answer=StartedBody, form=reader, statuses=(404,))

    async def list_all(self, call: Call) -> Answer:
        """`GET /smartterminals`."""
        page = page_of(call)
        caller = call.caller
        found = await self._parts.store.read(
            list_smart_terminals, self._parts.clock.now(), caller.merchant_id, page.offset, page.limit + 1
        )
        return page_answer(
            call,
            page,
            [
                smart_terminal_body(
                    caller.release,
                    smart_terminal_id=terminal.id,
                    serial_number=terminal.serial_number,
                    nick_name=terminal.nick_name,
                    created=terminal.created,
                    online=terminal.online,
                    screen=terminal.screen,
                    last_seen=terminal.last_seen,
                )
                for terminal in found
            ],
        )

    async def main(self, call: Call) -> Answer:
        """`POST …/main`."""
        try:
            return await self._once.write(call, {}, _nothing, press_main, call.caller, call.uuid())
        except TooLate as late:
            raise Problem(failure(400, str(late))) from None

    def _starter(self, kind: Kind, reader: Reader[Any]) -> Handler:
        def started(request_id: str) -> Answer:
            return Answer(200, started_body(kind, request_id))

        def read(values: Values) -> tuple[Values, RequestForm]:
            return values, reader.read(values)

        # A point of sale sends the same again and again.
        read_short = lru_cache(maxsize=MOST_SHORT)(lambda body: read(parse(body)))

        def start(call: Call) -> Pending | Awaitable[Answer]:
            smart_terminal_id = call.uuid()
            try:
                values, form = call.short_form(read_short) or read(call.form())
            except Invalid as invalid:
                return self._refuse(call, call.form(), invalid)
            command = StartRequest(
                smart_terminal_id=smart_terminal_id,
                terminal_id=form.terminal_id,
                order=form.order(),
                interrupt=form.interrupts(call.caller.release),
                connect_deadline=self._parts.connect_deadline,
                request_deadline=self._parts.request_deadline,
            )
            return self._once.write(call, values, started, start_request, call.caller, command)

        return start

    async def _refuse(self, call: Call, values: Values, invalid: Invalid) -> Answer:
        raise await with_target(self._parts, call, values, invalid)


async def with_target(parts: ApiParts, call: Call, values: Values, invalid: Invalid) -> Invalid:
    """The faults of a form, and that of its terminal, which only the store knows. Raises NotFound."""
    form, _ = _TARGET.examine({name: sent for name, sent in values.items() if name == "terminalId"})
    terminal_id = None if form is None else form.terminal_id
    target = await parts.store.peek(check_target, call.caller, call.uuid(), terminal_id)
    return Invalid([*invalid.faults, *target])


def _nothing(_: object) -> Answer:
    return NO_CONTENT
