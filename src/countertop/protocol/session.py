"""What may be said when on the device channel, for both its ends. Sans-I/O: text in, frames out, and the other way round.

    terminal                         gateway
    hello            ─────────▶
                     ◀─────────      welcome
                     ◀─────────      show
    shown            ─────────▶
                     ◀─────────      extended          if the time differs from what `show` said
    screen           ─────────▶                        any time its screen changes
    card             ─────────▶                        a payment only
                     ◀─────────      decided, refused
    finished         ─────────▶
                     ◀─────────      accepted, refused

A session belongs to one connection. What breaks its rules raises `Violation`, with the close code and the reason to close the
channel with; nothing of what came is in either. docs/reference/device-protocol.md is this table in prose.
"""

from __future__ import annotations

from enum import IntEnum

from countertop.domain.errors import CountertopError, NotReadable
from countertop.domain.order import PaymentOrder
from countertop.domain.request import AT_THE_TERMINAL, WITH_RESULT
from countertop.domain.result import Paid
from countertop.domain.sealed_card import read_key
from countertop.protocol.frames import (
    MAX_EMAIL,
    Finished,
    FromGateway,
    FromTerminal,
    Hello,
    Show,
    Welcome,
    decode_from_gateway,
    decode_from_terminal,
)


class CloseCode(IntEnum):
    """Why a channel was closed, beyond what WebSocket itself knows (RFC 6455, section 7.4.2: 4000 to 4999 are private)."""

    ILLEGAL = 4000
    """A frame that is not legal, or not then."""
    REPLACED = 4001
    """The same terminal has connected anew."""
    SILENT = 4002
    """No `hello` in time."""
    FLOOD = 4003
    """Pings, pongs or fragments came faster than a terminal has reason to send them."""
    SLOW = 4004
    """Frames pile up because the other end does not read them."""
    STOPPING = 1012
    """The gateway stops or restarts; connect again."""


class Violation(CountertopError):
    """The other end broke the rules."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class GatewaySession:
    """The gateway's end: `hello` comes first and once, then the rest in any order."""

    __slots__ = ("greeted",)

    def __init__(self) -> None:
        self.greeted = False

    def receive(self, text: str) -> FromTerminal:
        """What the terminal says. Raises Violation."""
        try:
            frame = decode_from_terminal(text)
        except NotReadable as error:
            raise Violation(CloseCode.ILLEGAL, str(error)) from None
        if isinstance(frame, Hello) is self.greeted:
            raise Violation(CloseCode.ILLEGAL, "hello comes first, and once")
        self.greeted = True
        if isinstance(frame, Finished):
            _check_ending(frame)
        return frame


class TerminalSession:
    """The terminal's end: `welcome` comes first and once, then the rest in any order."""

    __slots__ = ("welcomed",)

    def __init__(self) -> None:
        self.welcomed = False

    def receive(self, text: str) -> FromGateway:
        """What the gateway says. Raises Violation."""
        try:
            frame = decode_from_gateway(text)
        except NotReadable as error:
            raise Violation(CloseCode.ILLEGAL, str(error)) from None
        if isinstance(frame, Welcome) is self.welcomed:
            raise Violation(CloseCode.ILLEGAL, "welcome comes first, and once")
        self.welcomed = True
        if isinstance(frame, Show):
            _check_sealing(frame)
        return frame


def _check_ending(frame: Finished) -> None:
    """Outcome and result belong together: a result exactly where the outcome has one, and of a kind that can end so."""
    kinds = AT_THE_TERMINAL.get(frame.outcome)
    if kinds is None:
        raise Violation(CloseCode.ILLEGAL, "an outcome that is not a terminal's to decide")
    if (frame.result is not None) is not (frame.outcome in WITH_RESULT):
        raise Violation(CloseCode.ILLEGAL, "an outcome without its result, or a result without its outcome")
    if frame.result is not None and frame.result.kind not in kinds:
        raise Violation(CloseCode.ILLEGAL, "a result of another kind than its outcome")
    if isinstance(frame.result, Paid) and len(frame.result.receipt_email or "") > MAX_EMAIL:
        raise Violation(CloseCode.ILLEGAL, "an address that is too long")


def _check_sealing(frame: Show) -> None:
    """A payment comes with keys that its card can be sealed with, anything else without; else a card would be taken in vain."""
    if isinstance(frame.order, PaymentOrder) is not (frame.sealing is not None):
        raise Violation(CloseCode.ILLEGAL, "a payment without its keys, or keys without a payment")
    if frame.sealing is not None:
        try:
            read_key(frame.sealing.key.encode())
        except NotReadable:
            raise Violation(CloseCode.ILLEGAL, "a key that no card can be sealed with") from None
