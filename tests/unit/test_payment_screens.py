"""A payment at the terminal: each screen by example."""

from __future__ import annotations

import pytest

from countertop.domain.card import Brand, Entry, PaymentCard
from countertop.domain.intent import Action
from countertop.domain.payment import Network
from countertop.domain.request import Outcome
from countertop.domain.result import Paid
from countertop.domain.screening import ReadClass
from countertop.protocol.frames import (
    Accepted,
    CardTaken,
    Extended,
    Finished,
    ScreenChanged,
    Shown,
)
from countertop.protocol.screens import Screen
from countertop.terminal.act import NOTICE
from countertop.terminal.machine import FAREWELL, GRACE, REPEAT, Machine
from countertop.terminal.payment.ending import APPROVED_STAYS
from countertop.terminal.view import Cue, Key, Presented
from tests.unit.counter import (
    CHIP,
    CHIP_STRIPE,
    CHIP_STRIPE_1,
    EXPIRY,
    NUMBER,
    PAYMENT,
    START,
    STRIPE,
    TAP,
    A,
    decided,
    opened,
    order,
    paid,
    paying,
    show,
    taken,
    type_in,
)


def test_a_payment_from_show_to_idle() -> None:
    machine = paying()
    assert machine.take_frames() == [Shown(request_id=A)], "its first screen needs no word of its own"
    view = machine.view
    assert (view.screen, view.headline, view.lines) == (Screen.PRESENT_CARD, "$1,042.50", ("Insert, swipe or tap",))
    assert (view.keys, view.deadline) == ((Key.CANCEL,), START + 60_000)

    machine.present(CHIP, START + 100)

    frame, screen = machine.take_frames()
    assert isinstance(frame, CardTaken)
    assert (frame.brand, frame.last_four, frame.expiry_year, frame.expiry_month) == (Brand.VISA, NUMBER[-4:], 2030, 12)
    assert (frame.entry, frame.tip, frame.network) == (Entry.CHIP, 0, None)
    assert opened(frame) == CHIP
    assert screen == ScreenChanged(screen=Screen.PROCESSING, request_id=A)
    view = machine.view
    assert (view.headline, view.lines, view.keys) == ("Please wait", ("Do not remove your card",), ())
    assert (view.deadline, view.allowed, view.last_swipe) == (None, None, Presented.PAYMENT)
    assert view.sound is not None
    assert view.sound.cue is Cue.TAKEN
    machine.heard(decided(), START + 900)
    assert machine.take_frames() == [Finished(request_id=A, outcome=Outcome.APPROVED, result=Paid(71))]
    assert (machine.view.screen, machine.view.headline, machine.view.lines) == (Screen.APPROVED, "Approved", ("$1,042.50",))
    machine.heard(Accepted(request_id=A), START + 950)
    assert machine.wakes_at == START + 900 + FAREWELL[Screen.APPROVED]
    machine.tick(machine.wakes_at)
    assert machine.take_frames() == [ScreenChanged(screen=Screen.IDLE)]
    assert machine.wakes_at is None


def test_a_declined_payment_asks_for_nothing_more() -> None:
    machine = paying(order(show_signature_prompt=True, show_receipt_prompt=True))
    machine.present(TAP, START)
    assert taken(machine).entry is Entry.TAP

    machine.heard(decided(approved=False), START)

    assert machine.take_frames() == [Finished(request_id=A, outcome=Outcome.DECLINED, result=Paid(71))]
    view = machine.view
    assert (view.screen, view.headline, view.lines) == (Screen.DECLINED, "Declined", ("Please use another card",))
    assert view.sound is not None
    assert view.sound.cue is Cue.REFUSED


# Before the card.


@pytest.mark.parametrize(
    ("keys", "tip", "amount"),
    [
        ([Key.BUTTON_1], 15_000, "$1,192.50"),
        ([Key.BUTTON_2], 18_000, "$1,222.50"),
        ([Key.BUTTON_3], 20_000, "$1,242.50"),
        ([Key.BUTTON_4], 0, "$1,042.50"),
        ([Key.ENTER], 0, "$1,042.50"),
        ([Key("5"), Key("5"), Key("0"), Key.CLEAR, Key("1"), Key.ENTER], 551, "$1,048.01"),
        ([Key("5"), Key.BUTTON_4], 0, "$1,042.50"),
        ([Key("5"), Key.CLEAR, Key.ENTER], 0, "$1,042.50"),
    ],
)
def test_a_tip_is_chosen_typed_or_not_given(keys: list[Key], tip: int, amount: str) -> None:
    machine = paying(order(allow_tips=True))
    assert machine.take_frames() == [Shown(request_id=A), ScreenChanged(screen=Screen.TIP, request_id=A)]
    view = machine.view
    assert (view.headline, view.lines, view.entry) == ("Add a tip?", ("$1,042.50",), None)
    assert [(button.label, button.detail) for button in view.buttons] == [
        ("15 %", "$150.00"),
        ("18 %", "$180.00"),
        ("20 %", "$200.00"),
        ("No tip", ""),
    ]

    for key in keys:
        machine.press(key, START)

    assert (machine.view.screen, machine.view.headline) == (Screen.PRESENT_CARD, amount)
    machine.present(CHIP, START)
    assert taken(machine).tip == tip


def test_a_tip_is_shown_while_it_is_typed_and_has_an_end() -> None:
    machine = paying(order(allow_tips=True))
    assert Key.CLEAR not in machine.view.keys
    type_in(machine, "1234")
    assert (machine.view.entry, Key.CLEAR in machine.view.keys) == ("$12.34", True)
    type_in(machine, "999999")
    assert machine.view.entry == "$123,499.99", "no transaction may be larger than a million"


def test_nobody_is_asked_for_a_tip_on_money_given_back() -> None:
    machine = paying(order(action=Action.REFUND, allow_tips=True))

    assert (machine.screen, machine.view.lines) == (Screen.PRESENT_CARD, ("Refund", "Insert, swipe or tap"))


@pytest.mark.parametrize(("key", "network"), [(Key.BUTTON_1, Network.DEBIT), (Key.BUTTON_2, Network.CREDIT)])
def test_debit_or_credit_is_chosen(key: Key, network: Network) -> None:
    machine = paying(order(debit_credit_prompt=True))
    view = machine.view
    assert (view.screen, view.headline, [button.label for button in view.buttons]) == (
        Screen.PROMPT,
        "Debit or credit?",
        ["Debit", "Credit"],
    )

    machine.press(key, START)
    machine.present(CHIP, START)

    assert taken(machine).network is network


@pytest.mark.parametrize("keys", [[], [Key.BUTTON_1], [Key.BUTTON_1, Key.BUTTON_2], [Key.BUTTON_1, Key.BUTTON_2, Key.CLEAR]])
@pytest.mark.parametrize("may", [True, False])
def test_the_red_key_ends_every_screen_before_the_card_where_that_is_allowed(keys: list[Key], may: bool) -> None:
    machine = paying(order(allow_tips=True, debit_credit_prompt=True, keyed=True, customer_may_cancel=may))
    for key in keys:
        machine.press(key, START)
    before = machine.screen
    machine.take_frames()

    machine.press(Key.CANCEL, START)

    if may:
        assert machine.take_frames() == [Finished(request_id=A, outcome=Outcome.CUSTOMER_CANCELLED)]
    else:
        assert (machine.take_frames(), machine.screen) == ([], before)


def test_the_red_key_is_dead_once_the_card_is_taken() -> None:
    machine = paying()
    machine.present(CHIP, START)
    for frame in (None, decided(signature=True, receipt=True)):
        if frame is not None:
            machine.heard(frame, START)
        for _ in range(3):
            assert Key.CANCEL not in machine.view.keys
            machine.press(Key.CANCEL, START)
            assert machine.view.request_id == A
            machine.tick(START + APPROVED_STAYS)
            machine.draw([((1, 2), (3, 4))])
            if frame is not None:
                machine.press(Key.ENTER, START)


# The card.


def test_a_card_without_a_chip_is_swiped() -> None:
    machine = paying()

    machine.swipe(STRIPE, START)

    frame = taken(machine)
    assert (frame.entry, opened(frame)) == (Entry.SWIPE, PaymentCard(NUMBER, EXPIRY, Entry.SWIPE))


@pytest.mark.parametrize("stripe", [CHIP_STRIPE, CHIP_STRIPE_1])
def test_a_card_with_a_chip_is_to_be_inserted(stripe: str) -> None:
    machine = paying()
    machine.swipe(";E?", START)
    machine.take_frames()

    machine.swipe(stripe, START)

    assert machine.take_frames() == [ScreenChanged(screen=Screen.PRESENT_CARD, request_id=A)]
    view = machine.view
    assert (view.headline, view.lines) == ("$1,042.50", ("This card has a chip: please insert it",))
    assert view.last_swipe == Presented.CHIP_SWIPED
    machine.present(CHIP, START)
    assert opened(taken(machine)) == CHIP


@pytest.mark.parametrize(
    ("raw", "read"), [(";E?", ReadClass.BAD_READ), ("%E?" + STRIPE, ReadClass.BAD_READ), ("4012", ReadClass.UNRECOGNISED)]
)
def test_an_unreadable_swipe_is_asked_for_again(raw: str, read: ReadClass) -> None:
    machine = paying()
    machine.take_frames()

    machine.swipe(raw, START)
    machine.swipe(raw, START)

    assert machine.take_frames() == [ScreenChanged(screen=Screen.SWIPE_AGAIN, request_id=A)] * 2, "each asks for time anew"
    assert (machine.view.headline, machine.view.last_swipe) == ("Please swipe again", read)
    machine.swipe(raw, START)
    assert machine.view.request_id == A
    machine.tick(START + NOTICE)
    assert machine.screen is Screen.PRESENT_CARD
    machine.swipe(STRIPE, START)
    assert taken(machine).entry is Entry.SWIPE


@pytest.mark.parametrize(
    "raw", [";7090112233654321?", "%B924696827707852^?;924696827707852=?", ";4012888888881882=30121010000000000000?"]
)
def test_what_is_no_payment_card_is_not_supported(raw: str) -> None:
    machine = paying(order(customer_may_cancel=False))

    machine.swipe(raw, START)

    view = machine.view
    assert (view.screen, view.keys, view.last_swipe) == (Screen.CARD_NOT_SUPPORTED, (), ReadClass.NOT_ELIGIBLE)
    machine.present(CHIP, START)
    assert taken(machine).entry is Entry.CHIP


def test_a_card_is_looked_at_only_while_one_is_asked_for() -> None:
    machine = paying(order(allow_tips=True))
    machine.take_frames()
    for _ in range(2):
        before = machine.view
        machine.present(CHIP, START)
        machine.swipe(STRIPE, START)
        machine.swipe("garbage", START)
        assert (machine.take_frames(), machine.view) == ([], before)
        machine.press(Key.BUTTON_4, START)
        machine.present(CHIP, START)
        machine.take_frames()
    idle = Machine("test/1")
    idle.present(CHIP, START)
    assert idle.take_frames() == []


# After it.


def test_a_signature_and_a_receipt_are_asked_for_after_approval() -> None:
    machine = paid(signature=True, receipt=True, receipt_email="reader@example.com")
    view = machine.view
    assert (view.screen, view.lines, view.keys, view.deadline) == (Screen.APPROVED, ("$1,042.50",), (), START + 60_000)
    machine.tick(START + APPROVED_STAYS)
    assert machine.take_frames() == [ScreenChanged(screen=Screen.SIGNATURE, request_id=A)]
    view = machine.view
    assert (view.headline, view.lines, view.keys) == ("Please sign", ("I agree to pay $1,042.50.",), ())
    machine.press(Key.ENTER, START)
    machine.draw([((-5, 7), (2_000, 900))])
    machine.press(Key.CLEAR, START)
    machine.draw([((1, 2), (3, 4))])
    machine.press(Key.ENTER, START)
    view = machine.view
    assert (view.screen, view.headline, view.lines) == (Screen.RECEIPT, "Receipt?", ("reader@example.com",))
    assert [button.label for button in view.buttons] == ["E-mail", "No receipt"]
    machine.take_frames()

    machine.press(Key.BUTTON_1, START)

    result = Paid(71, (((1, 2), (3, 4)),), "reader@example.com")
    assert machine.take_frames() == [
        Finished(request_id=A, outcome=Outcome.APPROVED, result=result),
        ScreenChanged(screen=Screen.IDLE),
    ]
    assert machine.screen is Screen.IDLE


def test_without_an_address_a_receipt_is_at_the_counter() -> None:
    machine = paid(receipt=True)
    machine.tick(START + APPROVED_STAYS)
    assert (machine.view.lines, machine.view.keys) == (("Please ask for one at the counter",), (Key.BUTTON_2,))

    machine.press(Key.BUTTON_1, START)
    assert machine.screen is Screen.RECEIPT
    machine.press(Key.BUTTON_2, START)

    finished = machine.take_frames()[-2]
    assert finished == Finished(request_id=A, outcome=Outcome.APPROVED, result=Paid(71))


def test_a_signature_alone_ends_it() -> None:
    machine = paid(signature=True, action=Action.REFUND)
    machine.tick(START + APPROVED_STAYS)
    assert machine.view.lines == ("I have been given $1,042.50 back.",)
    machine.draw([((1, 2),)])
    machine.press(Key.ENTER, START)

    assert machine.take_frames()[-2] == Finished(request_id=A, outcome=Outcome.APPROVED, result=Paid(71, (((1, 2),),)))


def test_a_customer_who_walks_away_after_approval_leaves_the_screen_to_the_next() -> None:
    machine = paid(signature=True)
    machine.tick(START + 60_000 + GRACE - 1)
    assert machine.view.request_id == A
    machine.tick(START + 60_000 + GRACE)

    assert machine.view.screen is Screen.IDLE


def test_time_begins_anew_with_the_decision() -> None:
    machine = paying()
    machine.heard(Extended(request_id=A, remaining=90_000), START)
    machine.present(CHIP, START + 80_000)
    machine.heard(show(PAYMENT, card_taken=True, remaining=3_000), START + 90_000)
    assert machine.view.deadline is None
    assert machine.wakes_at == START + 80_000 + REPEAT

    machine.heard(decided(signature=True), START + 95_000)
    view = machine.view
    assert (view.deadline, view.allowed) == (START + 185_000, 90_000)
    machine.heard(decided(signature=True), START + 99_000)

    assert machine.view.deadline == START + 185_000, "a repeated decision gives no time"
