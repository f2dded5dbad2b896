"""The device channel's frames and their codec: JSON text over a WebSocket, subprotocol `countertop.v1`.

What each frame means, and when it may be said, is in `protocol.session` and docs/reference/device-protocol.md.
Models are strict: an unknown field, a wrong type or a frame over the limit is illegal, closes the channel and touches no state.
No error of this module quotes what came: it may hold what was on a card.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from countertop.domain.card import Brand, Entry
from countertop.domain.errors import NotReadable
from countertop.domain.money import MAX_AMOUNT
from countertop.domain.order import Order
from countertop.domain.payment import Network
from countertop.domain.request import Outcome
from countertop.domain.result import Result
from countertop.domain.sealed_card import MAX_SEALED
from countertop.protocol.screens import Screen

SUBPROTOCOL: Final = "countertop.v1"
MAX_FRAME: Final = 64 * 1024
"""Largest frame in bytes of UTF-8. The largest legal one is a signature."""

MAX_EMAIL: Final = 254
"""Longest address that a receipt can be sent to, in characters (RFC 5321, section 4.5.3.1, without its brackets)."""

Uuid = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


_STRICT: Final = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class _Frame(BaseModel):
    model_config = _STRICT


# What the gateway says.


class Welcome(_Frame):
    """The answer to `hello`: who the terminal is. First frame of the gateway."""

    frame: Literal["welcome"] = "welcome"
    nick_name: str
    merchant: str
    server: Literal["test", "production"]


class Sealing(BaseModel):
    """What a terminal seals a payment card with: the processor's public key, PEM, and the key of its fingerprint, base64.

    The first is no secret. The second is: with it and the fingerprints that the gateway keeps, numbers could be tried out.
    """

    model_config = _STRICT

    key: str = Field(max_length=2_048, pattern=r"^-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+\n-----END PUBLIC KEY-----\n?$")
    fingerprint_key: str = Field(repr=False, pattern=r"^[A-Za-z0-9+/]{43}=$")


class Show(_Frame):
    """Show this request. Said again after a reconnect; a terminal that shows it already goes on as it was.

    `remaining` is how long the request may stay on the screen, in milliseconds. A payment, and nothing else, comes with
    `sealing`; `card_taken` says that the gateway has its card already.
    """

    frame: Literal["show"] = "show"
    request_id: Uuid
    order: Order
    remaining: int = Field(ge=0)
    sealing: Sealing | None = None
    card_taken: bool = False


class Clear(_Frame):
    """The request has ended elsewhere (`/main`, a newer request, its deadline): go back to the idle screen."""

    frame: Literal["clear"] = "clear"
    request_id: Uuid


class Extended(_Frame):
    """The customer has time anew: the request now stays `remaining` milliseconds."""

    frame: Literal["extended"] = "extended"
    request_id: Uuid
    remaining: int = Field(ge=0)


class Accepted(_Frame):
    """`finished` is durable; the terminal may forget it."""

    frame: Literal["accepted"] = "accepted"
    request_id: Uuid


class Refused(_Frame):
    """`finished` or `card` came too late or does not fit, and changed nothing; the terminal may forget it."""

    frame: Literal["refused"] = "refused"
    request_id: Uuid
    reason: str


class Decided(_Frame):
    """The answer to `card`: what became of the payment. Said again after a reconnect, for as long as the request runs.

    `total` is in cents. `signature` and `receipt` say what the customer is to be asked for next.
    """

    frame: Literal["decided"] = "decided"
    request_id: Uuid
    approved: bool
    transaction_id: int = Field(ge=0)
    total: int = Field(ge=0)
    signature: bool
    receipt: bool


# What the terminal says.


class Hello(_Frame):
    """First frame of the terminal: its software, and the request it still shows or has an unanswered `finished` for."""

    frame: Literal["hello"] = "hello"
    software: str = Field(max_length=64)
    screen: Screen
    request_id: Uuid | None = None


class ScreenChanged(_Frame):
    """What the terminal shows now. `SWIPE_AGAIN` asks for time anew."""

    frame: Literal["screen"] = "screen"
    screen: Screen
    request_id: Uuid | None = None


class Shown(_Frame):
    """The request is on the screen and the terminal is armed for it."""

    frame: Literal["shown"] = "shown"
    request_id: Uuid


class CardTaken(_Frame):
    """The customer's payment card is in hand, sealed to its processor. Said again after a reconnect until it is answered.

    Beside what is `sealed` (a JWE in compact form) there is only what may be kept of a card. `tip` is in cents; `network` is
    there if the customer was asked for one.
    """

    frame: Literal["card"] = "card"
    request_id: Uuid
    sealed: str = Field(repr=False, max_length=MAX_SEALED, pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){4}$")
    brand: Brand
    last_four: str = Field(pattern=r"^[0-9]{4}$")
    expiry_year: int = Field(ge=2000, le=2099)
    expiry_month: int = Field(ge=1, le=12)
    fingerprint: str = Field(repr=False, pattern=r"^[0-9a-f]{64}$")
    entry: Entry
    tip: int = Field(default=0, ge=0, le=MAX_AMOUNT)
    network: Network | None = None


class Finished(_Frame):
    """The request ended at the terminal. Said again after a reconnect until it is answered."""

    frame: Literal["finished"] = "finished"
    request_id: Uuid
    outcome: Outcome
    result: Result | None = Field(default=None, repr=False)


FromGateway = Annotated[Welcome | Show | Clear | Extended | Accepted | Refused | Decided, Field(discriminator="frame")]
FromTerminal = Annotated[Hello | ScreenChanged | Shown | CardTaken | Finished, Field(discriminator="frame")]

_F = TypeVar("_F")

_FROM_GATEWAY: TypeAdapter[FromGateway] = TypeAdapter(FromGateway)
_FROM_TERMINAL: TypeAdapter[FromTerminal] = TypeAdapter(FromTerminal)


def encode(frame: FromGateway | FromTerminal) -> str:
    """A frame as the text of one WebSocket message."""
    return frame.model_dump_json()


def encode_show(request_id: str, order: Order, remaining: int) -> str:
    """The text of `Show` for an order that is no payment: the same each time but for the id, which has to be one of ours."""
    before, after = _around_id(order, remaining)
    return f"{before}{request_id}{after}"


def encode_accepted(request_id: str) -> str:
    """The text of `Accepted`, in the same way."""
    return _ACCEPTED.replace(_NO_ID, request_id)


_NO_ID: Final = "00000000-0000-0000-0000-000000000000"
_ACCEPTED: Final = encode(Accepted(request_id=_NO_ID))


@lru_cache(maxsize=256)
def _around_id(order: Order, remaining: int) -> tuple[str, str]:
    before, _, after = encode(Show(request_id=_NO_ID, order=order, remaining=remaining)).partition(_NO_ID)
    return before, after


def decode_from_gateway(text: str) -> FromGateway:
    """What a gateway said. Raises NotReadable if it is not a legal frame."""
    return _decode(_FROM_GATEWAY, text)


def decode_from_terminal(text: str) -> FromTerminal:
    """What a terminal said. Raises NotReadable if it is not a legal frame."""
    return _decode(_FROM_TERMINAL, text)


def _decode(adapter: TypeAdapter[_F], text: str) -> _F:
    if len(text) > MAX_FRAME:
        raise NotReadable("the frame is too long")
    try:
        return adapter.validate_json(text)
    except ValidationError as error:
        reasons = sorted({fault["type"] for fault in error.errors(include_url=False, include_context=False, include_input=False)})
        raise NotReadable(f"not a legal frame: {', '.join(reasons)}") from None
