"""Telling a genuine webhook from any other POST."""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import Field, ValidationError

from countertop.client.ended import Ended, Result, read_end
from countertop.client.errors import BadAnswer, NotGenuine
from countertop.client.shape import Shape, StatusBody, parse
from countertop.domain.webhook import sign, sign_standard, standard_key

TOLERANCE_S: Final = 300
"""How old a delivery may be, and how far ahead of ours its sender's clock, in seconds."""

_SECONDS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_REQUEST: Final = "SMARTTERMINAL_REQUEST"


class Event(Shape):
    """What a webhook tells. `id` is the same each time the event is delivered; `data` is as it came."""

    id: str
    created: datetime
    type: str
    data: dict[str, Any] = Field(repr=False)

    def ended(self) -> Ended[Result] | None:
        """How a Smart Terminal request ended; None if this event tells of no such end. Raises BadAnswer."""
        if self.type != _REQUEST:
            return None
        try:
            return read_end(str(self.data.get("requestId", "")), StatusBody.model_validate(self.data))
        except ValidationError:
            raise BadAnswer("the event's data is not that of a request") from None


def verify_webhook(
    body: bytes,
    headers: Mapping[str, str],
    secret: str,
    *,
    tolerance_s: float = TOLERANCE_S,
    accept_untimed: bool = False,
    now: float | None = None,
) -> Event:
    """The event of a delivery that the holder of the subscription's secret has sent.

    `body` is the bytes as they came, `headers` those of the POST in any case. `webhook-signature` must hold and be no more than
    `tolerance_s` old; `X-Pj-Signature` must hold if it is there. A sender that knows only the latter is let in by
    `accept_untimed`: it covers no time, so that whoever saw a delivery can send it again, and ids that were dealt with have to be
    remembered. `now` is in seconds since 1970, by default the clock's.

    Raises NotGenuine; BadAnswer for a genuine body that is no event; ValueError for an empty secret.
    """
    if not secret:
        raise ValueError("without a secret no webhook can be told from another")
    sent = {name.lower(): value for name, value in headers.items()}
    vendor, standard = sent.get("x-pj-signature"), sent.get("webhook-signature")
    if vendor is not None and not _same(vendor, sign(secret, body)):
        raise NotGenuine("X-Pj-Signature does not hold")
    if standard is not None:
        _check_standard(sent, standard, body, secret, tolerance_s, time.time() if now is None else now)
    elif vendor is None or not accept_untimed:
        raise NotGenuine("there is no webhook-signature")
    return parse(Event, body)


def _check_standard(  # noqa: PLR0917 - what a signature is over, and by whom
    sent: Mapping[str, str], signatures: str, body: bytes, secret: str, tolerance_s: float, now: float
) -> None:
    """Raises NotGenuine."""
    timestamp, event_id = sent.get("webhook-timestamp", ""), sent.get("webhook-id", "")
    if _SECONDS.fullmatch(timestamp) is None or abs(now - int(timestamp)) > tolerance_s:
        raise NotGenuine("webhook-timestamp is missing, or too far from now")
    right = sign_standard(standard_key(secret), event_id, int(timestamp), body)
    # All are compared, whichever is right: how long it takes tells nothing.
    if not any([_same(signature, right) for signature in signatures.split(" ")[:16]]):  # noqa: C419
        raise NotGenuine("webhook-signature does not hold")


def _same(given: str, right: str) -> bool:
    """Whether two signatures are the same, in a time that does not tell how much of them is."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())
