"""What came of asking a processor: codes, their messages, checks of address and verification value.

Numeric codes are the issuer's (ISO 8583, data element 39), codes of two letters the gateway's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

APPROVED: Final = "00"
DO_NOT_HONOR: Final = "05"
NO_REPLY: Final = "91"
DUPLICATE: Final = "DT"

_DECLINED: Final[Mapping[str, str]] = {
    "01": "call issuer",
    "04": "pick up card",
    "05": "do not honor",
    "10": "partial approval",
    "12": "invalid transaction",
    "13": "card amount invalid",
    "14": "card number invalid",
    "15": "no such issuer",
    "19": "re-enter",
    "51": "insufficient funds",
    "54": "card expired",
    "55": "wrong pin",
    "57": "service not allowed",
    "61": "exceeds withdrawal limit",
    "62": "restricted sic code",
    "63": "restricted",
    "65": "exceeds activity limit",
    "75": "pin try exceeded",
    "78": "no account",
    "91": "no reply",
    "97": "cvv2 mismatch",
    "AA": "avs address mismatch",
    "AZ": "avs zip mismatch",
    "AX": "avs address or zip mismatch",
    "AY": "avs address and zip mismatch",
    "AI": "avs unsupported international",
    "AN": "avs unsupported",
    "AU": "avs unavailable",
    "DT": "duplicate transaction",
}

APPROVALS: Final = frozenset({APPROVED, "85"})
"""The codes that are no declines; 85 is an approval that issuers gave in older times."""

CODES: Final = APPROVALS | _DECLINED.keys()
"""Every code whose meaning is known."""


def message_of(code: str) -> str:
    """What a code says to people: `Approved`, or `Declined (…)`; a code that is not known is a decline without a reason."""
    if code in APPROVALS:
        return "Approved"
    reason = _DECLINED.get(code)
    return f"Declined ({reason})" if reason else "Declined"


class AvsMode(StrEnum):
    """What the address check must find, or else the payment is declined. BYPASS asks and never declines, OFF does not ask."""

    ADDRESS = "ADDRESS"
    ZIP = "ZIP"
    ADDRESS_AND_ZIP = "ADDRESS_AND_ZIP"
    ADDRESS_OR_ZIP = "ADDRESS_OR_ZIP"
    BYPASS = "BYPASS"
    OFF = "OFF"

    @property
    def declining(self) -> bool:
        """Whether a mismatch declines."""
        return self not in (AvsMode.BYPASS, AvsMode.OFF)


@dataclass(frozen=True, slots=True)
class Avs:
    """The address check: what was asked for, and which of the two matched. Both None: the issuer could not say."""

    requested: AvsMode
    zip_matches: bool | None
    address_matches: bool | None

    @property
    def decline_code(self) -> str | None:
        """The code that this finding declines with under what was requested, or None."""
        address, zip_code = self.address_matches is False, self.zip_matches is False
        failed = {
            AvsMode.ADDRESS: ("AA", address),
            AvsMode.ZIP: ("AZ", zip_code),
            AvsMode.ADDRESS_AND_ZIP: ("AY", address or zip_code),
            AvsMode.ADDRESS_OR_ZIP: ("AX", address and zip_code),
        }
        code, declined = failed.get(self.requested, ("", False))
        return code if declined else None


class CvvStatus(StrEnum):
    """The check of the verification value."""

    NOT_REQUESTED = "NOT_REQUESTED"
    MATCH = "MATCH"
    NO_MATCH = "NO_MATCH"


@dataclass(frozen=True, slots=True)
class Decision:
    """A processor's answer to an intent.

    `authorized` says whether the issuer holds the money: not for refunds, and also when it approved but the gateway declined
    afterwards (an address mismatch). `level3_eligible` is None where the processor does not say.
    """

    code: str
    authorized: bool
    approval_code: str | None = None
    avs: Avs | None = None
    cvv: CvvStatus = CvvStatus.NOT_REQUESTED
    level3_eligible: bool | None = None

    @property
    def approved(self) -> bool:
        """Whether the payment may go on."""
        return self.code in APPROVALS

    @property
    def message(self) -> str:
        """The code in words."""
        return message_of(self.code)
