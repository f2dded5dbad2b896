"""The test processor: it answers by the amount, so that a developer can make anything happen. No money is near it.

From 0.99 to 4,999 everything is approved, above that declined; the amounts in `TRIGGERS` give the answer beside them. At 1.00 the
verification value 555, the address `addressNoMatch`, the zip `zipNoMatch` and three zip codes fail.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey

from countertop.domain.card import PaymentCard
from countertop.domain.errors import NotReadable
from countertop.domain.intent import Action, Intent
from countertop.domain.money import Cents
from countertop.domain.response import APPROVED, DO_NOT_HONOR, Avs, AvsMode, CvvStatus, Decision
from countertop.domain.sealed_card import SealedCard, SealingKey, open_card
from countertop.gateway.processors.acquirer import Acquirer
from countertop.gateway.store.sealing import Sealer

APPROVAL_CODE: Final = "PJ20AP"
CARD_NUMBER_INVALID: Final = "14"
INSUFFICIENT_FUNDS: Final = "51"

TRIGGERS: Final[dict[Cents, str]] = {
    1: "01",
    2: "13",
    3: "54",
    4: "14",
    5: "05",
    6: "61",
    7: "65",
    8: "51",
    9: "12",
    10: "63",
    11: "15",
    12: "04",
    13: "19",
    14: "62",
    15: "57",
    16: "78",
    91: "91",
    98: "10",
}
"""Base amounts, in cents, and the code that each gives."""

EMPTY_CARD: Final = "4000000000009995"
"""A number that card schemes' simulators decline for insufficient funds, whatever the amount."""

MOST_APPROVED: Final[Cents] = 4_999_00
NOT_LEVEL3: Final[Cents] = 1_03
CHECKED: Final[Cents] = 1_00
"""The base amount at which address and verification value can fail."""
WRONG_CVV: Final = "555"
WRONG_ADDRESS: Final = "addressNoMatch"
WRONG_ZIP: Final = "zipNoMatch"
UNCHECKABLE_ZIPS: Final = {"99998": "AI", "999970009": "AN", "99999": "AU"}
"""Zip codes for which an issuer cannot check an address, and the code that declines then if a check is demanded."""


class SandboxProcessor:
    """The test processor inside a test server. Implements `countertop.gateway.processors.port.Processor`.

    It opens cards with a key of its own, whose public half the terminals seal to, and answers at once.
    """

    def __init__(self, key: SealingKey) -> None:
        self._key = key

    @property
    def bank_accounts(self) -> bool:
        """Always: it takes anything."""
        return True

    async def start(self) -> None:
        """Nothing to begin."""

    async def stop(self) -> None:
        """Nothing to let go of."""

    async def authorise(self, intent: Intent, card: SealedCard | None) -> Decision:
        """The answer by the amount; a card that was sealed to another key is no card."""
        if card is None:
            return decide(intent, None)
        try:
            opened = open_card(card.sealed, self._key)
        except NotReadable:
            return Decision(CARD_NUMBER_INVALID, authorized=False)
        return decide(intent, opened)

    async def capture(self, intent: Intent, approval_code: str, amount: Cents) -> None:
        """Always agrees: there is no money to take."""

    async def reverse(self, intent: Intent) -> None:
        """Always agrees: there is no money to give back."""


def sandbox_acquirer(sealer: Sealer) -> Acquirer:
    """The test processor with a key that is made out of the server's own, so that it opens what was sealed before a restart."""
    secret = int.from_bytes(sealer.derive("test processor")) >> 1 | 1  # below the order of the curve
    key = ECKey.import_key(ec.derive_private_key(secret, ec.SECP256R1()))
    return Acquirer(SandboxProcessor(key), key)


def decide(intent: Intent, card: PaymentCard | None) -> Decision:
    """The answer to an intent. A bank account is neither authorised nor checked; `card` is None also for one on file."""
    if intent.action is Action.REFUND or (card is None and intent.original is None):
        return Decision(APPROVED, authorized=False)
    base = intent.amounts.base
    code = DO_NOT_HONOR if base > MOST_APPROVED else TRIGGERS.get(base, APPROVED)
    if code == APPROVED and card is not None and card.number == EMPTY_CARD:
        code = INSUFFICIENT_FUNDS
    cvv = _check_cvv(intent, card)
    if code == APPROVED and cvv is CvvStatus.NO_MATCH:
        code = "97"
    if code != APPROVED:
        return Decision(code, authorized=False, avs=_check_address(intent), cvv=cvv)
    avs = _check_address(intent)
    declined = avs and (_uncheckable(intent) or avs.decline_code)
    # The issuer holds the money even where the gateway declines for the address afterwards.
    return Decision(declined or APPROVED, True, APPROVAL_CODE, avs, cvv, level3_eligible=base != NOT_LEVEL3)


def _check_cvv(intent: Intent, card: PaymentCard | None) -> CvvStatus:
    if card is None or not intent.check_cvv:
        return CvvStatus.NOT_REQUESTED
    wrong = intent.amounts.base == CHECKED and card.cvv == WRONG_CVV
    return CvvStatus.NO_MATCH if wrong else CvvStatus.MATCH


def _check_address(intent: Intent) -> Avs | None:
    if intent.avs is AvsMode.OFF:
        return None
    if intent.amounts.base != CHECKED:
        return Avs(intent.avs, zip_matches=True, address_matches=True)
    if intent.billing_zip in UNCHECKABLE_ZIPS:
        return Avs(intent.avs, zip_matches=None, address_matches=None)
    return Avs(intent.avs, zip_matches=intent.billing_zip != WRONG_ZIP, address_matches=intent.billing_address != WRONG_ADDRESS)


def _uncheckable(intent: Intent) -> str | None:
    if intent.amounts.base != CHECKED or not intent.avs.declining:
        return None
    return UNCHECKABLE_ZIPS.get(intent.billing_zip)
