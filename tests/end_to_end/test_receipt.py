"""Receipts of a test server: on paper, and in mails that can be read."""

from __future__ import annotations

from countertop.testing.caller import Caller, Form
from tests.canary import BANK

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
