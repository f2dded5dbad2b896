"""Frames and their codec: what is legal survives the way, everything else is refused without being quoted."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Final, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countertop.domain.amount import Amounts
from countertop.domain.card import Brand, Entry
from countertop.domain.errors import NotReadable
from countertop.domain.intent import Action
from countertop.domain.money import MAX_AMOUNT
from countertop.domain.order import InputOrder, Kind, Order, PaymentOrder, PromptOrder, ReadOrder, SignatureOrder
from countertop.domain.payment import Network
from countertop.domain.request import Outcome
from countertop.domain.result import ButtonPressed, CardRead, InputEntered, Paid, Signed
from countertop.domain.sealed_card import MAX_SEALED
from countertop.protocol.frames import (
    MAX_FRAME,
    Accepted,
    CardTaken,
    Clear,
    Decided,
    Extended,
    Finished,
    FromGateway,
    FromTerminal,
    Hello,
    Refused,
    ScreenChanged,
    Sealing,
    Show,
    Shown,
    Welcome,
    decode_from_gateway,
    decode_from_terminal,
    encode,
    encode_accepted,
    encode_show,
)
from countertop.protocol.screens import Screen

CARD = "7090112233654321"
PEM: Final = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"
SEALED: Final = "eyJhbGciOiJFQ0RILUVTIn0..iv.text.tag"

ids = st.uuids().map(str)
texts = st.text(st.characters(codec="utf-8"), max_size=200)
milliseconds = st.integers(0, 10**9)
screens = st.sampled_from(Screen)
points = st.tuples(st.integers(0, 1000), st.integers(0, 400))
orders = st.one_of(
    st.just(ReadOrder()),
    st.builds(PromptOrder, texts, st.lists(texts, min_size=1, max_size=3).map(tuple)),
    st.just(InputOrder("PHONE")),
    st.builds(SignatureOrder, texts),
    st.builds(
        PaymentOrder,
        action=st.sampled_from([Action.CHARGE, Action.REFUND]),
        amounts=st.builds(Amounts, st.integers(0, MAX_AMOUNT), tax=st.integers(0, MAX_AMOUNT)),
        show_receipt_prompt=st.booleans(),
        show_signature_prompt=st.booleans(),
        allow_tips=st.booleans(),
        keyed=st.booleans(),
        debit_credit_prompt=st.booleans(),
        customer_may_cancel=st.booleans(),
        receipt_email=texts,
        surcharge_rate=st.none() | st.integers(0, 100_000),
    ),
)
sealings = st.builds(
    Sealing, key=st.just(PEM), fingerprint_key=st.binary(min_size=32, max_size=32).map(lambda key: base64.b64encode(key).decode())
)
results = st.one_of(
    st.builds(CardRead, texts, st.none() | texts, st.none() | texts),
    st.builds(ButtonPressed, texts),
    st.builds(InputEntered, texts),
    st.builds(Signed, st.lists(st.lists(points, max_size=5).map(tuple), max_size=5).map(tuple)),
    st.builds(Paid, st.integers(0, 2**63), st.none() | st.just((((1, 2), (3, 4)),)), st.none() | texts),
)
gateway_frames: st.SearchStrategy[FromGateway] = st.one_of(
    st.builds(Welcome, nick_name=texts, merchant=texts, server=st.sampled_from(["test", "production"])),
    st.builds(Show, request_id=ids, order=orders, remaining=milliseconds, sealing=st.none() | sealings, card_taken=st.booleans()),
    st.builds(Clear, request_id=ids),
    st.builds(Extended, request_id=ids, remaining=milliseconds),
    st.builds(Accepted, request_id=ids),
    st.builds(Refused, request_id=ids, reason=texts),
    st.builds(
        Decided,
        request_id=ids,
        approved=st.booleans(),
        transaction_id=st.integers(0, 2**63),
        total=st.integers(0, 2**40),
        signature=st.booleans(),
        receipt=st.booleans(),
    ),
)
terminal_frames: st.SearchStrategy[FromTerminal] = st.one_of(
    st.builds(Hello, software=st.text(st.characters(codec="utf-8"), max_size=64), screen=screens, request_id=st.none() | ids),
    st.builds(ScreenChanged, screen=screens, request_id=st.none() | ids),
    st.builds(Shown, request_id=ids),
    st.builds(
        CardTaken,
        request_id=ids,
        sealed=st.just(SEALED),
        brand=st.sampled_from(Brand),
        last_four=st.from_regex(r"[0-9]{4}", fullmatch=True),
        expiry_year=st.integers(2000, 2099),
        expiry_month=st.integers(1, 12),
        fingerprint=st.binary(min_size=32, max_size=32).map(bytes.hex),
        entry=st.sampled_from(Entry),
        tip=st.integers(0, MAX_AMOUNT),
        network=st.none() | st.sampled_from(Network),
    ),
    st.builds(Finished, request_id=ids, outcome=st.sampled_from(Outcome), result=st.none() | results),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(gateway_frames)
def test_what_a_gateway_says_survives_the_way(frame: FromGateway) -> None:
    assert decode_from_gateway(encode(frame)) == frame


@given(ids, orders.filter(lambda order: order.kind is not Kind.PAYMENT), milliseconds)
def test_what_is_said_often_is_the_same_text_made_faster(request_id: str, order: Order, remaining: int) -> None:
    assert encode_show(request_id, order, remaining) == encode(Show(request_id=request_id, order=order, remaining=remaining))
    assert encode_accepted(request_id) == encode(Accepted(request_id=request_id))


@given(terminal_frames)
def test_what_a_terminal_says_survives_the_way(frame: FromTerminal) -> None:
    assert decode_from_terminal(encode(frame)) == frame


@given(json_values.map(json.dumps) | st.text())
def test_no_text_does_anything_but_be_refused(text: str) -> None:
    for decode in (decode_from_gateway, decode_from_terminal):
        with pytest.raises(NotReadable):
            decode(text)


@given(terminal_frames, st.data())
def test_a_frame_with_one_thing_changed_is_legal_or_refused(frame: FromTerminal, data: st.DataObject) -> None:
    content = json.loads(encode(frame))
    name = data.draw(st.sampled_from(sorted(content)))
    content[name] = data.draw(json_values)

    try:
        changed = decode_from_terminal(json.dumps(content))
    except NotReadable:
        return

    assert decode_from_terminal(encode(changed)) == changed


@given(terminal_frames, texts)
def test_what_a_frame_does_not_have_makes_it_illegal(frame: FromTerminal, name: str) -> None:
    content = json.loads(encode(frame))
    if name in content:
        return
    with pytest.raises(NotReadable):
        decode_from_terminal(json.dumps(content | {name: 1}))


@pytest.mark.parametrize(
    "text",
    [
        "[" * (MAX_FRAME - 1),
        '{"a":' * 10_000,
        '{"frame":"finished","result":' * 2_000,
        "9" * MAX_FRAME,
        '"' + "\\u0000" * 10_000 + '"',
        json.dumps({"frame": "screen", "screen": "IDLE", "request_id": "x" * 60_000}),
        "é" * (MAX_FRAME - 10),
        " " * (MAX_FRAME + 1),
    ],
)
def test_what_is_deep_or_huge_is_refused(text: str) -> None:
    with pytest.raises(NotReadable):
        decode_from_terminal(text)


@pytest.mark.parametrize(
    "change",
    [
        {"request_id": CARD},
        {"outcome": CARD},
        {"result": {"kind": "read", "stripe": f";{CARD}?", "track1": None, "track2": 5}},
        {"result": {"kind": CARD}},
        {CARD: 1},
        {"frame": CARD},
    ],
)
def test_no_error_quotes_what_came(change: dict[str, object]) -> None:
    frame = {"frame": "finished", "request_id": "00000000-0000-7000-8000-00000000000a", "outcome": "CARD_READ"} | change

    with pytest.raises(NotReadable) as refusal:
        decode_from_terminal(json.dumps(frame))

    assert CARD not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_no_frame_shows_its_result() -> None:
    frame = Finished(
        request_id="00000000-0000-7000-8000-00000000000a",
        outcome=Outcome.CARD_READ,
        result=CardRead(f";{CARD}?", None, CARD),
    )

    assert CARD not in repr(frame)


TAKEN: Final = {
    "frame": "card",
    "request_id": "00000000-0000-7000-8000-00000000000a",
    "sealed": SEALED,
    "brand": "VISA",
    "last_four": "1111",
    "expiry_year": 2030,
    "expiry_month": 12,
    "fingerprint": "ab" * 32,
    "entry": "CHIP",
}


@pytest.mark.parametrize(
    "change",
    [
        {"sealed": CARD},
        {"sealed": ".".join(["a"] * 6)},
        {"sealed": f"{'a' * MAX_SEALED}.a.a.a.a"},
        {"last_four": "11112"},
        {"last_four": "１１１１"},
        {"last_four": "1111\n"},
        {"expiry_year": 30},
        {"expiry_month": 13},
        {"fingerprint": "AB" * 32},
        {"fingerprint": "ab" * 33},
        {"tip": -1},
        {"tip": MAX_AMOUNT + 1},
        {"tip": "5"},
        {"network": "VISANET"},
        {"entry": "GUESSED"},
        {"number": CARD},
    ],
)
def test_of_a_payment_card_only_what_may_be_kept_is_said(change: dict[str, object]) -> None:
    assert isinstance(decode_from_terminal(json.dumps(TAKEN)), CardTaken)
    with pytest.raises(NotReadable) as refusal:
        decode_from_terminal(json.dumps(TAKEN | change))
    assert CARD not in str(refusal.value)


@pytest.mark.parametrize("key", ["", PEM.replace("PUBLIC", "PRIVATE"), PEM + "x", PEM.replace("M", "!"), PEM + "\n" * 2_048])
def test_a_key_to_seal_with_is_a_public_key(key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        Sealing(key=key, fingerprint_key=base64.b64encode(bytes(32)).decode())


def test_no_frame_shows_a_sealed_card_or_its_fingerprint_or_the_key_of_that() -> None:
    sealing = Sealing(key=PEM, fingerprint_key=base64.b64encode(b"secret".ljust(32)).decode())
    frame = decode_from_terminal(json.dumps(TAKEN))

    assert SEALED not in repr(frame)
    assert "abab" not in repr(frame)
    assert sealing.fingerprint_key not in repr(sealing)


def test_every_frame_has_its_example_in_the_strategies() -> None:
    known = {frame.__name__ for union in (FromGateway, FromTerminal) for frame in get_args(get_args(union)[0])}
    assert known == {
        "Welcome",
        "Show",
        "Clear",
        "Extended",
        "Accepted",
        "Refused",
        "Decided",
        "Hello",
        "ScreenChanged",
        "Shown",
        "CardTaken",
        "Finished",
    }


def test_every_frame_is_on_the_page_as_it_is_said() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "device-protocol.md").read_text("utf-8")
    gateways, terminals = page.split("## What the gateway says")[1].split("## What the terminal says")

    for text, decode, frames in ((gateways, decode_from_gateway, FromGateway), (terminals, decode_from_terminal, FromTerminal)):
        examples = [decode(line) for line in re.findall(r"^\{.*\}$", text, re.MULTILINE)]
        assert {type(frame) for frame in examples} == set(get_args(get_args(frames)[0]))
