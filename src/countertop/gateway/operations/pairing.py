"""Pairing a terminal with a merchant: the device grant of RFC 8628.

The terminal shows a user code; an operator who is logged in confirms it for one of the merchant's Smart Terminals; the terminal,
which has been asking with its device code, is given its token. Only the SHA-256 of codes and tokens is kept.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from typing import Final

from countertop.domain.clock import MINUTE, SECOND, Instant
from countertop.domain.errors import LimitReached, NotFound
from countertop.domain.ids import RandomBytes
from countertop.gateway.operations.moment import Moment
from countertop.gateway.operations.terminal import find_smart_terminal, set_token
from countertop.gateway.store import pairing as rows
from countertop.gateway.store import terminal
from countertop.gateway.store.unit import Unit

LIFETIME: Final = 15 * MINUTE
"""How long a code can be confirmed, in ms."""
INTERVAL: Final = 5 * SECOND
"""How long a terminal waits between two polls, in ms."""
MAX_OPEN: Final = 1_000
"""How many pairings may wait at once: anybody may start one, so there is a ceiling."""

_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""What user codes are made of: no vowels, so no words; 20 ** 8 codes."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """What the terminal is given first. The device code is a secret, the user code is shown as `XXXX-XXXX`."""

    device_code: str = field(repr=False)
    user_code: str
    expires: Instant


class Redemption(Enum):
    """What becomes of a poll; the values are the error codes of RFC 8628, section 3.5."""

    PAIRED = "paired"
    PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    DENIED = "access_denied"
    EXPIRED = "expired_token"


@dataclass(frozen=True, slots=True)
class Redeemed:
    """The answer to a poll. Both are given if, and only if, it is PAIRED."""

    what: Redemption
    smart_terminal_id: str | None = None
    token: str | None = field(default=None, repr=False)


def start_pairing(unit: Unit, at: Moment) -> Pairing:
    """Begins a pairing. Raises LimitReached if too many wait already."""
    if (unit.one(rows.COUNT, now=at.now) or 0) >= MAX_OPEN:
        raise LimitReached("too many terminals are being paired")
    pairing = Pairing(_secret(at.random), _user_code(at.random), at.now + LIFETIME)
    unit.run(
        rows.INSERT,
        device_code_hash=_hash(pairing.device_code),
        user_code=_plain(pairing.user_code),
        smart_terminal_id=None,
        denied=False,
        expires=pairing.expires,
        polled=0,
    )
    return pairing


def confirm_pairing(unit: Unit, at: Moment, merchant_id: str, user_code: str, smart_terminal_id: str) -> None:
    """The operator says which of the merchant's Smart Terminals it is. Case, spaces and hyphens of the code do not matter.

    Raises NotFound if no pairing waits under this code, or the merchant has no such Smart Terminal.
    """
    if find_smart_terminal(unit, at.now, smart_terminal_id).merchant_id != merchant_id:
        raise NotFound("no such Smart Terminal")
    _decide(unit, at, user_code, smart_terminal_id, denied=False)


def deny_pairing(unit: Unit, at: Moment, user_code: str) -> None:
    """The operator knows nothing of this terminal. Raises NotFound if no pairing waits under this code."""
    _decide(unit, at, user_code, None, denied=True)


def redeem_pairing(unit: Unit, at: Moment, device_code: str) -> Redeemed:
    """The terminal asks whether it has been confirmed. If so it is given its token, once; an earlier token of it is void."""
    code_hash = _hash(device_code)
    stored = unit.one(rows.FIND, device_code_hash=code_hash)
    if stored is None or at.now >= stored.expires:
        return Redeemed(Redemption.EXPIRED)
    if stored.denied:
        return Redeemed(Redemption.DENIED)
    if stored.smart_terminal_id is None:
        unit.run(rows.NOTE_POLL, device_code_hash=code_hash, polled=at.now)
        hasty = at.now < stored.polled + INTERVAL
        return Redeemed(Redemption.SLOW_DOWN if hasty else Redemption.PENDING)
    if not unit.run(rows.DELETE, device_code_hash=code_hash):
        return Redeemed(Redemption.EXPIRED)
    token = _secret(at.random)
    set_token(unit, stored.smart_terminal_id, _hash(token))
    return Redeemed(Redemption.PAIRED, stored.smart_terminal_id, token)


def find_paired(unit: Unit, token_hash: bytes) -> str | None:
    """The id of the Smart Terminal whose token has this SHA-256; None if there is none."""
    return unit.one(terminal.FIND_BY_TOKEN, token_hash=token_hash)


def _decide(unit: Unit, at: Moment, user_code: str, smart_terminal_id: str | None, *, denied: bool) -> None:
    code = _plain(user_code)
    if not unit.run(rows.DECIDE, user_code=code, now=at.now, terminal=smart_terminal_id, refused=denied):
        raise NotFound("no terminal waits under this code")


def _plain(user_code: str) -> str:
    return user_code.upper().replace("-", "").replace(" ", "")


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _secret(random: RandomBytes) -> str:
    return base64.urlsafe_b64encode(random(32)).rstrip(b"=").decode()


def _user_code(random: RandomBytes) -> str:
    number = int.from_bytes(random(16))
    letters = "".join(_LETTERS[number // len(_LETTERS) ** place % len(_LETTERS)] for place in range(8))
    return f"{letters[:4]}-{letters[4:]}"
