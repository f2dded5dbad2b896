"""How a new terminal gets its token: the device grant of RFC 8628, the terminal's side of it.

The operator's side is the console's page at `VERIFICATION`.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from countertop.domain.clock import SECOND
from countertop.domain.errors import LimitReached, NotReadable
from countertop.gateway.attempt import Attempts, origin_of
from countertop.gateway.devices.parts import Parts
from countertop.gateway.operations.pairing import INTERVAL, LIFETIME, Redeemed, Redemption, redeem_pairing, start_pairing
from countertop.gateway.small_form import read_small_form
from countertop.gateway.store.trouble import Unavailable

AUTHORIZATION: Final = "/terminal/device_authorization"
TOKEN: Final = "/terminal/token"  # noqa: S105 - a path
VERIFICATION: Final = "/pair"
GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
STARTS_A_MINUTE: Final = 20
"""Pairings that one address may begin in a minute."""

_HEADERS: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class PairingEndpoints:
    """The two endpoints that a terminal talks to while it is being paired."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._starts = Attempts(STARTS_A_MINUTE)

    def routes(self) -> list[BaseRoute]:
        """What to mount."""
        return [
            Route(AUTHORIZATION, self.authorize, methods=["POST"]),
            Route(TOKEN, self.grant, methods=["POST"]),
        ]

    async def authorize(self, request: Request) -> JSONResponse:
        """Begins a pairing (RFC 8628, sections 3.1 and 3.2)."""
        origin = origin_of(request.client.host) if request.client else ""
        if not self._starts.allow(origin, self._parts.clock.now()):
            return _busy(429)
        try:
            pairing = await self._parts.store.write(start_pairing, self._parts.moment())
        except LimitReached:
            return _busy(429)
        except Unavailable:
            return _busy(503)
        page = str(request.url.replace(path=VERIFICATION, query=""))
        return JSONResponse(
            {
                "device_code": pairing.device_code,
                "user_code": pairing.user_code,
                "verification_uri": page,
                "verification_uri_complete": f"{page}?user_code={pairing.user_code}",
                "expires_in": LIFETIME // SECOND,
                "interval": INTERVAL // SECOND,
            },
            headers=_HEADERS,
        )

    async def grant(self, request: Request) -> JSONResponse:
        """Answers a terminal that asks whether it has been confirmed (RFC 8628, sections 3.4 and 3.5)."""
        try:
            form = await read_small_form(request)
        except NotReadable:
            return _refusal("invalid_request")
        if form.get("grant_type") != GRANT:
            return _refusal("unsupported_grant_type" if "grant_type" in form else "invalid_request")
        if not form.get("device_code"):
            return _refusal("invalid_request")
        try:
            redeemed = await self._parts.store.write(redeem_pairing, self._parts.moment(), form["device_code"])
        except Unavailable:
            return _busy(503)
        return _granted(redeemed)


def _granted(redeemed: Redeemed) -> JSONResponse:
    if redeemed.what is not Redemption.PAIRED:
        return _refusal(redeemed.what.value)
    return JSONResponse(
        {"access_token": redeemed.token, "token_type": "Bearer", "smart_terminal_id": redeemed.smart_terminal_id},
        headers=_HEADERS,
    )


def _refusal(error: str) -> JSONResponse:
    return JSONResponse({"error": error}, 400, headers=_HEADERS)


def _busy(status: int) -> JSONResponse:
    return JSONResponse({"error": "temporarily_unavailable"}, status, headers=_HEADERS | {"Retry-After": "10"})
