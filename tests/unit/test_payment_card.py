"""A payment's card at the terminal: it is said until it is answered, once, and is nowhere but under its seal."""

from __future__ import annotations

import gc

from countertop.domain.request import Outcome
from countertop.domain.result import Paid
from countertop.protocol.frames import (
    Clear,
    Decided,
    Finished,
    Hello,
    Refused,
    ScreenChanged,
    Show,
    Shown,
    decode_from_terminal,
    encode,
)
from countertop.protocol.screens import Screen
from countertop.terminal.frame_log import FrameLog, FrameNote
from countertop.terminal.machine import FAREWELL, REPEAT, Machine
from countertop.terminal.payment.ending import APPROVED_STAYS
from countertop.terminal.view import Key
from tests.unit.counter import (
    CHIP,
    NUMBER,
    PAYMENT,
    PROMPT,
    START,
    WELCOME,
    A,
    B,
    decided,
    order,
    paid,
    paying,
    reconnect,
    show,
    taken,
    type_in,
)


def test_a_card_is_said_again_until_it_is_answered() -> None:
    machine = paying()
    machine.disconnected()
    machine.present(CHIP, START)
    assert machine.take_frames() == []
    machine.connected()
    assert machine.take_frames() == [Hello(software="test/1", screen=Screen.PROCESSING, request_id=A)]
    machine.heard(WELCOME, START)
    frame = taken(machine)
    said = [Shown(request_id=A), frame]
    assert reconnect(machine) == said, "it is the same sealed card, letter for letter"
    machine.heard(show(PAYMENT, card_taken=True), START)
    assert machine.take_frames() == [Shown(request_id=A)]
    machine.tick(START + REPEAT)
    assert machine.take_frames() == [frame]
    machine.heard(decided(signature=True), START + REPEAT)

    assert frame not in reconnect(machine, START + REPEAT)


def test_no_deadline_of_the_terminal_ends_what_waits_for_a_decision() -> None:
    machine = paying()
    machine.present(CHIP, START)
    machine.disconnected()
    assert machine.wakes_at is None

    machine.tick(START + 10_000_000)

    assert machine.screen is Screen.PROCESSING


def test_a_terminal_started_anew_asks_for_no_second_card() -> None:
    machine = Machine("test/1")
    machine.connected()
    machine.heard(WELCOME, START)
    machine.heard(show(PAYMENT, card_taken=True), START)
    assert (machine.screen, machine.view.keys) == (Screen.PROCESSING, ())
    machine.present(CHIP, START)
    machine.take_frames()

    machine.heard(decided(), START)

    assert machine.take_frames() == [Finished(request_id=A, outcome=Outcome.APPROVED, result=Paid(71))]


def test_a_decision_is_obeyed_on_any_screen_of_its_payment() -> None:
    machine = paying(order(allow_tips=True))
    machine.take_frames()

    machine.heard(decided(approved=False), START)

    assert machine.take_frames() == [Finished(request_id=A, outcome=Outcome.DECLINED, result=Paid(71))]


def test_a_decision_that_is_said_again_changes_nothing() -> None:
    machine = paid(signature=True)
    machine.tick(START + APPROVED_STAYS)
    machine.draw([((1, 2), (3, 4))])
    machine.take_frames()
    before = machine.view

    machine.heard(show(order(show_signature_prompt=True), card_taken=True), START)
    machine.heard(decided(signature=True), START)

    assert (machine.take_frames(), machine.view) == ([Shown(request_id=A)], before)


def test_a_decision_on_something_else_changes_nothing() -> None:
    machine = paying()
    machine.take_frames()
    machine.heard(Decided(request_id=B, approved=True, transaction_id=1, total=1, signature=False, receipt=False), START)
    assert (machine.take_frames(), machine.screen) == ([], Screen.PRESENT_CARD)
    machine.heard(Show(request_id=B, order=PROMPT, remaining=9_000), START)
    machine.take_frames()
    machine.heard(Decided(request_id=B, approved=True, transaction_id=1, total=1, signature=False, receipt=False), START)

    assert (machine.take_frames(), machine.screen) == ([], Screen.PROMPT)


def test_a_refused_card_ends_the_payment() -> None:
    machine = paying()
    machine.present(CHIP, START)
    machine.take_frames()

    machine.heard(Refused(request_id=A, reason="a payment request that is COMPLETE takes no card"), START)

    assert machine.take_frames() == [ScreenChanged(screen=Screen.CANCELLED)]
    assert machine.wakes_at == START + FAREWELL[Screen.CANCELLED]
    assert reconnect(machine) == []


def test_a_payment_that_ended_elsewhere_keeps_no_card() -> None:
    for ending in (Clear(request_id=A), Show(request_id=B, order=PROMPT, remaining=9_000)):
        machine = paying()
        machine.present(CHIP, START)
        machine.take_frames()

        machine.heard(ending, START)

        machine.take_frames()
        assert reconnect(machine) == []
        assert machine.wakes_at is None or machine.wakes_at > START + REPEAT


def test_nothing_of_a_card_stays_in_memory() -> None:
    number = "40128" + "88888881881"  # not the constant, so that every equal string below came from the machine
    machine = paying(order(keyed=True))
    machine.press(Key.CLEAR, START)
    for text in (number, "1230", "999"):
        type_in(machine, text)
        machine.press(Key.ENTER, START)
    assert machine.screen is Screen.PROCESSING

    reached: set[int] = set()
    waiting: list[object] = [machine]
    while waiting:
        thing = waiting.pop()
        if id(thing) in reached or isinstance(thing, type) or type(thing).__name__ in ("module", "function"):
            continue
        reached.add(id(thing))
        assert not (isinstance(thing, str) and number in thing)
        assert not (isinstance(thing, bytes) and number.encode() in thing)
        waiting += gc.get_referents(thing)
    assert len(reached) > 50


async def test_a_cards_frames_are_logged_without_what_they_carry() -> None:
    machine = paying()
    machine.present(CHIP, START)
    log = FrameLog()
    log.add("out", taken(machine))
    log.add("in", decided(approved=False))

    notes = log.watch()

    assert await anext(notes) == FrameNote("out", "card", A, "CHIP")
    assert await anext(notes) == FrameNote("in", "decided", A, "DECLINED")


def test_a_card_fits_its_frame() -> None:
    machine = paying()
    machine.present(CHIP, START)
    frame = taken(machine)

    assert decode_from_terminal(encode(frame)) == frame
    assert NUMBER not in encode(frame) + repr(frame)


def test_a_payment_speaks_spanish() -> None:
    machine = paying(order(allow_tips=True), language="es")
    assert machine.view.headline == "¿Propina?"
    machine.press(Key.BUTTON_4, START)
    assert machine.view.lines == ("Inserte, deslice o acerque",)
