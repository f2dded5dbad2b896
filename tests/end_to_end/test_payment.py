"""Payments through real processes and sockets: a point of sale asks, a customer pays, both learn what became of it."""

from __future__ import annotations

from typing import Any, Final

import pytest

from countertop.sandbox.customer import stripe_of
from countertop.testing.caller import Caller, ended
from countertop.testing.catcher import catch
from countertop.testing.terminal import VirtualTerminal
from tests.canary import BANK, GIFT_STRIPE, WORN_STRIPE
from tests.end_to_end.process import COUNTER, ROBOT, wait_until

QUIET: Final = {"showReceiptPrompt": "false", "showSignaturePrompt": "false"}
"""Asks for nothing after the card."""


def pay(caller: Caller, amount: str, smart_terminal_id: str = COUNTER, **form: object) -> str:
    """Starts a payment and returns its id."""
    fields: dict[str, Any] = {"terminalId": 1, "amountBase": amount, **QUIET, **form}
    reply = caller.post(f"/smartterminals/{smart_terminal_id}/request-payment", fields)
    assert reply.status == 200, reply.body
    return str(reply.json["requestPaymentId"])


def transaction(caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
    """The transaction that a request led to."""
    reply = caller.get(f"/transactions/{request['transactionId']}")
    assert reply.status == 200, reply.body
    found: dict[str, Any] = reply.json
    return found


async def test_a_payment_from_end_to_end(caller: Caller, counter: VirtualTerminal) -> None:
    async with catch("secret") as catcher:
        hook = caller.post("/webhooks", {"event": "SMARTTERMINAL_REQUEST", "url": catcher.url, "secret": "secret"}).json
        prompts = {"showReceiptPrompt": "true", "showSignaturePrompt": "true", "allowTips": "true"}
        request_id = pay(caller, "20.00", billingEmail="reader@example.com", **prompts)
        assert counter.until("TIP").buttons == ("15 %", "18 %", "20 %", "No tip")
        shown = counter.press("BUTTON_3")
        assert (shown.screen, shown.lines) == ("PRESENT_CARD", ("$24.00", "Insert, swipe or tap"))
        assert counter.card(BANK).screen in {"PROCESSING", "APPROVED"}
        assert counter.until("SIGNATURE").lines == ("Please sign", "I agree to pay $24.00.")
        assert caller.post(f"/smartterminals/{COUNTER}/main").status == 400, "the card has been taken"
        assert counter.press("CANCEL").screen == "SIGNATURE"
        counter.sign()
        assert counter.until("RECEIPT").lines == ("Receipt?", "reader@example.com")
        assert counter.press("BUTTON_1").screen == "IDLE"
        request = ended(caller, request_id)
        caught = await catcher.wait_for(4)
        assert caller.delete(f"/webhooks/{hook['webhookId']}").status == 204
    statuses = [(one.data["status"], "transactionId" in one.data) for one in caught]
    assert statuses == [("CONNECTING", False), ("IN_PROGRESS", False), ("IN_PROGRESS", True), ("COMPLETE", True)]
    assert (request["status"], request["outcome"]) == ("COMPLETE", "APPROVED")
    found = transaction(caller, request)
    assert (found["amountTip"], found["amountTotal"], found["response"]["approved"]) == ("4.00", "24.00", True)
    assert found["vault"]["lastFour"] == BANK[-4:]


@pytest.mark.parametrize(
    ("entry", "amount", "method"),
    [("CHIP", "21.01", "CHIP"), ("TAP", "21.02", "CONTACTLESS"), ("SWIPE", "21.03", "SWIPED"), ("KEYED", "21.04", "KEYED")],
)
def test_a_card_comes_in_by_every_way(caller: Caller, counter: VirtualTerminal, entry: str, amount: str, method: str) -> None:
    request_id = pay(caller, amount, keyed="ALLOW")
    counter.until("PRESENT_CARD")
    counter.card(BANK, entry)
    assert counter.until("APPROVED").lines == ("Approved", f"${amount}")
    request = ended(caller, request_id)
    assert (request["outcome"], transaction(caller, request)["method"]) == ("APPROVED", method)


def test_the_amount_makes_the_test_processor_decline(caller: Caller, counter: VirtualTerminal) -> None:
    request_id = pay(caller, "0.08", showSignaturePrompt="true")
    counter.until("PRESENT_CARD")
    counter.card(BANK)
    assert counter.until("DECLINED").lines == ("Declined", "Please use another card")
    request = ended(caller, request_id)
    assert (request["status"], request["outcome"]) == ("COMPLETE", "DECLINED")
    assert transaction(caller, request)["response"]["code"] == "51"


def test_cards_that_are_not_taken(caller: Caller, counter: VirtualTerminal) -> None:
    request_id = pay(caller, "22.00")
    counter.until("PRESENT_CARD")
    assert counter.swipe(GIFT_STRIPE).screen == "CARD_NOT_SUPPORTED"
    assert counter.swipe(WORN_STRIPE).screen == "SWIPE_AGAIN"
    shown = counter.swipe(stripe_of(BANK, "201"))
    assert shown.lines == ("$22.00", "This card has a chip: please insert it")
    assert counter.card(BANK, "KEYED").screen == "PRESENT_CARD", "nobody allowed that"
    assert caller.get(f"/smartterminals/requests/{request_id}?wait=1").json == {"status": "IN_PROGRESS"}
    counter.card(BANK)
    assert ended(caller, request_id)["outcome"] == "APPROVED"


def test_a_mistyped_number_goes_nowhere(caller: Caller, counter: VirtualTerminal) -> None:
    request_id = pay(caller, "22.50", keyed="ALLOW")
    counter.until("PRESENT_CARD")
    shown = counter.card(f"{BANK[:-1]}2", "KEYED")
    assert (shown.screen, shown.lines) == ("KEYED_CARD", ("Check the number", "•••• •••• •••• ••••"))
    assert counter.press("CANCEL").screen == "CANCELLED"
    assert ended(caller, request_id) == {"status": "COMPLETE", "outcome": "CUSTOMER_CANCELLED"}


def test_before_release_2019_07_30_the_red_x_is_not_for_payments(caller: Caller, counter: VirtualTerminal) -> None:
    fields: dict[str, Any] = {"terminalId": 1, "amountBase": "23.00", **QUIET}
    reply = caller.call("POST", f"/smartterminals/{COUNTER}/request-payment", fields, headers={"PJ-Version": "2018-06-19"})
    assert reply.status == 200
    counter.until("PRESENT_CARD")
    assert counter.press("CANCEL").screen == "PRESENT_CARD"


def test_a_customer_who_pays_alone(caller: Caller) -> None:
    prompts = {"showReceiptPrompt": "true", "showSignaturePrompt": "true", "allowTips": "true", "showDebitCreditPrompt": "true"}
    request = ended(caller, pay(caller, "24.00", ROBOT, **prompts))
    assert request["outcome"] == "APPROVED"
    assert transaction(caller, request)["amountTip"] == "4.32", "its button is the second, which stands for 18 %"


def test_a_card_taken_while_unplugged_is_charged_later(caller: Caller, counter: VirtualTerminal) -> None:
    request_id = pay(caller, "25.00")
    wait_until(lambda: caller.get(f"/smartterminals/requests/{request_id}").json["status"] == "IN_PROGRESS")
    counter.unplug()
    assert counter.card(BANK).screen == "PROCESSING"
    assert caller.get(f"/smartterminals/requests/{request_id}").json == {"status": "IN_PROGRESS"}
    counter.plug()
    assert ended(caller, request_id)["outcome"] == "APPROVED"


@pytest.mark.parametrize(("field", "value"), [("number", "12"), ("number", ""), ("entry", "GUESSED")])
def test_a_card_that_there_is_not(caller: Caller, counter: VirtualTerminal, field: str, value: str) -> None:
    reply = caller.post(f"/test/smartterminals/{counter.id}/card", {"number": BANK, field: value})
    assert (reply.status, reply.json["errors"][0]["parameter"]) == (400, field)
