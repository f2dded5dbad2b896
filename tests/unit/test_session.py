"""Who may say what when."""

from __future__ import annotations

import json

import pytest

from countertop.domain.order import Order, ReadOrder
from countertop.domain.request import AT_THE_TERMINAL, WITH_RESULT, Outcome
from countertop.domain.result import ButtonPressed, CardRead, InputEntered, Paid, Result, Signed
from countertop.protocol.frames import (
    MAX_EMAIL,
    Accepted,
    Clear,
    Finished,
    FromTerminal,
    Hello,
    ScreenChanged,
    Sealing,
    Show,
    Shown,
    Welcome,
    encode,
)
from countertop.protocol.screens import Screen
from countertop.protocol.session import CloseCode, GatewaySession, TerminalSession, Violation
from tests.unit.counter import PAYMENT, SEALING

A = "00000000-0000-7000-8000-00000000000a"
HELLO = Hello(software="test/1", screen=Screen.IDLE)
WELCOME = Welcome(nick_name="Counter 1", merchant="Corner Books", server="test")
RESULTS: dict[Outcome, Result] = {
    Outcome.CARD_READ: CardRead(";7090112233654321?", None, "7090112233654321"),
    Outcome.BUTTON_PRESSED: ButtonPressed("Yes"),
    Outcome.INPUT_ENTERED: InputEntered("8055551234"),
    Outcome.SIGNED: Signed((((1, 2),),)),
    Outcome.APPROVED: Paid(71),
    Outcome.DECLINED: Paid(71),
}


def greeted() -> GatewaySession:
    session = GatewaySession()
    session.receive(encode(HELLO))
    return session


@pytest.mark.parametrize("frame", [Shown(request_id=A), ScreenChanged(screen=Screen.IDLE)])
def test_a_terminal_greets_first(frame: FromTerminal) -> None:
    with pytest.raises(Violation) as broken:
        GatewaySession().receive(encode(frame))
    assert broken.value.code is CloseCode.ILLEGAL

    assert greeted().receive(encode(frame)) == frame


def test_a_terminal_greets_once() -> None:
    with pytest.raises(Violation):
        greeted().receive(encode(HELLO))


def test_a_gateway_welcomes_first_and_once() -> None:
    session = TerminalSession()
    with pytest.raises(Violation):
        session.receive(encode(Clear(request_id=A)))
    assert not session.welcomed
    session.receive(encode(WELCOME))
    assert session.receive(encode(Accepted(request_id=A))) == Accepted(request_id=A)

    with pytest.raises(Violation):
        session.receive(encode(WELCOME))


def test_neither_end_takes_the_other_ones_frames() -> None:
    with pytest.raises(Violation):
        greeted().receive(encode(WELCOME))
    with pytest.raises(Violation):
        TerminalSession().receive(encode(HELLO))


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("result", [None, *dict.fromkeys(RESULTS.values())])
def test_an_outcome_and_its_result_belong_together(outcome: Outcome, result: Result | None) -> None:
    text = encode(Finished(request_id=A, outcome=outcome, result=result))
    fits = result == RESULTS.get(outcome) and (result is not None) is (outcome in WITH_RESULT)

    if outcome in AT_THE_TERMINAL and fits:
        assert encode(greeted().receive(text)) == text
    else:
        with pytest.raises(Violation):
            greeted().receive(text)


def test_an_address_for_a_receipt_is_not_longer_than_addresses_are() -> None:
    for length, legal in ((MAX_EMAIL, True), (MAX_EMAIL + 1, False)):
        frame = Finished(request_id=A, outcome=Outcome.APPROVED, result=Paid(71, None, "a" * length))
        if legal:
            assert greeted().receive(encode(frame)) == frame
            continue
        with pytest.raises(Violation):
            greeted().receive(encode(frame))


WEAK = Sealing(key="-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", fingerprint_key=SEALING.fingerprint_key)


@pytest.mark.parametrize(
    ("order", "sealing", "legal"),
    [
        (PAYMENT, SEALING, True),
        (PAYMENT, None, False),
        (PAYMENT, WEAK, False),
        (ReadOrder(), SEALING, False),
        (ReadOrder(), None, True),
    ],
)
def test_a_payment_and_nothing_else_comes_with_keys_to_seal_with(order: Order, sealing: Sealing | None, legal: bool) -> None:
    session = TerminalSession()
    session.receive(encode(WELCOME))
    frame = Show(request_id=A, order=order, remaining=60_000, sealing=sealing)

    if legal:
        assert session.receive(encode(frame)) == frame
        return
    with pytest.raises(Violation) as broken:
        session.receive(encode(frame))
    assert broken.value.code is CloseCode.ILLEGAL


def test_a_violation_does_not_quote_what_came() -> None:
    with pytest.raises(Violation) as broken:
        greeted().receive(json.dumps({"frame": "shown", "request_id": ";7090112233654321?"}))
    assert "7090112233654321" not in broken.value.reason
    assert len(broken.value.reason.encode()) <= 123, "a close frame has no room for more"


def test_a_reason_fits_a_close_frame_whatever_came() -> None:
    content: dict[str, object] = {f"field {number}": number for number in range(50)}
    with pytest.raises(Violation) as broken:
        greeted().receive(json.dumps(content | {"frame": "finished", "request_id": 5, "outcome": [], "result": {"kind": "read"}}))
    assert len(broken.value.reason.encode()) <= 123
