"""The bus of one node, and hints as they travel."""

from __future__ import annotations

import contextlib
import json

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from countertop.domain.delivery import Delivery
from countertop.domain.errors import NotReadable
from countertop.domain.hint import ClearHint, ConnectionHint, DeliveryHint, Hint, RequestHint, ShowHint
from countertop.domain.order import ReadOrder
from countertop.domain.result import CardRead
from countertop.gateway.bus.local import LocalBus
from countertop.gateway.bus.message import decode, encode, to_item

STRIPE = ";7090112233654321?"
DELIVERY = Delivery(
    event_id="event",
    webhook_id="webhook",
    merchant_id="merchant",
    account_id=None,
    type="SMARTTERMINAL_REQUEST",
    created=0,
    release="2026-12-01",
    subject_id="request",
    sequence=3,
    data={"status": "COMPLETE"},
    result=CardRead(STRIPE, None, STRIPE[1:-1]),
    url="https://example.com/",
    secret="secret",
    attempts=0,
)


def test_a_listener_hears_its_own_kind_in_order() -> None:
    bus, heard = LocalBus(), list[Hint]()
    bus.subscribe(RequestHint, heard.append)
    bus.publish([RequestHint("1"), ClearHint("t", "1"), RequestHint("2")])
    assert heard == [RequestHint("1"), RequestHint("2")]


def test_a_failing_listener_disturbs_no_other() -> None:
    bus, heard = LocalBus(), list[Hint]()

    def fail(_: RequestHint) -> None:
        raise RuntimeError("not today")

    bus.subscribe(RequestHint, fail)
    bus.subscribe(RequestHint, heard.append)
    with structlog.testing.capture_logs() as logs:
        bus.publish([RequestHint("1"), RequestHint("2")])
    assert heard == [RequestHint("1"), RequestHint("2")]
    assert [entry["log_level"] for entry in logs] == ["error", "error"]


def test_a_listener_that_left_hears_nothing_and_may_leave_again() -> None:
    bus, one, two = LocalBus(), list[Hint](), list[Hint]()
    leave = bus.subscribe(RequestHint, one.append)
    bus.subscribe(RequestHint, two.append)
    leave()
    leave()
    bus.publish([RequestHint("1")])
    assert (one, two) == ([], [RequestHint("1")])


def test_listeners_may_come_and_go_while_a_hint_is_told() -> None:
    bus, heard = LocalBus(), list[Hint]()

    def once(_: RequestHint) -> None:
        leave()
        bus.subscribe(RequestHint, heard.append)

    leave = bus.subscribe(RequestHint, once)
    bus.publish([RequestHint("1"), RequestHint("2")])
    assert heard == [RequestHint("2")]


@pytest.mark.parametrize(
    "hint",
    [
        ShowHint("terminal", "request"),
        ClearHint("terminal", "request"),
        RequestHint("request"),
        ConnectionHint("t", "c"),
        DeliveryHint(),
    ],
)
def test_a_hint_survives_the_journey(hint: Hint) -> None:
    item = to_item(hint)
    assert item is not None
    assert decode(encode("node", [item])) == ("node", [hint])


def test_what_a_hint_carries_beside_its_keys_stays_at_home() -> None:
    item = to_item(ShowHint("terminal", "request", ReadOrder()))
    assert item is not None
    assert decode(encode("node", [item])) == ("node", [ShowHint("terminal", "request")])
    assert to_item(DeliveryHint((DELIVERY,))) is None


def test_a_hint_does_not_show_what_it_carries() -> None:
    assert STRIPE[1:-1] not in repr(DeliveryHint((DELIVERY,)))
    assert "secret" not in repr(DELIVERY)


def test_kinds_from_a_newer_version_are_left_out_and_longer_ones_understood() -> None:
    message = json.dumps({"node": "n", "hints": [["party", "x"], ["request", "r", "more"]], "more": 1}).encode()
    assert decode(message) == ("n", [RequestHint("r")])


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\xff",
        b"null",
        b"[]",
        b'{"node":"n"}',
        b'{"node":1,"hints":[]}',
        b'{"node":"n","hints":1}',
        b'{"node":"n","hints":[1]}',
        b'{"node":"n","hints":[[]]}',
        b'{"node":"n","hints":[[1]]}',
        b'{"node":"n","hints":[["show","t"]]}',
        b'{"node":"n","hints":[["request",1]]}',
        b"[" * 100_000,
    ],
)
def test_a_message_that_is_none_is_refused(message: bytes) -> None:
    with pytest.raises(NotReadable):
        decode(message)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(message: bytes) -> None:
    with contextlib.suppress(NotReadable):
        decode(message)
