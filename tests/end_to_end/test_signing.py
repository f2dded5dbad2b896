"""Signing from afar: a mail asks, its link leads to a page, and what is drawn there signs the receipt."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
import urllib3

from countertop.testing.caller import Caller, Form
from tests.canary import BANK

STROKES = [[[100, 100], [500, 300]], [[700, 50]]]


@pytest.fixture
def browser() -> Iterator[urllib3.PoolManager]:
    """Somebody with a mail in front of them, and no login."""
    with urllib3.PoolManager(retries=False) as pool:
        yield pool


def pay(caller: Caller, amount: str) -> int:
    form: Form = {"cardNumber": BANK, "cardExpMonth": "12", "cardExpYear": "2030", "amountBase": amount, "terminalId": 1}
    reply = caller.post("/transactions", form)
    assert (reply.status, reply.json["status"]) == (200, "CAPTURE")
    number: int = reply.json["transactionId"]
    return number


def mail(caller: Caller, number: int, **form: str) -> dict[str, str]:
    """The mail that is sent."""
    fields = {"to": "jane@customer.example", "replyTo": "shop@corner.example", **form}
    assert caller.post(f"/transactions/{number}/receipts/latest/email", fields).status == 204
    newest: dict[str, str] = caller.get("/test/mails?limit=1").json["results"][0]
    return newest


def link(caller: Caller, number: int) -> str:
    sent = mail(caller, number)
    found = re.search(r"^Please sign this receipt:\n(\S+)$", sent["text"], re.MULTILINE)
    assert found is not None, sent["text"]
    assert found[1] in sent["html"]  # of the same mail: the link holds the second that it runs out in
    return found[1]


def sign(browser: urllib3.PoolManager, address: str, signature: object = STROKES, name: str = "") -> urllib3.BaseHTTPResponse:
    return browser.request_encode_body(
        "POST", address, {"signature": json.dumps(signature), "name": name}, encode_multipart=False
    )


def test_a_receipt_is_signed_by_a_link_in_a_mail(caller: Caller, browser: urllib3.PoolManager) -> None:
    number = pay(caller, "61.00")
    address = link(caller, number)
    for _ in range(2):  # mail servers look, too
        page = browser.request("GET", address)
        assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (page.headers["referrer-policy"], page.headers["cache-control"]) == ("no-referrer", "no-store")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "I agree to pay $61.00." in page.data.decode()
    assert caller.get(f"/transactions/{number}").json.get("signatureStatus") is None

    assert sign(browser, address, name="Jane <Doe>\n").status == 200

    signature = caller.get(f"/transactions/{number}/receipts/latest").json["signature"]
    assert (signature["source"], signature["signedBy"]) == ("REMOTE_CAPTURE", {"ipAddress": "127.0.0.1", "name": "Jane <Doe>"})
    assert caller.get(f"/transactions/{number}").json["signatureStatus"] == "SIGNED"
    for again in (sign(browser, address), browser.request("GET", address)):
        assert b"This receipt is signed" in again.data
    assert len(caller.get(f"/transactions/{number}/receipts").json["results"]) == 1
    assert "Please sign" not in mail(caller, number)["text"]


def test_nobody_is_asked_where_nothing_is_to_be_signed(caller: Caller, browser: urllib3.PoolManager) -> None:
    number = pay(caller, "62.00")
    assert "Please sign" not in str(mail(caller, number, requestSignature="false"))
    address = link(caller, number)
    assert caller.put(f"/transactions/{number}", {"status": "VOID"}).status == 200
    assert "Please sign" not in str(mail(caller, number))
    assert b"Nothing to sign" in sign(browser, address).data
    assert caller.get(f"/transactions/{number}/receipts").json == {"results": []}


def test_a_signature_is_drawn(caller: Caller, browser: urllib3.PoolManager) -> None:
    number = pay(caller, "63.00")
    address = link(caller, number)
    wrong: list[object] = [[], [[]], [[[1001, 1]]], "x", None, [[[1, 2, 3]]]]
    for nothing in wrong:
        refused = sign(browser, address, nothing)
        assert (refused.status, b"Please sign in the field." in refused.data) == (400, True)
    assert browser.request("POST", address, body=b"signature=%5B%5D&signature=%5B%5D").status == 404
    assert caller.get(f"/transactions/{number}/receipts").json == {"results": []}


def test_only_the_address_of_the_mail_leads_there(caller: Caller, browser: urllib3.PoolManager) -> None:
    address = link(caller, pay(caller, "64.00"))
    place, _, text = address.rpartition("/")
    changed = f"{'A' if text[0] != 'A' else 'B'}{text[1:]}"
    for wrong in (changed, text[:-1], f"{text}A", "x", "sign.html", "..%2fpage.py"):
        assert browser.request("GET", f"{place}/{wrong}").status == 404
        assert sign(browser, f"{place}/{wrong}").status == 404
    for name, kind in (("sign.js", "text/javascript"), ("sign.css", "text/css")):
        assert browser.request("GET", f"{place}/{name}").headers["content-type"].startswith(kind)
