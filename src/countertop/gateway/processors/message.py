"""ISO 8583:1987 messages: intents as requests, answers as decisions. Pure: bytes and values, no connection.

Elements that a host may want otherwise are few, and all here:

    3   processing code: 000000 charge, 200000 refund, 380000 verification
    4   total in cents
    7   when the intent was made, UTC
    11  trace number, and 37 reference number: both made of the intent's number
    22  how the card was read
    41  terminal, and 42 merchant
    44  of answers: one letter of the address check, one of the verification value
    48  the sealed card
    60  where there is no card at hand, the number of the transaction whose card is meant
    49  840, US dollars
    62  what to check, with `|` between: address mode, Y or N for the verification value, zip, address
    70  of messages about the connection: 001 sign-on, 002 sign-off, 301 echo
    90  of reversals and captures: the message that is meant

There is no account number (2) and no track (35, 45): only the host can open element 48.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Final, cast

import iso8583
from iso8583.specs import default_ascii

from countertop.domain.card import Entry
from countertop.domain.clock import SECOND
from countertop.domain.errors import NotReadable
from countertop.domain.intent import Action, Intent
from countertop.domain.money import Cents
from countertop.domain.response import Avs, AvsMode, CvvStatus, Decision
from countertop.domain.sealed_card import SealedCard

Message = Mapping[str, str]
"""A message by element number; `t` is its type."""

Key = tuple[str, str, str]
"""What an answer is recognised by: its type, its trace number (11) and its reference number (37)."""

SIGN_ON: Final = "001"
SIGN_OFF: Final = "002"
ECHO: Final = "301"

REVERSED: Final = frozenset({"00", "21", "25"})
"""Answers after which nothing of an intent is left: done, nothing to do, never heard of it."""

_PROCESSING: Final = {Action.CHARGE: "000000", Action.REFUND: "200000", Action.VERIFY: "380000"}
_ENTRY_MODE: Final = {Entry.KEYED: "012", Entry.CHIP: "051", Entry.TAP: "071", Entry.SWIPE: "901"}
_ON_FILE: Final = "102"
_US_DOLLARS: Final = "840"
_TRACES: Final = 999_999
_REFERENCES: Final = 10**12
_REPEATS: Final = {"0400": "0401", "0220": "0221"}

_ADDRESS_LETTERS: Final[Mapping[str, tuple[bool | None, bool | None]]] = {
    "Y": (True, True),
    "Z": (True, False),
    "A": (False, True),
    "N": (False, False),
    "U": (None, None),
}
"""What the letters say of zip and address."""

_CVV_LETTERS: Final[Mapping[str, CvvStatus]] = {"M": CvvStatus.MATCH, "N": CvvStatus.NO_MATCH, " ": CvvStatus.NOT_REQUESTED}


def encode(message: Message) -> bytes:
    """A message as bytes, without the length before it. Raises NotReadable if an element does not fit."""
    try:
        raw, _ = iso8583.encode(dict(message), default_ascii)
    except iso8583.EncodeError as error:
        raise NotReadable(f"element {error.field} does not fit into a message") from None
    return bytes(raw)


def decode(data: bytes) -> Message:
    """The message in bytes. Raises NotReadable if there is none; the error names the element and shows nothing of it."""
    try:
        decoded, _ = iso8583.decode(data, default_ascii)
    except iso8583.DecodeError as error:
        raise NotReadable(f"a message cannot be read at element {error.field}") from None
    return cast("Message", decoded)


def answer_type(message: Message) -> str:
    """The type of the answer to a message: 0100 and its repeat 0101 → 0110."""
    kind = message["t"]
    return f"{kind[:2]}{int(kind[2]) + 1}0"


def key_of(message: Message) -> Key:
    """What a message is recognised by. Raises NotReadable if it has no trace number."""
    if "11" not in message:
        raise NotReadable("a message has no trace number")
    return message["t"], message["11"], message.get("37", "")


def expected_key(message: Message) -> Key:
    """What the answer to a message will be recognised by."""
    return answer_type(message), message["11"], message.get("37", "")


def authorisation(intent: Intent, card: SealedCard | None) -> Message:
    """The question for the money: 0100 if it is to be held or only verified, else 0200.

    Without a card it is about that of the intent's `original`.
    """
    checks = (intent.avs.value, "Y" if intent.check_cvv else "N", intent.billing_zip, intent.billing_address)
    return {
        **_identity(_asking_type(intent), intent),
        "4": _cents(intent.amounts.total),
        **({"22": _ON_FILE, "60": reference(intent.original or 0)} if card is None else _sealed(card)),
        "62": "|".join(_plain(text) for text in checks),
    }


def _sealed(card: SealedCard) -> Message:
    return {"22": _ENTRY_MODE[card.entry], "48": card.sealed}


def capture(intent: Intent, approval_code: str, amount: Cents) -> Message:
    """The advice that `amount` of what was held is taken: 0220."""
    return {**_identity("0220", intent), "4": _cents(amount), "38": approval_code.ljust(6)[:6], "90": _original(intent)}


def reversal(intent: Intent) -> Message:
    """The reversal of an intent: 0400."""
    return {**_identity("0400", intent), "4": _cents(intent.amounts.total), "90": _original(intent)}


def repeat(message: Message) -> Message:
    """The same message, marked as said again."""
    return {**message, "t": _REPEATS.get(message["t"], message["t"])}


def network(code: str, trace: int, now: datetime.datetime) -> Message:
    """A message about the connection itself: 0800 with SIGN_ON, SIGN_OFF or ECHO. `now` in UTC."""
    return {"t": "0800", "7": f"{now:%m%d%H%M%S}", "11": f"{trace % _TRACES + 1:06d}", "70": code}


def checks_of(message: Message) -> tuple[AvsMode, bool, str, str]:
    """Element 62 as a host reads it: address mode, whether to check the verification value, zip, address.

    Raises NotReadable if it is not that.
    """
    try:
        mode, cvv, zip_code, address = message.get("62", "").split("|")
        return AvsMode(mode), cvv == "Y", zip_code, address
    except ValueError:
        raise NotReadable("element 62 does not say what to check") from None


def answer(message: Message, code: str, extra: Message | None = None) -> Message:
    """The answer to a message: what it is recognised by, a response code (39), and what the answer says besides."""
    echoed = {element: message[element] for element in ("3", "4", "7", "11", "37", "41", "42", "49", "70") if element in message}
    return {**echoed, **(extra or {}), "t": answer_type(message), "39": code}


def decision(intent: Intent, message: Message) -> Decision:
    """The decision in an answer. A mismatch of the address declines what the host approved, if the intent demands a match.

    Raises NotReadable if the answer has no response code, or is about another amount.
    """
    code = message.get("39", "")
    if not code or message.get("4", _cents(intent.amounts.total)) != _cents(intent.amounts.total):
        raise NotReadable("an answer has no response code, or another amount")
    letters = message.get("44", "").ljust(2)
    avs = None if intent.avs is AvsMode.OFF else Avs(intent.avs, *_ADDRESS_LETTERS.get(letters[0], (None, None)))
    host_approves = Decision(code, authorized=False).approved
    return Decision(
        (avs.decline_code if avs and host_approves else None) or code,
        host_approves and intent.action is not Action.REFUND,
        message.get("38", "").strip() or None,
        avs,
        _CVV_LETTERS.get(letters[1], CvvStatus.NOT_REQUESTED),
        level3_eligible=None,
    )


def findings(avs: Avs | None, cvv: CvvStatus) -> str:
    """Element 44 of an answer, as a host writes it."""
    found = (None, None) if avs is None else (avs.zip_matches, avs.address_matches)
    address = next((letter for letter, pair in _ADDRESS_LETTERS.items() if pair == found), "U")
    return address + next(letter for letter, status in _CVV_LETTERS.items() if status is cvv)


def _identity(kind: str, intent: Intent) -> dict[str, str]:
    """The elements that all messages about one intent share, so that a reversal is recognised by a host that lost its memory."""
    return {
        "t": kind,
        "3": _PROCESSING[intent.action],
        "7": _moment(intent),
        "11": _trace(intent),
        "37": reference(intent.number),
        "41": f"{intent.terminal_id:08d}"[-8:],
        "42": intent.merchant_number.ljust(15)[:15],
        "49": _US_DOLLARS,
    }


def reference(number: int) -> str:
    """A transaction's number as messages have it."""
    return f"{number % _REFERENCES:012d}"


def _original(intent: Intent) -> str:
    """Element 90: type, trace number and moment of the message that is meant, then acquirer and forwarder, which are unused."""
    return f"{_asking_type(intent)}{_trace(intent)}{_moment(intent)}".ljust(42, "0")


def _asking_type(intent: Intent) -> str:
    return "0100" if intent.hold or intent.action is Action.VERIFY else "0200"


def _trace(intent: Intent) -> str:
    return f"{intent.number % _TRACES + 1:06d}"


def _moment(intent: Intent) -> str:
    return f"{datetime.datetime.fromtimestamp(intent.created / SECOND, datetime.UTC):%m%d%H%M%S}"


def _cents(amount: Cents) -> str:
    return f"{amount:012d}"


def _plain(text: str) -> str:
    """Text as an ASCII element can hold it, without the separator."""
    return text.replace("|", " ").encode("ascii", "replace").decode()[:128]
