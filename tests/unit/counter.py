"""A counter where payments are taken: an order, the keys of a processor, and cards that schemes publish for tests."""

from __future__ import annotations

import base64
import dataclasses
from typing import Any, Final

from joserfc.jwk import ECKey

from countertop.domain.amount import Amounts
from countertop.domain.card import Entry, Expiry, PaymentCard
from countertop.domain.intent import Action
from countertop.domain.order import PaymentOrder, PromptOrder
from countertop.domain.sealed_card import open_card
from countertop.protocol.frames import CardTaken, Decided, FromTerminal, Sealing, Show, Welcome
from countertop.terminal.machine import Machine
from countertop.terminal.view import Key

KEY: Final = ECKey.generate_key("P-256", private=True)
FINGERPRINT_KEY: Final = b"fingerprints".ljust(32, b".")
SEALING: Final = Sealing(key=KEY.as_pem(private=False).decode(), fingerprint_key=base64.b64encode(FINGERPRINT_KEY).decode())

NUMBER: Final = "4012888888881881"
EXPIRY: Final = Expiry(2030, 12)
CHIP: Final = PaymentCard(NUMBER, EXPIRY, Entry.CHIP)
TAP: Final = PaymentCard(NUMBER, EXPIRY, Entry.TAP)
STRIPE: Final = f"%B{NUMBER}^CARDHOLDER/TEST^30121010000000000000?;{NUMBER}=30121010000000000000?"
CHIP_STRIPE: Final = f";{NUMBER}=30122010000000000000?"
CHIP_STRIPE_1: Final = f"%B{NUMBER}^CARDHOLDER/TEST^30126010000000000000?"

PAYMENT: Final = PaymentOrder(
    action=Action.CHARGE,
    amounts=Amounts(100_000, tax=4_250),
    show_receipt_prompt=False,
    show_signature_prompt=False,
    allow_tips=False,
    keyed=False,
    debit_credit_prompt=False,
    customer_may_cancel=True,
)


def opened(frame: CardTaken) -> PaymentCard:
    """What the processor finds in a frame."""
    return open_card(frame.sealed, KEY)


START: Final = 1_000_000
A: Final = "00000000-0000-7000-8000-00000000000a"
B: Final = "00000000-0000-7000-8000-00000000000b"
WELCOME: Final = Welcome(nick_name="Counter 1", merchant="Corner Books", server="test")
PROMPT: Final = PromptOrder("Join the club?", ("Yes", "No"))


def order(**changes: Any) -> PaymentOrder:
    """A payment of another kind."""
    return dataclasses.replace(PAYMENT, **changes)


def show(payment: PaymentOrder, *, card_taken: bool = False, remaining: int = 60_000) -> Show:
    """What the gateway says of it."""
    return Show(request_id=A, order=payment, remaining=remaining, sealing=SEALING, card_taken=card_taken)


def paying(payment: PaymentOrder = PAYMENT, language: str = "en") -> Machine:
    """A machine that shows a payment."""
    machine = Machine("test/1", language=language)
    machine.connected()
    machine.heard(WELCOME, START)
    machine.take_frames()
    machine.heard(show(payment), START)
    return machine


def decided(approved: bool = True, *, signature: bool = False, receipt: bool = False) -> Decided:
    """What the gateway says of the payment in the end."""
    return Decided(request_id=A, approved=approved, transaction_id=71, total=104_250, signature=signature, receipt=receipt)


def taken(machine: Machine) -> CardTaken:
    """The one card that a machine says it has taken."""
    (frame,) = [frame for frame in machine.take_frames() if isinstance(frame, CardTaken)]
    return frame


def paid(*, signature: bool = False, receipt: bool = False, **changes: Any) -> Machine:
    """A machine whose payment was approved a moment ago."""
    machine = paying(order(**changes))
    machine.present(CHIP, START)
    machine.heard(decided(signature=signature, receipt=receipt), START)
    machine.take_frames()
    return machine


def type_in(machine: Machine, text: str) -> None:
    """Digits, key by key."""
    for digit in text:
        machine.press(Key(digit), START)


def reconnect(machine: Machine, now: int = START) -> list[FromTerminal]:
    """What a machine says after a new welcome."""
    machine.disconnected()
    machine.connected()
    machine.take_frames()
    machine.heard(WELCOME, now)
    return machine.take_frames()
