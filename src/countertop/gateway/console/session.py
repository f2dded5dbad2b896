"""Who is at the console: a cookie that the gateway sealed, so that any node can read it and none has to remember it."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from countertop.domain.clock import MINUTE, SECOND, Instant
from countertop.gateway.store.sealing import Broken, Sealer

LIFETIME: Final = 30 * MINUTE
_COOKIE: Final = "countertop-console"
_PURPOSE: Final = "console session"
_MOST: Final = 1024


@dataclass(frozen=True, slots=True)
class Operator:
    """A login that is at the console."""

    merchant_id: str
    login_id: str


def find_operator(request: Request, sealer: Sealer, now: Instant) -> Operator | None:
    """Who makes a request; None if nobody has logged in, or too long ago."""
    sealed = request.cookies.get(_COOKIE, "")
    if not sealed or len(sealed) > _MOST:
        return None
    try:
        merchant_id, login_id, expires = json.loads(sealer.unseal(base64.urlsafe_b64decode(sealed), _PURPOSE))
    except (Broken, binascii.Error, ValueError):
        return None
    return Operator(merchant_id, login_id) if now < expires else None


def let_in(response: Response, request: Request, sealer: Sealer, operator: Operator, now: Instant) -> None:
    """Lets an operator in for `LIFETIME`."""
    plain = json.dumps([operator.merchant_id, operator.login_id, now + LIFETIME]).encode()
    sealed = base64.urlsafe_b64encode(sealer.seal(plain, _PURPOSE)).decode()
    response.set_cookie(
        _COOKIE,
        sealed,
        max_age=LIFETIME // SECOND,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def let_out(response: Response) -> None:
    """Ends an operator's stay."""
    response.delete_cookie(_COOKIE, httponly=True, samesite="strict")
