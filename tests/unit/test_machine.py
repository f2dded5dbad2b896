"""The terminal's state machine: each screen by example."""

from __future__ import annotations

import pytest

from countertop.domain.order import InputOrder, Order, PromptOrder, ReadOrder, SignatureOrder
from countertop.domain.request import Outcome
from countertop.domain.result import ButtonPressed, CardRead, InputEntered, Signed
from countertop.domain.screening import ReadClass
from countertop.protocol.frames import (
    MAX_FRAME,
    Accepted,
    Clear,
    Extended,
    Finished,
    FromTerminal,
    Hello,
    Refused,
    ScreenChanged,
    Show,
    Shown,
    Welcome,
    decode_from_terminal,
    encode,
)
from countertop.protocol.screens import Screen
from countertop.terminal.act import MAX_POINTS, NOTICE, grouped
from countertop.terminal.machine import FAREWELL, GRACE, REPEAT, Machine
from countertop.terminal.view import Cue, Key
from countertop.terminal.words import WORDS

GIFT = ";7090112233654321?"
MEMBER = "%B924696827707852^?;924696827707852=?"
DAMAGED = ";E?"
GARBAGE = "7090112233654321"
BANK = ";4111111111111111=25121010000000000000?"
BARE_PAN = ";4111111111111111?"

START = 1_000_000
A = "00000000-0000-7000-8000-00000000000a"
B = "00000000-0000-7000-8000-00000000000b"
WELCOME = Welcome(nick_name="Counter 1", merchant="Corner Books", server="test")
READ = ReadOrder()
PROMPT = PromptOrder("Join the club?", ("Yes", "No"))


def online(language: str = "en") -> Machine:
    machine = Machine("test/1", language=language)
    machine.connected()
    machine.heard(WELCOME, START)
    machine.take_frames()
    return machine


def showing(order: Order, request_id: str = A, remaining: int = 60_000) -> Machine:
    machine = online()
    machine.heard(Show(request_id=request_id, order=order, remaining=remaining), START)
    assert machine.take_frames() == [Shown(request_id=request_id)]
    return machine


def reconnect(machine: Machine, now: int = START) -> list[FromTerminal]:
    machine.disconnected()
    machine.connected()
    machine.heard(WELCOME, now)
    return machine.take_frames()


def type_in(machine: Machine, text: str) -> None:
    for digit in text:
        machine.press(Key(digit), START)


def test_a_terminal_without_a_gateway_says_so() -> None:
    view = Machine("test/1").view

    assert (view.screen, view.headline, view.lines) == (Screen.OFFLINE, "One moment, please", ("Connecting",))
    assert not view.online


def test_greets_first_and_waits_for_the_welcome() -> None:
    machine = Machine("test/1")
    machine.connected()
    assert machine.take_frames() == [Hello(software="test/1", screen=Screen.IDLE)]

    machine.heard(WELCOME, START)

    assert machine.take_frames() == []
    assert (machine.view.headline, machine.view.lines) == ("Welcome", ("Corner Books",))
    assert (machine.view.nick_name, machine.view.server) == ("Counter 1", "test")


def test_a_read_from_show_to_idle() -> None:
    machine = showing(READ)
    view = machine.view
    assert (view.screen, view.headline, view.keys) == (Screen.SWIPE_CARD, "Please swipe your card", (Key.CANCEL,))
    assert (view.request_id, view.deadline, view.allowed) == (A, START + 60_000, 60_000)

    machine.swipe(GIFT, START + 100)

    expected = Finished(request_id=A, outcome=Outcome.CARD_READ, result=CardRead(GIFT, None, GIFT[1:-1]))
    assert machine.take_frames() == [expected]
    view = machine.view
    assert (view.screen, view.request_id, view.last_swipe) == (Screen.CARD_READ, None, ReadClass.ACCEPT_F1)
    assert view.sound is not None
    assert view.sound.cue is Cue.TAKEN
    machine.heard(Accepted(request_id=A), START + 120)
    assert machine.wakes_at == START + 100 + FAREWELL[Screen.CARD_READ]
    machine.tick(machine.wakes_at)
    assert machine.take_frames() == [ScreenChanged(screen=Screen.IDLE)]
    assert machine.wakes_at is None


@pytest.mark.parametrize("raw", [BANK, BARE_PAN])
def test_a_payment_card_is_not_supported_and_counts_as_nothing(raw: str) -> None:
    machine = showing(READ)

    for turn in range(5):
        machine.swipe(raw, START + turn)

    assert machine.take_frames() == [ScreenChanged(screen=Screen.CARD_NOT_SUPPORTED, request_id=A)]
    assert machine.view.sound is not None
    assert (machine.view.sound.cue, machine.view.sound.count) == (Cue.REFUSED, 5)
    assert "4111" not in repr(machine.view)
    machine.tick(START + 4 + NOTICE)
    assert machine.screen is Screen.SWIPE_CARD
    machine.swipe(GIFT, START + 9_000)
    assert machine.view.last_swipe == ReadClass.ACCEPT_F1


@pytest.mark.parametrize("raw", [DAMAGED, GARBAGE])
def test_the_third_unreadable_swipe_ends_it(raw: str) -> None:
    machine = showing(READ)

    machine.swipe(raw, START)
    machine.swipe(raw, START)
    assert machine.take_frames() == [ScreenChanged(screen=Screen.SWIPE_AGAIN, request_id=A)] * 2, "each asks for time anew"
    machine.swipe(raw, START)

    assert machine.take_frames() == [Finished(request_id=A, outcome=Outcome.READ_FAILED)]
    assert (machine.screen, machine.view.lines) == (Screen.CANCELLED, ("We could not read the card",))


def test_a_card_is_taken_while_the_notice_still_shows() -> None:
    machine = showing(READ)
    machine.swipe(DAMAGED, START)

    machine.swipe(MEMBER, START + 1)

    assert machine.view.last_swipe == ReadClass.ACCEPT_F2


def test_swipes_outside_the_armed_window_are_not_looked_at() -> None:
    for machine in (online(), showing(PROMPT), Machine("test/1")):
        machine.swipe(GIFT, START)

        assert machine.take_frames() == []
        assert machine.view.last_swipe is None


def test_the_red_key_ends_every_kind_of_request() -> None:
    for order in (READ, PROMPT, InputOrder("PHONE"), SignatureOrder("I agree")):
        machine = showing(order)

        machine.press(Key.CANCEL, START)

        assert machine.take_frames() == [Finished(request_id=A, outcome=Outcome.CUSTOMER_CANCELLED)]
        assert (machine.screen, machine.view.keys) == (Screen.CANCELLED, ())


def test_a_prompt_gives_the_label_of_the_button() -> None:
    machine = showing(PROMPT)
    view = machine.view
    assert (view.headline, [(button.key, button.label) for button in view.buttons]) == (
        "Join the club?",
        [(Key.BUTTON_1, "Yes"), (Key.BUTTON_2, "No")],
    )
    machine.press(Key.BUTTON_3, START)
    assert machine.take_frames() == []

    machine.press(Key.BUTTON_2, START)

    assert machine.take_frames() == [Finished(request_id=A, outcome=Outcome.BUTTON_PRESSED, result=ButtonPressed("No"))]
    assert machine.screen is Screen.IDLE


def test_a_phone_number_is_grouped_while_typed_and_entered_when_valid() -> None:
    machine = showing(InputOrder("PHONE"))
    type_in(machine, "805555123")
    machine.press(Key.ENTER, START)
    assert (machine.view.entry, Key.ENTER in machine.view.keys) == ("(805) 555-123", False)
    type_in(machine, "99")
    assert machine.view.entry == "(805) 555-1239"
    machine.press(Key.CLEAR, START)
    type_in(machine, "4")

    machine.press(Key.ENTER, START)

    assert machine.take_frames() == [Finished(request_id=A, outcome=Outcome.INPUT_ENTERED, result=InputEntered("8055551234"))]


@pytest.mark.parametrize("number", ["0000000000", "1234567890", "4165551234"])
def test_a_number_that_is_none_of_the_united_states_cannot_be_entered(number: str) -> None:
    machine = showing(InputOrder("PHONE"))
    type_in(machine, number)

    machine.press(Key.ENTER, START)

    assert machine.take_frames() == []


@pytest.mark.parametrize(
    ("digits", "shown"),
    [("", ""), ("8", "8"), ("805", "805"), ("8055", "(805) 5"), ("805555", "(805) 555"), ("8055551", "(805) 555-1")],
)
def test_grouping(digits: str, shown: str) -> None:
    assert grouped(digits) == shown


def test_a_signature_is_drawn_wiped_and_entered() -> None:
    machine = showing(SignatureOrder("I agree"))
    assert (machine.view.lines, machine.view.keys) == (("I agree",), (Key.CANCEL,))
    machine.press(Key.ENTER, START)
    machine.draw([((-5, 7), (2000, 900))])
    assert machine.view.strokes == (((0, 7), (1000, 400)),)
    machine.press(Key.CLEAR, START)
    assert not machine.view.strokes
    machine.draw([((1, 2),), ((3, 4),)])

    machine.press(Key.ENTER, START)

    expected = Finished(request_id=A, outcome=Outcome.SIGNED, result=Signed((((1, 2),), ((3, 4),))))
    assert machine.take_frames() == [expected]


def test_the_longest_signature_fits_a_frame() -> None:
    machine = showing(SignatureOrder("I agree"))
    machine.draw([((1000, 400),)] * (MAX_POINTS + 500))
    machine.press(Key.ENTER, START)

    (frame,) = machine.take_frames()

    assert len(encode(frame)) <= MAX_FRAME
    assert decode_from_terminal(encode(frame)) == frame


def test_clear_ends_only_the_request_it_names() -> None:
    machine = showing(READ)

    machine.heard(Clear(request_id=B), START)
    assert machine.screen is Screen.SWIPE_CARD
    machine.heard(Clear(request_id=A), START)

    assert machine.take_frames() == [ScreenChanged(screen=Screen.IDLE)]


def test_a_newer_request_takes_the_screen() -> None:
    machine = showing(READ)

    machine.heard(Show(request_id=B, order=PROMPT, remaining=9_000), START)

    assert machine.take_frames() == [Shown(request_id=B)]
    assert machine.view.request_id == B


def test_a_request_may_begin_while_the_last_one_takes_its_leave() -> None:
    machine = showing(READ)
    machine.swipe(GIFT, START)
    machine.heard(Show(request_id=B, order=READ, remaining=9_000), START + 1)
    assert machine.screen is Screen.SWIPE_CARD

    machine.tick(START + 2_000)

    assert machine.screen is Screen.SWIPE_CARD


def test_a_request_that_ended_does_not_come_back() -> None:
    machine = showing(READ)
    machine.press(Key.CANCEL, START)
    machine.take_frames()

    machine.heard(Show(request_id=A, order=READ, remaining=9_000), START)

    assert machine.take_frames() == []
    assert machine.screen is Screen.CANCELLED


def test_what_is_on_the_screen_outlives_the_connection() -> None:
    machine = showing(READ)
    machine.swipe(DAMAGED, START)
    machine.disconnected()
    assert (machine.screen, machine.view.online) == (Screen.SWIPE_AGAIN, False)
    machine.connected()
    assert machine.take_frames() == [Hello(software="test/1", screen=Screen.SWIPE_AGAIN, request_id=A)]
    machine.heard(WELCOME, START)
    machine.heard(Show(request_id=A, order=READ, remaining=40_000), START)

    assert machine.take_frames() == [Shown(request_id=A)]
    assert (machine.screen, machine.view.deadline) == (Screen.SWIPE_AGAIN, START + 40_000)


def test_a_result_found_while_offline_is_said_after_the_welcome() -> None:
    machine = showing(READ)
    machine.disconnected()
    machine.swipe(GIFT, START)
    assert machine.take_frames() == []
    machine.connected()
    assert machine.take_frames() == [Hello(software="test/1", screen=Screen.CARD_READ, request_id=A)]

    machine.heard(WELCOME, START)

    (finished,) = machine.take_frames()
    assert isinstance(finished, Finished)


def test_an_unanswered_end_is_said_again_until_it_is_answered() -> None:
    machine = showing(READ)
    machine.press(Key.CANCEL, START)
    said = machine.take_frames()
    machine.tick(START + REPEAT)
    assert said[0] in machine.take_frames()
    assert said[0] in reconnect(machine, START + REPEAT)
    machine.heard(Refused(request_id=A, reason="too late"), START + REPEAT)

    assert said[0] not in reconnect(machine, START + 2 * REPEAT)
    assert machine.wakes_at is None


def test_time_given_anew_moves_the_deadline() -> None:
    machine = showing(READ)

    machine.heard(Extended(request_id=A, remaining=90_000), START + 10)
    machine.heard(Extended(request_id=B, remaining=5), START + 10)

    assert (machine.view.deadline, machine.view.allowed) == (START + 90_010, 90_000)


def test_a_request_nobody_clears_leaves_the_screen_after_its_deadline() -> None:
    machine = showing(READ)
    machine.disconnected()

    machine.tick(START + 60_000 + GRACE)

    assert machine.screen is Screen.OFFLINE


def test_every_language_has_words_for_the_same_screens() -> None:
    assert {frozenset(words) for words in WORDS.values()} == {frozenset(WORDS["en"])}
    machine = online("es")
    assert machine.view.headline == "Bienvenido"
    machine.speak("en")
    assert machine.view.headline == "Welcome"
    with pytest.raises(KeyError):
        machine.speak("xx")
