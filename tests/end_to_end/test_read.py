"""The main job through real processes and sockets: a card is read at a terminal, and the point of sale learns what was on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from countertop.testing.caller import Caller, ended
from countertop.testing.catcher import Reply, catch
from countertop.testing.terminal import VirtualTerminal
from tests.canary import BANK_STRIPE, GIFT, GIFT_STRIPE, MEMBER, MEMBER_STRIPE, PHONE, WORN_STRIPE
from tests.end_to_end.process import COUNTER, REAL, ROBOT, ServerProcess, post_read, wait_until

STRIPES = json.loads((Path(__file__).parents[1] / "data/stripes.json").read_text("utf-8"))
REFUSED = [stripe["raw"] for stripe in STRIPES if stripe["expect"] in ("FINANCIAL", "NOT_ELIGIBLE")]
SECRET = "a secret with ü"


async def test_a_read_from_end_to_end(caller: Caller, counter: VirtualTerminal) -> None:
    async with catch(SECRET) as catcher:
        catcher.reply = Reply(200, f"thanks for {MEMBER_STRIPE}".encode())
        hook = caller.post("/webhooks", {"event": "SMARTTERMINAL_REQUEST", "url": catcher.url, "secret": SECRET}).json
        request_id = post_read(caller)
        shown = counter.until("SWIPE_CARD")
        assert shown.request_id == request_id
        assert shown.lines == ("Please swipe your card", "Gift or membership card")
        assert counter.swipe(MEMBER_STRIPE).screen == "CARD_READ"
        caught = await catcher.wait_for(3)
        assert caller.delete(f"/webhooks/{hook['webhookId']}").status == 204
    assert [one.data["status"] for one in caught] == ["CONNECTING", "IN_PROGRESS", "COMPLETE"]
    assert all(one.verdict.good for one in caught)
    assert {one.data["requestId"] for one in caught} == {request_id}
    result = {"trackData": MEMBER_STRIPE, "track1": f"B{MEMBER}^", "track2": f"{MEMBER}=", "outcome": "CARD_READ"}
    assert caught[-1].data.items() >= result.items()
    assert ended(caller, request_id) == {"status": "COMPLETE", **result}


def test_the_answer_is_pretty_printed(caller: Caller, counter: VirtualTerminal) -> None:
    request_id = post_read(caller)
    counter.until("SWIPE_CARD")
    counter.swipe(GIFT_STRIPE)
    ended(caller, request_id)
    reply = caller.call("GET", f"/smartterminals/requests/{request_id}/", headers={"PJ-Version": "2023-05-16"})
    assert reply.headers["content-type"] == "application/json"
    assert reply.body == f'{{\n  "status" : "COMPLETE",\n  "trackData" : ";{GIFT}?",\n  "track2" : "{GIFT}"\n}}'.encode()


def test_the_red_x(caller: Caller, counter: VirtualTerminal) -> None:
    request_id = post_read(caller)
    counter.until("SWIPE_CARD")
    assert counter.press("CANCEL").screen == "CANCELLED"
    assert ended(caller, request_id) == {"status": "COMPLETE", "outcome": "CUSTOMER_CANCELLED"}


def test_main(caller: Caller, counter: VirtualTerminal) -> None:
    request_id = post_read(caller)
    counter.until("SWIPE_CARD")
    assert caller.post(f"/smartterminals/{COUNTER}/main").status == 204
    assert ended(caller, request_id) == {"status": "COMPLETE", "outcome": "MERCHANT_CANCELLED"}
    counter.until("IDLE")


def test_busy(caller: Caller, counter: VirtualTerminal) -> None:
    post_read(caller)
    counter.until("SWIPE_CARD")
    assert ended(caller, post_read(caller)) == {"status": "BUSY", "outcome": "TERMINAL_BUSY"}


def test_no_card_that_could_be_for_payment_is_read(caller: Caller, counter: VirtualTerminal) -> None:
    request_id = post_read(caller)
    wait_until_shown(caller, request_id)
    for stripe in [*REFUSED, BANK_STRIPE]:
        shown = counter.swipe(stripe)
        assert (shown.screen, shown.request_id) == ("CARD_NOT_SUPPORTED", request_id)
    assert caller.get(f"/smartterminals/requests/{request_id}").json == {"status": "IN_PROGRESS"}
    counter.swipe(GIFT_STRIPE)
    assert ended(caller, request_id)["track2"] == GIFT


def test_the_third_unreadable_swipe_is_the_last(caller: Caller, counter: VirtualTerminal) -> None:
    request_id = post_read(caller)
    counter.until("SWIPE_CARD")
    assert [counter.swipe(WORN_STRIPE).screen for _ in range(2)] == ["SWIPE_AGAIN", "SWIPE_AGAIN"]
    counter.swipe(WORN_STRIPE)
    assert ended(caller, request_id) == {"status": "COMPLETE", "outcome": "READ_FAILED"}


def test_a_phone_number_is_typed(caller: Caller, counter: VirtualTerminal) -> None:
    request_id = post_read(caller, kind="request-input", type="PHONE")
    counter.until("INPUT")
    counter.type(PHONE)
    assert ended(caller, request_id) == {"status": "COMPLETE", "input": PHONE, "outcome": "INPUT_ENTERED"}


@pytest.mark.parametrize(
    ("kind", "form", "outcome"),
    [
        ("request-read", {}, "CARD_READ"),
        ("request-prompt", {"text": "Member?", "buttons[]": ["Yes", "No"]}, "BUTTON_PRESSED"),
        ("request-input", {"type": "PHONE"}, "INPUT_ENTERED"),
        ("request-signature", {"terms": "I agree."}, "SIGNED"),
    ],
)
def test_a_customer_who_acts_alone(caller: Caller, kind: str, form: dict[str, object], outcome: str) -> None:
    assert ended(caller, post_read(caller, ROBOT, kind, **form))["outcome"] == outcome


def wait_until_shown(caller: Caller, request_id: str) -> None:
    """Returns when the gateway knows that the terminal shows a request; on the screen it is a moment earlier."""
    wait_until(lambda: caller.get(f"/smartterminals/requests/{request_id}").json["status"] == "IN_PROGRESS")


def test_what_was_read_while_unplugged_arrives_later(caller: Caller, counter: VirtualTerminal) -> None:
    request_id = post_read(caller)
    wait_until_shown(caller, request_id)
    assert counter.unplug().online is False
    assert counter.swipe(GIFT_STRIPE).screen == "CARD_READ"
    assert caller.get(f"/smartterminals/requests/{request_id}").json == {"status": "IN_PROGRESS"}
    assert counter.plug().online is True
    assert ended(caller, request_id)["trackData"] == GIFT_STRIPE


def test_a_request_waits_for_a_terminal_that_comes_back(caller: Caller, counter: VirtualTerminal) -> None:
    counter.unplug()
    request_id = post_read(caller)
    assert caller.get(f"/smartterminals/requests/{request_id}").json == {"status": "CONNECTING"}
    counter.plug()
    assert counter.until("SWIPE_CARD").request_id == request_id


def test_deadlines(caller: Caller, counter: VirtualTerminal) -> None:
    shown = post_read(caller)
    counter.until("SWIPE_CARD")
    wait_until(lambda: caller.get(f"/smartterminals/requests/{shown}").json["status"] == "IN_PROGRESS")
    assert caller.post("/test/clock/advance", {"seconds": 61}).status == 200
    assert ended(caller, shown) == {"status": "COMPLETE", "outcome": "TIMED_OUT"}
    counter.until("IDLE")

    lost = post_read(caller)
    counter.until("SWIPE_CARD")
    wait_until(lambda: caller.get(f"/smartterminals/requests/{lost}").json["status"] == "IN_PROGRESS")
    counter.unplug()
    wait_until(lambda: not online(caller))
    caller.post("/test/clock/advance", {"seconds": 61})
    assert ended(caller, lost) == {"status": "NO_CONNECTION", "outcome": "TERMINAL_LOST"}

    never_shown = post_read(caller)
    caller.post("/test/clock/advance", {"seconds": 11})
    assert ended(caller, never_shown) == {"status": "NO_CONNECTION", "outcome": "TERMINAL_UNREACHABLE"}


def online(caller: Caller) -> bool:
    devices = caller.get("/smartterminals").json["results"]
    return bool(next(device["online"] for device in devices if device["smartTerminalId"] == COUNTER))


def test_only_virtual_terminals_have_a_test_path(caller: Caller) -> None:
    assert caller.get(f"/test/smartterminals/{REAL}/screen").status == 404
    assert caller.get("/test/smartterminals/nonsense/screen").status == 404
    assert caller.post(f"/test/smartterminals/{COUNTER}/swipe").status == 400
    assert caller.post("/test/clock/advance", {"seconds": "-1"}).status == 400
    assert caller.post("/test/clock/advance", {"seconds": "nan"}).status == 400


def test_the_test_paths_need_a_login(shared_server: ServerProcess) -> None:
    with Caller(shared_server.url, "nobody", "nothing", "none") as stranger:
        assert stranger.get(f"/test/smartterminals/{COUNTER}/screen").status == 401
        assert stranger.post("/test/clock/advance", {"seconds": 1}).status == 401


def test_the_page_needs_no_login_here(caller: Caller) -> None:
    page = f"/virtual-terminal/{COUNTER}"
    assert caller.call("GET", page).status == 200
    elsewhere = {"Host": "attacker.example", "Authorization": "Basic !"}
    assert caller.call("GET", page, headers=elsewhere).status == 401
    assert caller.call("GET", page, headers={"Host": "10.0.0.7"}).status == 200  # with the login
