"""The fixtures that a point of sale's developer gets, used as such a developer would."""

from __future__ import annotations

import pytest

from countertop.testing.server import RunningServer, WebhookCatcher
from countertop.testing.terminal import VirtualTerminal


def test_a_card_is_read(
    countertop_server: RunningServer, countertop_terminal: VirtualTerminal, webhook_catcher: WebhookCatcher
) -> None:
    request_id = countertop_server.start("request-read")
    assert countertop_terminal.until("SWIPE_CARD").request_id == request_id
    assert countertop_terminal.swipe(";7090112233654321?").screen == "CARD_READ"
    caught = webhook_catcher.wait_for(3)
    assert [one.data["status"] for one in caught] == ["CONNECTING", "IN_PROGRESS", "COMPLETE"]
    assert all(one.verdict.good for one in caught)
    assert countertop_server.ended(request_id) == {
        "status": "COMPLETE",
        "trackData": ";7090112233654321?",
        "track2": "7090112233654321",
        "outcome": "CARD_READ",
    }


def test_the_red_x_ends_it(countertop_server: RunningServer, countertop_terminal: VirtualTerminal) -> None:
    request_id = countertop_server.start("request-read")
    countertop_terminal.until("SWIPE_CARD")
    assert countertop_terminal.press("CANCEL").screen == "CANCELLED"
    assert countertop_server.ended(request_id) == {"status": "COMPLETE", "outcome": "CUSTOMER_CANCELLED"}


def test_the_clock_is_put_forward(countertop_server: RunningServer, countertop_terminal: VirtualTerminal) -> None:
    request_id = countertop_server.start("request-read")
    countertop_terminal.until("SWIPE_CARD")
    countertop_server.advance(61)
    assert countertop_server.ended(request_id) == {"status": "COMPLETE", "outcome": "TIMED_OUT"}


def test_a_day_later_a_request_is_forgotten(countertop_server: RunningServer, countertop_terminal: VirtualTerminal) -> None:
    request_id = countertop_server.start("request-read")
    countertop_terminal.until("SWIPE_CARD")
    countertop_terminal.press("CANCEL")
    countertop_server.ended(request_id)
    countertop_server.advance(24 * 3600 + 1)
    assert countertop_server.caller.get(f"/smartterminals/requests/{request_id}").status == 404


async def test_asynchronous_tests_can_use_them_too(
    countertop_server: RunningServer, countertop_terminal: VirtualTerminal
) -> None:
    countertop_server.start("request-prompt", {"text": "Member?", "buttons[]": ["Yes", "No"]})
    assert countertop_terminal.until("PROMPT").buttons == ("Yes", "No")
    assert countertop_terminal.press("BUTTON_2").screen == "IDLE"


def test_what_is_refused_is_said(countertop_terminal: VirtualTerminal) -> None:
    with pytest.raises(AssertionError, match="status 400"):
        countertop_terminal.press("NO_SUCH_KEY")
