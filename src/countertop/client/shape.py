"""What a server says, as typed values. Members that are not known are ignored, those that a release does not have are None."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Generic, Literal, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from countertop.client.errors import BadAnswer
from countertop.domain.errors import Fault

T = TypeVar("T")
S = TypeVar("S", bound="Shape")


class Shape(BaseModel):
    """An object of the wire: `nickName` there is `nick_name` here."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, extra="ignore")


class Surcharge(Shape):
    """Whether payments are surcharged, and if so by how many percent."""

    enabled: bool
    percentage: Decimal | None = None


class Terminal(Shape):
    """A merchant account, on which requests are booked."""

    terminal_id: int
    nick_name: str = Field(validation_alias=AliasChoices("nickName", "nickname"))
    type: str
    enabled: bool
    account_id: str | None = None
    company_legal: str | None = None
    company_dba: str | None = None
    merchant_number: str | None = None
    surcharge: Surcharge | None = None


class SmartTerminal(Shape):
    """A device on a counter. The last three are known from release 2026-12-01 on."""

    smart_terminal_id: str
    serial_number: str | None = None
    nick_name: str
    created: datetime
    online: bool | None = None
    screen: str | None = None
    last_seen: datetime | None = None


class Webhook(Shape):
    """A subscription. Its secret is never told."""

    webhook_id: str
    events: tuple[str, ...]
    url: str
    created: datetime


class Page(Shape, Generic[T]):
    """A part of a list, with the address of the next."""

    next: str | None = None
    results: tuple[T, ...]


class StartedBody(Shape):
    """The id of a request that has begun."""

    request_id: str = Field(validation_alias=AliasChoices("requestId", "requestPaymentId"))


class StatusBody(Shape):
    """Where a request is, and what came of it."""

    status: str
    outcome: str | None = None
    track_data: str | None = Field(None, repr=False)
    track1: str | None = Field(None, repr=False)
    track2: str | None = Field(None, repr=False)
    prompt_button: str | None = None
    input: str | None = Field(None, repr=False)
    signature_id: str | None = None
    transaction_id: int | None = None


class ErrorEntry(Shape):
    """One thing that is wrong."""

    message: str
    parameter: str | None = None
    type: str | None = None

    def fault(self) -> Fault | None:
        """It as a fault of a parameter; None if it is about none."""
        kind: Literal["required", "invalid"] = "required" if self.type == "required" else "invalid"
        return None if self.parameter is None else Fault(self.parameter, kind, self.message)


class ErrorBody(Shape):
    """Everything that is wrong."""

    errors: tuple[ErrorEntry, ...] = ()


def parse(shape: type[S], body: bytes) -> S:
    """A body as a value of this shape. Raises BadAnswer."""
    try:
        return shape.model_validate_json(body)
    except ValidationError:
        # The library's own error repeats what it was given, which may be what was on a card.
        raise BadAnswer(f"what came is no {shape.__name__}") from None
