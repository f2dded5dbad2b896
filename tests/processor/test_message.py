from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countertop.domain.amount import Amounts
from countertop.domain.card import Entry
from countertop.domain.errors import NotReadable
from countertop.domain.intent import Action, Intent
from countertop.domain.response import Avs, AvsMode, CvvStatus
from countertop.domain.sealed_card import SealedCard
from countertop.gateway.processors import message as iso

intents = st.builds(
    Intent,
    number=st.integers(1, 10**12 - 1),
    action=st.sampled_from(Action),
    amounts=st.builds(Amounts, st.integers(0, 100_000_000)),
    created=st.integers(0, 4_000_000_000_000),
    terminal_id=st.integers(0, 99_999_999),
    merchant_number=st.text("0123456789", max_size=20),
    hold=st.booleans(),
    avs=st.sampled_from(AvsMode),
    billing_address=st.text(max_size=200),
    billing_zip=st.text(max_size=20),
    check_cvv=st.booleans(),
)


def test_a_question_for_money(ask: Callable[..., Intent], card: SealedCard) -> None:
    message = iso.authorisation(ask(12_34, avs=AvsMode.ZIP, cvv=True), card)
    assert message == {
        "t": "0200",
        "3": "000000",
        "4": "000000001234",
        "7": "0115080000",
        "11": "000002",
        "22": "012",
        "37": "000000000001",
        "41": "00000001",
        "42": "8675309        ",
        "48": card.sealed,
        "49": "840",
        "62": "ZIP|Y|85284|",
    }
    assert iso.decode(iso.encode(message)).items() >= message.items()
    assert not {"2", "35", "45"} & message.keys(), "no element may hold a card's number"


@pytest.mark.parametrize(
    ("action", "hold", "kind", "processing"),
    [
        (Action.CHARGE, False, "0200", "000000"),
        (Action.CHARGE, True, "0100", "000000"),
        (Action.REFUND, False, "0200", "200000"),
        (Action.VERIFY, False, "0100", "380000"),
    ],
)
def test_what_is_asked_for(
    action: Action, hold: bool, kind: str, processing: str, *, ask: Callable[..., Intent], card: SealedCard
) -> None:
    message = iso.authorisation(ask(1_00, action, hold=hold), card)
    assert (message["t"], message["3"]) == (kind, processing)


@given(intents, st.sampled_from(Entry))
def test_every_message_of_an_intent_can_be_said_and_is_recognised(intent: Intent, entry: Entry) -> None:
    card = SealedCard("sealed", None, entry)  # type: ignore[arg-type]
    asked = iso.authorisation(intent, card)
    for message in (asked, iso.reversal(intent), iso.capture(intent, "PJ20AP", intent.amounts.total)):
        heard = iso.decode(iso.encode(message))
        assert heard["37"] == asked["37"]
        assert heard["11"] == asked["11"]
        assert iso.key_of(iso.decode(iso.encode(iso.answer(heard, "00")))) == iso.expected_key(message)
    mode, check_cvv, _, _ = iso.checks_of(iso.decode(iso.encode(asked)))
    assert (mode, check_cvv) == (intent.avs, intent.check_cvv)
    assert iso.reversal(intent)["90"].startswith(asked["t"] + asked["11"] + asked["7"])


def test_a_repeat_expects_the_same_answer(ask: Callable[..., Intent]) -> None:
    message = iso.reversal(ask(1_00))
    assert iso.repeat(message)["t"] == iso.repeat(iso.repeat(message))["t"] == "0401"
    assert iso.expected_key(iso.repeat(message)) == iso.expected_key(message)


def test_messages_about_the_connection() -> None:
    message = iso.network(iso.ECHO, 7, datetime.datetime(2026, 12, 1, 8, 30, 5, tzinfo=datetime.UTC))
    assert message == {"t": "0800", "7": "1201083005", "11": "000008", "70": "301"}
    assert iso.answer_type(message) == "0810"


@pytest.mark.parametrize(
    ("mode", "extra", "code", "avs", "cvv"),
    [
        (AvsMode.OFF, {}, "00", None, CvvStatus.NOT_REQUESTED),
        (AvsMode.OFF, {"44": "NM"}, "00", None, CvvStatus.MATCH),
        (AvsMode.ADDRESS, {"44": "Y "}, "00", Avs(AvsMode.ADDRESS, True, True), CvvStatus.NOT_REQUESTED),
        (AvsMode.ADDRESS, {"44": "ZN"}, "AA", Avs(AvsMode.ADDRESS, True, False), CvvStatus.NO_MATCH),
        (AvsMode.BYPASS, {"44": "N "}, "00", Avs(AvsMode.BYPASS, False, False), CvvStatus.NOT_REQUESTED),
        (AvsMode.ZIP, {"44": "?"}, "00", Avs(AvsMode.ZIP, None, None), CvvStatus.NOT_REQUESTED),
    ],
)
def test_what_an_answer_decides(
    mode: AvsMode, extra: dict[str, str], code: str, avs: Avs | None, cvv: CvvStatus, *, ask: Callable[..., Intent]
) -> None:
    intent = ask(1_00, avs=mode)
    decision = iso.decision(intent, {"39": "00", "38": "ABC   ", **extra})
    assert (decision.code, decision.authorized, decision.approval_code, decision.avs, decision.cvv) == (
        code,
        True,
        "ABC",
        avs,
        cvv,
    )


def test_a_refund_and_a_decline_hold_no_money(ask: Callable[..., Intent]) -> None:
    assert not iso.decision(ask(1_00, Action.REFUND), {"39": "00"}).authorized
    assert not iso.decision(ask(1_00), {"39": "51"}).authorized


@pytest.mark.parametrize("answer", [{}, {"39": ""}, {"39": "00", "4": "000000000101"}])
def test_an_answer_that_decides_nothing(answer: dict[str, str], ask: Callable[..., Intent]) -> None:
    with pytest.raises(NotReadable):
        iso.decision(ask(1_00), answer)


@given(st.binary(max_size=100))
def test_bytes_that_are_no_message(data: bytes) -> None:
    with contextlib.suppress(NotReadable):
        assert iso.decode(data)["t"].isdigit()


def test_what_does_not_fit_is_not_said(ask: Callable[..., Intent]) -> None:
    card = SealedCard("4444333322221111" * 100, None, Entry.CHIP)  # type: ignore[arg-type]
    with pytest.raises(NotReadable, match="element 48") as caught:
        iso.encode(iso.authorisation(ask(1_00), card))
    assert "4444" not in str(caught.value)
