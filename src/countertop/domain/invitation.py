"""Invitations to sign a receipt: whoever has the text of one may sign that receipt, until it expires.

Nothing is stored for an invitation: the text holds whose receipt it is about, and an HMAC that only the gateway can make.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import struct
from dataclasses import dataclass
from typing import Final

from countertop.domain.clock import DAY, SECOND, Instant
from countertop.domain.errors import NotReadable

LIFE: Final = 30 * DAY
"""How long an invitation holds, in ms."""

_TEXT: Final = re.compile(r"[A-Za-z0-9_-]{64}", re.ASCII)
_FACTS: Final = struct.Struct(">16sQQ")
_SEAL: Final = 16
"""Bytes of the HMAC that are kept: nobody finds a right one by trying."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """May sign a merchant's transaction before `expires`, which counts in whole seconds."""

    merchant_id: str
    transaction_id: int
    expires: Instant


def write_invitation(key: bytes, invitation: Invitation) -> str:
    """The text of an invitation: 64 letters, digits, hyphens and underscores. `key` is 32 secret bytes."""
    merchant = bytes.fromhex(invitation.merchant_id.replace("-", ""))
    facts = _FACTS.pack(merchant, invitation.transaction_id, invitation.expires // SECOND)
    return base64.urlsafe_b64encode(facts + _seal(key, facts)).decode()


def read_invitation(key: bytes, text: str, now: Instant) -> Invitation:
    """The invitation that a text is. Raises NotReadable if it is none of ours, or has expired."""
    if _TEXT.fullmatch(text) is None:
        raise NotReadable("not the form of an invitation")
    try:
        whole = base64.urlsafe_b64decode(text)
    except binascii.Error:
        raise NotReadable("not the form of an invitation") from None
    facts, seal = whole[:-_SEAL], whole[-_SEAL:]
    if not hmac.compare_digest(seal, _seal(key, facts)):
        raise NotReadable("nobody here made this invitation")
    merchant, transaction_id, seconds = _FACTS.unpack(facts)
    if seconds * SECOND <= now:
        raise NotReadable("the invitation has expired")
    digits = merchant.hex()
    merchant_id = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return Invitation(merchant_id, transaction_id, seconds * SECOND)


def _seal(key: bytes, facts: bytes) -> bytes:
    return hmac.digest(key, facts, "sha256")[:_SEAL]
