"""What a payment comes to once the customer has had a say: the same at the gateway, which charges it, and on the screen."""

from __future__ import annotations

import json
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from countertop.domain.amount import Amounts, Part
from countertop.domain.money import MAX_AMOUNT
from countertop.domain.order import PaymentOrder
from countertop.domain.payment import Network
from countertop.protocol.frames import Show, decode_from_gateway, encode
from countertop.protocol.screens import Screen
from countertop.terminal.view import Key
from countertop.terminal.words import dollars
from tests.unit.counter import CHIP, START, order, paying, show, taken

NETWORKS: Final = {Key.BUTTON_1: Network.DEBIT, Key.BUTTON_2: Network.CREDIT}
RATES: Final = st.none() | st.integers(0, 10_000)
cents = st.integers(1, MAX_AMOUNT // 10)


def sent(payment: PaymentOrder) -> PaymentOrder:
    """An order after its way to the terminal."""
    frame = decode_from_gateway(encode(show(payment)))
    assert isinstance(frame, Show)
    assert isinstance(frame.order, PaymentOrder)
    return frame.order


@given(
    base=cents, tax=cents, rate=RATES, tip=st.sampled_from(["5", "99", "12345", ""]), network=st.sampled_from([None, *NETWORKS])
)
def test_the_total_on_the_screen_is_what_is_charged(base: int, tax: int, rate: int | None, tip: str, network: Key | None) -> None:
    asked = order(amounts=Amounts(base, tax), allow_tips=True, debit_credit_prompt=network is not None, surcharge_rate=rate)
    machine = paying(sent(asked))
    for key in [*map(Key, tip), Key.ENTER, *([network] if network else [])]:
        machine.press(key, START)
    view = machine.view
    machine.present(CHIP, START)

    card = taken(machine)

    assert view.screen is Screen.PRESENT_CARD
    assert (card.tip, card.network) == (int(tip or 0), network and NETWORKS[network])
    assert view.headline == dollars(asked.charged(card.tip, card.network).total)


@given(base=cents, tip=cents, rate=RATES, own=cents)
def test_a_surcharge_is_of_the_tip_too_and_never_on_debit(base: int, tip: int, rate: int | None, own: int) -> None:
    asked = order(amounts=Amounts(base, surcharge=own), surcharge_rate=rate)
    for network in (None, Network.CREDIT):
        charged = asked.charged(tip, network)
        assert charged.tip == tip
        assert charged == (charged if rate is None else charged.with_surcharge(rate))
    debit = asked.charged(tip, Network.DEBIT)
    assert debit.part(Part.SURCHARGE) == (own if rate is None else 0)
    assert asked.rate(Network.DEBIT) is None


@given(RATES)
def test_an_order_without_a_surcharge_says_nothing_of_one(rate: int | None) -> None:
    text = json.loads(encode(show(order(surcharge_rate=rate))))
    assert ("surcharge_rate" in text["order"]) == (rate is not None)
    text["order"].pop("surcharge_rate", None)
    read = decode_from_gateway(json.dumps(text))
    assert isinstance(read, Show)
    assert isinstance(read.order, PaymentOrder)
    assert read.order.surcharge_rate is None


def test_no_tip_is_offered_or_typed_beyond_what_can_be_charged() -> None:
    near = order(amounts=Amounts(MAX_AMOUNT * 84 // 100), allow_tips=True, surcharge_rate=1_000)
    machine = paying(near)
    assert [button.label for button in machine.view.buttons] == ["15 %", "No tip"]
    for digit in "999999999":
        machine.press(Key(digit), START)
    machine.press(Key.ENTER, START)
    assert machine.view.headline == dollars(near.charged(9_999_999).total)
