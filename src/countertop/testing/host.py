"""A processor's host on a socket of this machine: the other end of `countertop.gateway.processors.iso8583`, for tests.

It opens sealed cards with its private key, decides as the test processor does, and keeps a book of what it holds and took. By the
amount it can be made to misbehave. Nothing here waits for a time: late answers are sent when `release_late` is called.

    async with HostSimulator(key, quirks={13_00: Quirk.SILENT}) as host:
        processor = Iso8583Processor(HostAddress("127.0.0.1", host.port))
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import TracebackType
from typing import Final, Self

from countertop.domain.amount import Amounts
from countertop.domain.card import PaymentCard
from countertop.domain.errors import NotReadable
from countertop.domain.intent import Action, Intent
from countertop.domain.money import Cents
from countertop.domain.response import APPROVED, AvsMode, Decision
from countertop.domain.sealed_card import SealingKey, open_card
from countertop.gateway.processors import message as iso
from countertop.gateway.processors.link import frame, receive
from countertop.sandbox.processor import CARD_NUMBER_INVALID, decide
from countertop.testing.listener import stop_accepting

_ACTIONS: Final = {"00": Action.CHARGE, "20": Action.REFUND, "38": Action.VERIFY}
_INVALID: Final = "12"
_NO_SUCH_ORIGINAL: Final = "25"


class Quirk(StrEnum):
    """How a host may misbehave when it is asked for an amount."""

    LOST = "the question never reaches the book, and no answer comes"
    SILENT = "it is done, and no answer comes"
    LATE = "it is done, and the answer waits for `release_late`"
    HANG_UP = "it is done, and the connection breaks instead of an answer"
    GARBLED = "it is done, and the answer is no message"
    OTHER_AMOUNT = "it is done, and the answer names another amount"


class State(StrEnum):
    """What became of a booking."""

    HELD = "held"
    TAKEN = "taken"
    GIVEN = "given"
    DECLINED = "declined"
    REVERSED = "reversed"


@dataclass(frozen=True, slots=True)
class Booking:
    """One intent in the host's book. `last_four` shows that the card was opened; no more of it is kept."""

    state: State
    amount: Cents
    last_four: str = ""


class HostSimulator:
    """The host. An async context manager: it listens inside."""

    def __init__(
        self,
        key: SealingKey,
        *,
        quirks: Mapping[Cents, Quirk] | None = None,
        deaf_to_reversals: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._key = key
        self._quirks = quirks or {}
        self._deaf_to_reversals = deaf_to_reversals
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None] | None] = set()
        self._late: list[tuple[asyncio.StreamWriter, bytes]] = []
        self._changed = asyncio.Condition()
        self.port = 0
        self.book: dict[int, Booking] = {}
        """Every intent that was heard of, by its number."""
        self.heard: Counter[str] = Counter()
        """How many messages came, by type; those about the connection by type and code: `0800 301`."""

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.leave()

    async def listen(self, listener: socket.socket | None = None) -> None:
        """Begins to listen, on a listener if there is one, on the same port as before if it did so before."""
        if listener is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)
        else:
            self._server = await asyncio.start_server(self._serve, sock=listener, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def leave(self) -> None:
        """Stops listening and cuts all connections. The book stays."""
        server, self._server = self._server, None
        if server is not None:
            await stop_accepting(server.sockets)
            server.close()
            self.cut()
            await asyncio.gather(*filter(None, self._serving))
            await server.wait_closed()

    def cut(self) -> None:
        """Cuts all connections, as a network does."""
        for writer in self._writers:
            writer.transport.abort()

    def release_late(self) -> None:
        """Sends the answers that were held back, the youngest first."""
        while self._late:
            writer, data = self._late.pop()
            writer.write(data)

    def ask_echo(self) -> None:
        """Asks whoever is connected for an echo; the answer is heard as `0810`."""
        for writer in self._writers:
            writer.write(frame({"t": "0800", "7": "0101000000", "11": "000001", "70": iso.ECHO}))

    async def until_heard(self, message_type: str, times: int = 1) -> None:
        """Returns once so many messages of a type have come and were dealt with."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.heard[message_type] >= times)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None:  # it was accepted, and the host has left since
            writer.transport.abort()
            return
        self._writers.add(writer)
        self._serving.add(asyncio.current_task())
        try:
            with contextlib.suppress(OSError, EOFError, NotReadable):
                while True:
                    await self._hear(await receive(reader), writer)
        finally:
            self._writers.discard(writer)
            self._serving.discard(asyncio.current_task())
            writer.close()

    async def _hear(self, message: iso.Message, writer: asyncio.StreamWriter) -> None:
        kind = message["t"]
        if kind == "0800":
            writer.write(frame(iso.answer(message, APPROVED)))
            kind = f"{kind} {message.get('70')}"
        elif kind in ("0400", "0401"):
            self._hear_reversal(message, writer)
        elif kind in ("0220", "0221"):
            writer.write(frame(iso.answer(message, self._capture(message))))
        elif kind in ("0100", "0200"):
            self._hear_question(message, writer)
        async with self._changed:
            self.heard[kind] += 1
            self._changed.notify_all()

    def _hear_question(self, message: iso.Message, writer: asyncio.StreamWriter) -> None:
        quirk = self._quirks.get(int(message["4"]))
        if quirk is Quirk.LOST:
            return
        data = frame(self._decide(message))
        if quirk is None:
            writer.write(data)
        elif quirk is Quirk.LATE:
            self._late.append((writer, data))
        elif quirk is Quirk.HANG_UP:
            writer.transport.abort()
        elif quirk is Quirk.GARBLED:
            writer.write(b"\x00\x04\xff\xff\xff\xff")
        elif quirk is Quirk.OTHER_AMOUNT:
            writer.write(frame({**iso.answer(message, APPROVED), "4": "000000000001"}))

    def _decide(self, message: iso.Message) -> iso.Message:
        """Decides, writes it into the book, and gives the answer."""
        number, amount = int(message["37"]), int(message["4"])
        if number in self.book:  # asked twice, or reversed before it came: never a second time
            return iso.answer(message, _INVALID)
        try:
            card, last_four = self._card(message)
            intent = _intent_of(message)
        except NotReadable:
            self.book[number] = Booking(State.DECLINED, amount)
            return iso.answer(message, CARD_NUMBER_INVALID)
        decision = decide(intent, card)
        self.book[number] = Booking(_state_after(message, decision), amount, last_four)
        extra = {"44": iso.findings(decision.avs, decision.cvv)}
        return iso.answer(message, decision.code, {**extra, "38": decision.approval_code} if decision.approval_code else extra)

    def _card(self, message: iso.Message) -> tuple[PaymentCard | None, str]:
        """The card of a question, or the last four digits of one that was seen before. Raises NotReadable if there is none."""
        original = self.book.get(int(message.get("60", "0")))
        if "48" in message or original is None or original.state is State.DECLINED:
            card = open_card(message.get("48", ""), self._key)
            return card, card.last_four
        return None, original.last_four

    def _capture(self, message: iso.Message) -> str:
        number, amount = int(message["37"]), int(message["4"])
        booking = self.book.get(number)
        if booking is None:
            return _NO_SUCH_ORIGINAL
        moved = State.GIVEN if _ACTIONS[message["3"][:2]] is Action.REFUND else State.TAKEN
        if booking == replace(booking, state=moved, amount=amount):
            return APPROVED  # said again
        if booking.state is not State.HELD or amount > booking.amount:
            return _INVALID
        self.book[number] = replace(booking, state=moved, amount=amount)
        return APPROVED

    def _hear_reversal(self, message: iso.Message, writer: asyncio.StreamWriter) -> None:
        number = int(message["37"])
        known = self.book.get(number)
        # A reversal of something unknown is remembered: what it reverses may still be under way.
        self.book[number] = replace(known or Booking(State.REVERSED, int(message["4"])), state=State.REVERSED)
        if self._deaf_to_reversals:
            self._deaf_to_reversals -= 1
            return
        writer.write(frame(iso.answer(message, APPROVED if known else _NO_SUCH_ORIGINAL)))


def _intent_of(message: iso.Message) -> Intent:
    """The question as the test processor takes it; the amount's parts are not in a message, so the total stands for the base."""
    mode, check_cvv, zip_code, address = iso.checks_of(message)
    return Intent(
        int(message["37"]),
        _ACTIONS[message["3"][:2]],
        Amounts(int(message["4"])),
        0,
        int(message["41"]),
        message["42"].strip(),
        hold=message["t"] == "0100",
        # A host says what it found; whether that declines is the gateway's business.
        avs=AvsMode.OFF if mode is AvsMode.OFF else AvsMode.BYPASS,
        billing_address=address,
        billing_zip=zip_code,
        check_cvv=check_cvv,
        original=int(message["60"]) if "60" in message else None,
    )


def _state_after(message: iso.Message, decision: Decision) -> State:
    if not decision.approved:
        return State.DECLINED
    if message["t"] == "0100":
        return State.HELD
    return State.GIVEN if _ACTIONS[message["3"][:2]] is Action.REFUND else State.TAKEN
