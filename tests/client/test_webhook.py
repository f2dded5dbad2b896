"""Webhooks as the gateway signs them, and as anybody else would like to."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

from countertop.client import BadAnswer, CardRead, Ended, NotGenuine, Outcome, Result, Status, verify_webhook
from countertop.domain.webhook import sign, sign_standard, standard_key
from countertop.testing.server import RunningServer
from countertop.testing.terminal import VirtualTerminal
from tests.canary import GIFT, GIFT_STRIPE
from tests.client.caller import Caller

SECRET = "a shop's secret"
NOW = 1_796_157_001
BODY = b'{"id": "e1", "created": "2026-12-01T20:30:01.756Z", "type": "SETTLEMENT", "data": {"settlementId": 5}}'


def headers(body: bytes = BODY, secret: str = SECRET, at: int = NOW) -> dict[str, str]:
    return {
        "Webhook-Id": "e1",
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,c29tZXRoaW5n {sign_standard(standard_key(secret), 'e1', at, body)}",
        "X-PJ-SIGNATURE": sign(secret, body),
    }


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in headers().items() if name.lower() not in names}


def test_a_delivery_of_the_gateway_is_genuine_and_tells_how_a_request_ended(
    caller: Caller, countertop_server: RunningServer, countertop_terminal: VirtualTerminal
) -> None:
    with countertop_server.catching() as catcher:
        asked = caller.begin("read_card", countertop_terminal.id, 1)
        countertop_terminal.until("SWIPE_CARD")
        countertop_terminal.swipe(GIFT_STRIPE)
        caught = catcher.wait_for(3)
    # The server's clock may have been put forward by another test.
    events = [verify_webhook(one.body, one.headers, catcher.secret, now=int(one.headers["webhook-timestamp"])) for one in caught]
    assert [event.ended() for event in events] == [None, None, asked.result(10)]
    assert GIFT not in repr(events)


def test_what_is_genuine_now_is_taken() -> None:
    at = int(time.time())
    event = verify_webhook(BODY, headers(at=at), SECRET)
    assert (event.id, event.type, event.data, event.ended()) == ("e1", "SETTLEMENT", {"settlementId": 5}, None)
    assert verify_webhook(BODY, without("x-pj-signature"), SECRET, now=NOW).id == "e1"


@pytest.mark.parametrize(
    ("sent", "now"),
    [
        (headers(), NOW + 301),
        (headers(), NOW - 301),
        (headers(secret="another"), NOW),
        (headers(BODY + b" "), NOW),
        (headers() | {"X-PJ-SIGNATURE": sign("another", BODY)}, NOW),
        (headers() | {"webhook-signature": "v1,é v2,x"}, NOW),
        (headers() | {"webhook-timestamp": f"{NOW}.0"}, NOW),
        (headers() | {"Webhook-Id": "e2"}, NOW),
        (without("webhook-signature"), NOW),
        ({}, NOW),
    ],
)
def test_what_is_not_genuine_is_not_taken(sent: Mapping[str, str], now: float) -> None:
    with pytest.raises(NotGenuine):
        verify_webhook(BODY, sent, SECRET, now=now)


def test_a_sender_that_signs_no_time_is_taken_if_that_is_wanted() -> None:
    old = {"X-Pj-Signature": sign(SECRET, BODY)}
    assert verify_webhook(BODY, old, SECRET, accept_untimed=True).id == "e1"
    for sent in ({}, {"X-Pj-Signature": sign("another", BODY)}, without("x-pj-signature")):
        with pytest.raises(NotGenuine):
            verify_webhook(BODY, sent, SECRET, accept_untimed=True, now=NOW + 301)


def test_an_end_is_read_from_an_event_and_nonsense_is_not() -> None:
    def event(data: str) -> bytes:
        return b'{"id": "e1", "created": "2026-12-01T20:30:01Z", "type": "SMARTTERMINAL_REQUEST", "data": {%b}}' % data.encode()

    def taken(body: bytes) -> Ended[Result] | None:
        return verify_webhook(body, headers(body), SECRET, now=NOW).ended()

    ended = taken(event(f'"requestId": "r", "status": "COMPLETE", "trackData": "{GIFT_STRIPE}", "outcome": "CARD_READ"'))
    assert ended == Ended("r", Status.COMPLETE, Outcome.CARD_READ, CardRead(GIFT_STRIPE, None, None))
    for body in (event('"status": []'), event('"status": "LUNCH"'), b"[]"):
        with pytest.raises(BadAnswer):
            taken(body)
    with pytest.raises(ValueError, match="without a secret"):
        verify_webhook(BODY, headers(secret=""), "", now=NOW)
