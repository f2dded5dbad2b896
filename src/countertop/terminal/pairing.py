"""How a terminal gets its token: it shows a code, an operator confirms it in the console (RFC 8628, the device's side)."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import segno

from countertop.domain.clock import MINUTE, SECOND, Clock
from countertop.terminal.view import Pairing

AUTHORIZATION: Final = "/terminal/device_authorization"
TOKEN: Final = "/terminal/token"  # noqa: S105 - a path
GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
SLOWER: Final = 5 * SECOND
"""What `slow_down` adds to the time between two polls (RFC 8628, section 3.5)."""
TRY_AGAIN: Final = 5 * SECOND
DENIED: Final = MINUTE
"""How long a terminal that was denied waits before it shows a new code."""

_PATIENCE: Final = aiohttp.ClientTimeout(total=15)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Grant:
    """The gateway's answer to the wish to be paired. `interval` and `lifetime` are milliseconds."""

    device_code: str = field(repr=False)
    user_code: str
    address: str
    address_with_code: str
    interval: int
    lifetime: int


async def obtain_token(gateway: str, session: aiohttp.ClientSession, clock: Clock, show: Callable[[Pairing | None], None]) -> str:
    """A token, however long it takes. `show` is given each code to show; None when it is not valid any more."""
    while True:
        grant = await _ask_for_grant(gateway, session)
        if grant is None:
            await clock.sleep_until(clock.now() + TRY_AGAIN)
            continue
        show(Pairing(grant.user_code, grant.address, draw_qr(grant.address_with_code)))
        token = await _wait_for_token(gateway, session, clock, grant, show)
        if token is not None:
            return token


async def _wait_for_token(
    gateway: str,
    session: aiohttp.ClientSession,
    clock: Clock,
    grant: _Grant,
    show: Callable[[Pairing | None], None],
) -> str | None:
    """The token; None when this grant will give none."""
    interval, expires = grant.interval, clock.now() + grant.lifetime
    form = {"grant_type": GRANT, "device_code": grant.device_code, "client_id": "countertop-terminal"}
    while clock.now() < expires:
        await clock.sleep_until(clock.now() + interval)
        answer = await _post(session, gateway + TOKEN, form)
        token = answer.get("access_token")
        if isinstance(token, str):
            return token
        match answer.get("error"):
            case "slow_down":
                interval += SLOWER
            case "expired_token":
                break
            case "access_denied":
                show(None)
                logger.info("the operator turned this terminal away")
                await clock.sleep_until(clock.now() + DENIED)
                return None
    show(None)
    return None


async def _ask_for_grant(gateway: str, session: aiohttp.ClientSession) -> _Grant | None:
    answer = await _post(session, gateway + AUTHORIZATION, {"client_id": "countertop-terminal"})
    try:
        return _Grant(
            str(answer["device_code"]),
            str(answer["user_code"]),
            str(answer["verification_uri"]),
            str(answer["verification_uri_complete"]),
            int(answer.get("interval", 5)) * SECOND,
            int(answer["expires_in"]) * SECOND,
        )
    except (KeyError, ValueError, TypeError):
        return None


async def _post(session: aiohttp.ClientSession, url: str, form: Mapping[str, str]) -> Mapping[str, Any]:
    """What the gateway answers; nothing if it does not, or not with JSON."""
    try:
        async with session.post(url, data=form, timeout=_PATIENCE, allow_redirects=False) as response:
            answer = await response.json()
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        logger.info("no answer while pairing: %s", type(error).__name__)
        return {}
    return answer if isinstance(answer, dict) else {}


def draw_qr(text: str) -> str:
    """A QR code as an SVG element that fills its place: black on white whatever is around it, as cameras want it."""
    picture = io.BytesIO()
    segno.make(text, error="m").save(picture, kind="svg", xmldecl=False, omitsize=True, dark="#000", light="#fff", nl=False)
    return picture.getvalue().decode()


def save_token(path: Path, token: str) -> None:
    """Keeps the token where only this user can read it (mode 0600), whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def load_token(path: Path) -> str | None:
    """The token that was kept; None if there is none."""
    try:
        return path.read_text(encoding="ascii").strip() or None
    except FileNotFoundError:
        return None
