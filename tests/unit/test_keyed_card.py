"""A payment card that is typed: seen by nobody while it is, checked before it is taken."""

from __future__ import annotations

import pytest

from countertop.domain.card import Entry, PaymentCard
from countertop.protocol.screens import Screen
from countertop.terminal.payment.keyed import Part, masked
from countertop.terminal.view import Key
from tests.unit.counter import (
    EXPIRY,
    NUMBER,
    START,
    opened,
    order,
    paying,
    taken,
    type_in,
)


def test_a_card_is_typed() -> None:
    machine = paying(order(keyed=True))
    assert machine.view.lines == ("Insert, swipe or tap", "or press < to type the number")
    machine.press(Key.CLEAR, START)
    assert (machine.screen, machine.view.headline, machine.view.entry) == (Screen.KEYED_CARD, "Card number", "")
    for text, entry, headline in (
        (NUMBER, "•••• •••• •••• ••••", "Expiry, MM/YY"),
        ("1230", "••/••", "Security code"),
        ("999", "•••", "Please wait"),
    ):
        type_in(machine, text[:-1])
        if text != "999":
            assert Key.ENTER not in machine.view.keys
        machine.press(Key("0"), START)
        machine.press(Key.CLEAR, START)
        type_in(machine, text[-1])
        assert (machine.view.entry, Key.ENTER in machine.view.keys) == (entry, True)
        assert NUMBER not in repr(machine.view)
        machine.press(Key.ENTER, START)
        assert machine.view.headline == headline

    frame = taken(machine)

    assert (frame.entry, opened(frame)) == (Entry.KEYED, PaymentCard(NUMBER, EXPIRY, Entry.KEYED, "999"))


def test_a_number_whose_check_digit_is_wrong_is_not_taken() -> None:
    machine = paying(order(keyed=True))
    machine.press(Key.CLEAR, START)
    type_in(machine, NUMBER[:-1] + "2")

    assert (machine.view.headline, Key.ENTER in machine.view.keys) == ("Check the number", False)
    machine.press(Key.ENTER, START)
    assert machine.view.headline == "Check the number"


@pytest.mark.parametrize("expiry", ["0030", "1330", "123", "12"])
def test_a_month_that_there_is_not_is_not_taken(expiry: str) -> None:
    machine = paying(order(keyed=True))
    machine.press(Key.CLEAR, START)
    type_in(machine, NUMBER)
    machine.press(Key.ENTER, START)
    type_in(machine, expiry)

    machine.press(Key.ENTER, START)

    assert machine.view.headline == "Expiry, MM/YY"


def test_the_yellow_key_leads_back_to_the_reader() -> None:
    machine = paying(order(keyed=True))
    machine.press(Key.CLEAR, START)
    type_in(machine, NUMBER)
    machine.press(Key.ENTER, START)
    machine.press(Key.CLEAR, START)
    assert (machine.view.headline, machine.view.entry) == ("Card number", "•••• •••• •••• ••••")

    for _ in range(len(NUMBER) + 1):
        machine.press(Key.CLEAR, START)

    assert machine.screen is Screen.PRESENT_CARD
    machine.press(Key.CLEAR, START)
    assert machine.view.entry == ""


def test_a_card_is_typed_only_where_that_is_allowed() -> None:
    machine = paying()

    machine.press(Key.CLEAR, START)

    assert machine.screen is Screen.PRESENT_CARD


@pytest.mark.parametrize(
    ("part", "count", "shown"),
    [(Part.NUMBER, 0, ""), (Part.NUMBER, 5, "•••• •"), (Part.EXPIRY, 2, "••"), (Part.EXPIRY, 3, "••/•"), (Part.CODE, 3, "•••")],
)
def test_masking(part: Part, count: int, shown: str) -> None:
    assert masked(part, count) == shown
