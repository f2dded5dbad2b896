"""Who pays: from the parameters of a form to what may be kept.

A card, or an account, is in the clear only here: the card is sealed to the processor before anything else is done with the form.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from countertop.domain.card import Entry, PaymentCard, parse_card_number, parse_card_track, parse_cvv, parse_expiry
from countertop.domain.errors import Fault, NotReadable
from countertop.domain.transaction import AccountType, AchFacts
from countertop.gateway.http.form import Values, label

T = TypeVar("T")

CARD: Final = "cardNumber"
TRACK: Final = "cardTrack"
ACCOUNT: Final = "achAccountNumber"
EARLIER: Final = "transactionId"
UNSUPPORTED: Final = ("tokenId", "vaultId", "scheduleId", "plaidAccessToken")
SECRET: Final = frozenset({CARD, TRACK, ACCOUNT, "cardCvv"})
"""The parameters that nothing may be kept of but a keyed fingerprint."""

ACH_TYPES: Final = {"PPD": ("billingFirstName", "billingLastName"), "CCD": ("billingCompanyName",), "TEL": (), "WEB": ()}
"""The kinds of payment from a bank account, and what each must say of the payer."""

_ACCOUNT_NUMBER: Final = re.compile(r"[0-9]{1,17}", re.ASCII)
_ROUTING_NUMBER: Final = re.compile(r"[0-9]{9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class BankAccount:
    """A bank account in the clear, and the kind of payment that is made from it."""

    routing_number: str = field(repr=False)
    account_number: str = field(repr=False)
    account_type: AccountType
    ach_type: str

    def facts(self, fingerprint_key: bytes) -> AchFacts:
        """What may be kept."""
        number = f"{self.routing_number}:{self.account_number}"
        fingerprint = hmac.digest(fingerprint_key, number.encode(), hashlib.sha256)
        return AchFacts(self.account_type, self.account_number[-4:], fingerprint)


Payer = PaymentCard | BankAccount
"""Who pays, in the clear; an earlier transaction's payer is none, because nobody has it in the clear any more."""


class PayerReader:
    """Reads who pays, and gathers in `faults` what is wrong with that."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self.faults: list[Fault] = []

    def read(self) -> Payer | None:
        """Who pays; None if it is the payer of an earlier transaction, or there are faults."""
        sources = [name for name in (CARD, TRACK, ACCOUNT, EARLIER, *UNSUPPORTED) if self._get(name)]
        if not sources and self._get("achRoutingNumber"):
            sources = [ACCOUNT]
        if not sources:
            self.faults.append(Fault(CARD, "required", "Card Number is required, or another payment source."))
            return None
        for name in sources:
            if name in UNSUPPORTED:
                self._fault(name, f"{label(name)} is not supported by this server.")
        for name in sources[1:]:
            if name not in UNSUPPORTED:
                self._fault(name, "There can be only one payment source.")
        readers: dict[str, Callable[[], Payer | None]] = {CARD: self._card, TRACK: self._track, ACCOUNT: self._account}
        return readers[sources[0]]() if sources[0] in readers else None

    def _card(self) -> PaymentCard | None:
        before = len(self.faults)
        self._require("cardExpMonth", "cardExpYear")
        month, year, cvv = self._get("cardExpMonth"), self._get("cardExpYear"), self._get("cardCvv")
        number = self._parsed(CARD, parse_card_number, "Card Number is not a valid card number.")
        expiry = None
        if month and year:
            self._parsed("cardExpMonth", lambda text: parse_expiry(text, "2030"), "Card Exp Month is invalid.")
            expiry = self._parsed("cardExpYear", lambda text: parse_expiry("1", text), "Card Exp Year is invalid.")
        if cvv:
            self._parsed("cardCvv", parse_cvv, "Card Cvv is invalid.")
        elif self._get("cvv") == "ON":
            self._require("cardCvv")
        if len(self.faults) > before or number is None or expiry is None:
            return None
        return PaymentCard(number, parse_expiry(month, year), Entry.KEYED, cvv or None)

    def _track(self) -> PaymentCard | None:
        return self._parsed(TRACK, parse_card_track, "Card Track is not a payment card's stripe.")

    def _account(self) -> BankAccount | None:
        before = len(self.faults)
        self._require("achRoutingNumber", ACCOUNT, "achAccountType", "achType")
        routing, account = self._get("achRoutingNumber"), self._get(ACCOUNT)
        if routing and not _is_routing_number(routing):
            self._fault("achRoutingNumber", "Routing Number is invalid.")
        if account and not _ACCOUNT_NUMBER.fullmatch(account):
            self._fault(ACCOUNT, "Account Number can only contain numbers.")
        kind = self._among("achAccountType", AccountType)
        ach_type = self._among("achType", ACH_TYPES)
        self._require(*ACH_TYPES.get(ach_type, ()))
        if len(self.faults) > before:
            return None
        return BankAccount(routing, account, AccountType(kind), ach_type)

    def _get(self, name: str) -> str:
        return self._values.get(name, [""])[0]

    def _require(self, *names: str) -> None:
        self.faults += [Fault(name, "required", f"{_label(name)} is required.") for name in names if not self._get(name)]

    def _among(self, name: str, words: Iterable[str]) -> str:
        word = self._get(name)
        if word and word not in list(words):
            self._fault(name, f"{_label(name)} is invalid.")
        return word

    def _parsed(self, name: str, parse: Callable[[str], T], message: str) -> T | None:
        try:
            return parse(self._get(name))
        except NotReadable:
            self._fault(name, message)
            return None

    def _fault(self, name: str, message: str) -> None:
        self.faults.append(Fault(name, "invalid", message))


def _label(name: str) -> str:
    """A parameter's name in words; those of bank accounts say nothing of ACH."""
    return label(name).removeprefix("Ach ")


def _is_routing_number(text: str) -> bool:
    """Nine digits, of which the last is a check digit (ABA)."""
    if not _ROUTING_NUMBER.fullmatch(text):
        return False
    return sum(int(digit) * weight for digit, weight in zip(text, (3, 7, 1) * 3, strict=True)) % 10 == 0


def without_secrets(values: Values, fingerprint: bytes | None) -> dict[str, list[str]]:
    """A form's values as they may be remembered: of a card or an account only its keyed fingerprint."""
    kept = {name: list(sent) for name, sent in values.items() if name not in SECRET}
    if fingerprint is not None:
        kept[CARD] = [fingerprint.hex()]
    return kept
