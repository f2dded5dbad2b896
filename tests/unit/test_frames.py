"""Frames and their codec: what is legal survives the way, everything else is refused without being quoted."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countertop.domain.errors import NotReadable
from countertop.domain.order import InputOrder, PromptOrder, ReadOrder, SignatureOrder
from countertop.domain.request import Outcome
from countertop.domain.result import ButtonPressed, CardRead, InputEntered, Signed
from countertop.protocol.frames import (
    MAX_FRAME,
    Accepted,
    Clear,
    Extended,
    Finished,
    FromGateway,
    FromTerminal,
    Hello,
    Refused,
    ScreenChanged,
    Show,
    Shown,
    Welcome,
    decode_from_gateway,
    decode_from_terminal,
    encode,
)
from countertop.protocol.screens import Screen

CARD = "7090112233654321"

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
)
results = st.one_of(
    st.builds(CardRead, texts, st.none() | texts, st.none() | texts),
    st.builds(ButtonPressed, texts),
    st.builds(InputEntered, texts),
    st.builds(Signed, st.lists(st.lists(points, max_size=5).map(tuple), max_size=5).map(tuple)),
)
gateway_frames: st.SearchStrategy[FromGateway] = st.one_of(
    st.builds(Welcome, nick_name=texts, merchant=texts, server=st.sampled_from(["test", "production"])),
    st.builds(Show, request_id=ids, order=orders, remaining=milliseconds),
    st.builds(Clear, request_id=ids),
    st.builds(Extended, request_id=ids, remaining=milliseconds),
    st.builds(Accepted, request_id=ids),
    st.builds(Refused, request_id=ids, reason=texts),
)
terminal_frames: st.SearchStrategy[FromTerminal] = st.one_of(
    st.builds(Hello, software=st.text(st.characters(codec="utf-8"), max_size=64), screen=screens, request_id=st.none() | ids),
    st.builds(ScreenChanged, screen=screens, request_id=st.none() | ids),
    st.builds(Shown, request_id=ids),
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


def test_every_frame_has_its_example_in_the_strategies() -> None:
    known = {frame.__name__ for union in (FromGateway, FromTerminal) for frame in get_args(get_args(union)[0])}
    assert known == {
        "Welcome",
        "Show",
        "Clear",
        "Extended",
        "Accepted",
        "Refused",
        "Hello",
        "ScreenChanged",
        "Shown",
        "Finished",
    }


def test_every_frame_is_on_the_page_as_it_is_said() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "device-protocol.md").read_text("utf-8")
    gateways, terminals = page.split("## What the gateway says")[1].split("## What the terminal says")

    for text, decode, frames in ((gateways, decode_from_gateway, FromGateway), (terminals, decode_from_terminal, FromTerminal)):
        examples = [decode(line) for line in re.findall(r"^\{.*\}$", text, re.MULTILINE)]
        assert {type(frame) for frame in examples} == set(get_args(get_args(frames)[0]))
