"""Receipts of a test server: on paper, and in mails that can be read."""

from __future__ import annotations

import asyncio

from countertop.testing.caller import Caller, Form
from countertop.testing.terminal import VirtualTerminal
from tests.canary import BANK
from tests.end_to_end.conftest import StartServer
from tests.end_to_end.process import COUNTER, terminal, wait_until
from tests.postbox import SENDER, postbox

FORM: Form = {"cardNumber": BANK, "cardExpMonth": "12", "cardExpYear": "2030", "amountBase": "31.00", "terminalId": 1}


def test_a_receipt_is_printed_and_its_mail_can_be_read(caller: Caller) -> None:
    reply = caller.post("/transactions", FORM)
    assert (reply.status, reply.json["status"]) == (200, "CAPTURE")
    receipts = f"/transactions/{reply.json['transactionId']}/receipts"
    assert b"$31.00" in caller.get(f"{receipts}/latest/thermal").body
    mail = {"to": "jane@customer.example", "replyTo": "shop@corner.example"}
    assert caller.post(f"{receipts}/latest/email", mail).status == 204
    (kept, *_) = caller.get("/test/mails").json["results"]
    assert (kept["to"], kept["replyTo"]) == (mail["to"], mail["replyTo"])
    assert "Total: $31.00" in kept["text"]
    assert "$31.00" in kept["html"]
    assert BANK not in str(kept)


def pay_and_choose_a_mail(caller: Caller, counter: VirtualTerminal, amount: str) -> None:
    """A customer pays and wants the receipt by mail."""
    form: Form = {"terminalId": 1, "amountBase": amount, "showSignaturePrompt": "false", "billingEmail": "jane@customer.example"}
    assert caller.post(f"/smartterminals/{COUNTER}/request-payment", form).status == 200
    counter.until("PRESENT_CARD")
    counter.card(BANK)
    assert counter.until("RECEIPT").lines == ("Receipt?", "jane@customer.example")
    counter.press("BUTTON_1")


def test_the_receipt_that_a_customer_chose_is_mailed(caller: Caller, counter: VirtualTerminal) -> None:
    pay_and_choose_a_mail(caller, counter, "32.00")

    def mails() -> list[str]:
        return [mail["text"] for mail in caller.get("/test/mails").json["results"] if mail["to"] == "jane@customer.example"]

    wait_until(lambda: any("Total: $32.00" in text for text in mails()))


async def test_a_server_that_is_killed_with_a_receipt_in_hand_sends_it_in_its_next_life(start_server: StartServer) -> None:
    async with postbox() as box:
        box.held = True
        server = await asyncio.to_thread(start_server, smtp_url=box.url, smtp_from=SENDER)
        with server.caller() as caller:
            await asyncio.to_thread(pay_and_choose_a_mail, caller, terminal(caller), "33.00")
            await box.wait_for(1)
        server.kill()
        box.held = False
        await asyncio.to_thread(server.start)
        with server.caller() as caller:
            assert (await asyncio.to_thread(caller.post, "/test/clock/advance", {"seconds": 180})).status == 200
        await box.wait_for(2)
    lost, sent = box.messages
    assert (lost["To"], lost["Message-ID"]) == (sent["To"], sent["Message-ID"])
