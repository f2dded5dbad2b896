"""Receipts and signatures: objects, pages, pictures, mails."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from countertop.domain.clock import MINUTE
from countertop.domain.hint import ShowHint
from countertop.domain.order import PaymentOrder
from countertop.domain.request import Outcome
from countertop.domain.result import Signed
from countertop.gateway.http.parts import ApiParts
from countertop.gateway.mail.smtp import SmtpMailer
from tests.http.gateway import Gateway, running_gateway
from tests.http.harness import SMART_TERMINAL, Client, assert_error_shape
from tests.http.test_transaction import make
from tests.postbox import SENDER, postbox

STROKES = "[[[100,100],[300,200],[500,100]],[[700,50]]]"
SCRIPTEL = "}SCRIPTEL A ST1501 01.00.04 F?7;?F7;F?;7 ?F;7]"
MAIL = {"to": "jane@customer.example", "replyTo": "shop@corner.example"}


async def capture(client: Client, number: int, **form: str) -> dict[str, Any]:
    reply = await client.post(f"/transactions/{number}/signature/capture", {"signature": STROKES, **form})
    assert reply.status == 200, reply.body
    body = reply.json
    assert isinstance(body, dict)
    return body


def pixels(png: bytes) -> list[bytes]:
    """The rows of a grey picture. Every chunk has its right check value."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    at, data, size = 8, b"", (0, 0)
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length]) == (zlib.crc32(kind + content),)
        if kind == b"IHDR":
            size = struct.unpack(">II", content[:8])
        data += content if kind == b"IDAT" else b""
        at += 12 + length
    lines = zlib.decompress(data)
    width, height = size
    assert len(lines) == (width + 1) * height
    return [lines[row * (width + 1) + 1 : (row + 1) * (width + 1)] for row in range(height)]


async def test_a_captured_signature_signs_the_transaction(client: Client, other: Client) -> None:
    number = (await make(client))["transactionId"]
    assert (await client.get(f"/transactions/{number}/receipts")).json == {"results": []}
    signed = await capture(client, number, name="Jane Doe")
    assert signed["signatureStatus"] == "SIGNED"
    latest = (await client.get(f"/transactions/{number}/receipts/latest")).json
    here = f"{client.url}/transactions/{number}/receipts"
    assert latest == {
        "uri": f"{here}/latest",
        "signatureStatus": "SIGNED",
        "terms": "10.00",
        "signatureUpToDate": True,
        "signature": {
            "signedBy": {"name": "Jane Doe"},
            "dateSigned": latest["created"],
            "source": "API",
            "image": {"uri": f"{here}/latest/signature"},
        },
        "documents": {"thermal": {"uri": f"{here}/latest/thermal"}, "fullpage": {"uri": f"{here}/latest/fullpage"}},
        "actions": {"email": {"uri": f"{here}/latest/email"}},
        "created": latest["created"],
        "lastModified": latest["created"],
    }
    (listed,) = (await client.get(f"/transactions/{number}/receipts")).json["results"]
    own = listed["uri"].removeprefix(client.url)
    assert (await client.get(own)).json == listed
    for path in (own, f"{own}/signature", f"/transactions/{number}/receipts/latest/thermal"):
        assert (await other.get(path)).status == 404
    await client.ask("PUT", f"/transactions/{number}", {"amountBase": "9.00"})
    assert (await client.get(own)).json["signatureUpToDate"] is False


async def test_a_receipt_that_nobody_signed_is_shown_and_printed(client: Client) -> None:
    number = (await make(client))["transactionId"]
    for which in ("latest", "unsigned"):
        path = f"/transactions/{number}/receipts/{which}"
        body = (await client.get(path)).json
        assert list(body) == ["uri", "terms", "documents", "actions", "created", "lastModified"]
        for page in body["documents"].values():
            reply = await client.get(page["uri"].removeprefix(client.url), Accept="application/json")
            assert (reply.status, reply.headers["content-type"]) == (200, "text/html")
            assert "Cardholder’s signature" in reply.body.decode()
        assert (await client.get(f"{path}/signature")).status == 404


async def test_a_page_says_everything_and_escapes_it(client: Client) -> None:
    number = (await make(client, {"amountSurcharge": ""}, billingCompanyName="<b>Doe & Co", invoiceNumber="A1"))["transactionId"]
    await capture(client, number)
    for layout in ("thermal", "fullpage"):
        reply = await client.get(f"/transactions/{number}/receipts/latest/{layout}")
        page = reply.body.decode()
        for text in (
            "Corner Books",
            "•••• 1111",
            "PJ20AP",
            "APPROVED",
            "A1",
            "&lt;b&gt;Doe &amp; Co",
            "UTC",
            "data:image/png;base64,",
        ):
            assert text in page
        assert "$10.00" in page
        assert "4444333322221111" not in page
        assert "default-src 'none'" in reply.headers["content-security-policy"]


async def test_the_picture_is_a_drawing_of_the_strokes(client: Client) -> None:
    number = (await make(client))["transactionId"]
    await capture(client, number)
    reply = await client.get(f"/transactions/{number}/receipts/latest/signature", Accept="image/*")
    assert (reply.status, reply.headers["content-type"]) == (200, "image/png")
    rows = pixels(reply.body)
    assert (len(rows[0]), len(rows)) == (600, 240)
    assert rows[60][60] == rows[30][420] == 0  # the first point, and the dot
    assert rows[200][60] == 255
    assert {level for row in rows for level in row} - {0, 255}  # soft edges


async def test_what_a_scriptel_pad_types_is_understood(client: Client) -> None:
    number = (await make(client))["transactionId"]
    assert (await capture(client, number, signature=SCRIPTEL))["signatureStatus"] == "SIGNED"
    rows = pixels((await client.get(f"/transactions/{number}/receipts/latest/signature")).body)
    assert rows[round(144 * 0.6)][round(726 * 0.6)] == 0


@pytest.mark.parametrize(
    "signature",
    ["x", "[]", "[[]]", "[[[1,2,3]]]", "[[[1001,2]]]", "[[[1,2.5]]]", "}SCRIPTEL A ST1501 01.00.04 F?7;", "}SCRIPTEL B x y ]"],
)
async def test_what_is_no_signature_is_refused(client: Client, signature: str) -> None:
    number = (await make(client))["transactionId"]
    reply = await client.post(f"/transactions/{number}/signature/capture", {"signature": signature})
    assert (reply.status, reply.faults) == (400, [("signature", "invalid", "Signature is invalid.")])


async def test_a_declined_transaction_is_not_signed(client: Client) -> None:
    number = (await make(client, amountBase="0.05"))["transactionId"]
    reply = await client.post(f"/transactions/{number}/signature/capture", {"signature": STROKES})
    assert (reply.status, reply.faults[0][0]) == (400, "transactionId")
    page = (await client.get(f"/transactions/{number}/receipts/latest/thermal")).body.decode()
    assert "DECLINED" in page
    assert "Cardholder’s signature" not in page


async def test_the_signature_of_a_request_is_a_picture(gateway: Gateway, other: Client) -> None:
    client = gateway.client
    form = {"terminalId": 1, "terms": "I agree."}
    request_id = (await client.post(f"/smartterminals/{SMART_TERMINAL}/request-signature", form)).json["requestId"]
    path = f"/smartterminals/signatures/{request_id}/image"
    assert (await client.get(path)).status == 404
    await gateway.finish(request_id, Outcome.SIGNED, Signed((((100, 100), (900, 300)),)))
    signature_id = (await client.get(f"/smartterminals/requests/{request_id}")).json["signatureId"]
    reply = await client.get(f"/smartterminals/signatures/{signature_id}/image")
    assert reply.headers["content-type"] == "image/png"
    assert pixels(reply.body)[120][300] == 0
    assert (await other.get(path)).status == 404


async def test_a_receipt_is_mailed(gateway: Gateway) -> None:
    client = gateway.client
    number = (await make(client))["transactionId"]
    await capture(client, number)
    reply = await client.post(f"/transactions/{number}/receipts/latest/email", MAIL)
    assert (reply.status, reply.body) == (204, b"")
    message = gateway.outbox.kept[0].message
    assert (message["To"], message["Reply-To"], message["Subject"]) == (*MAIL.values(), "Receipt from Corner Books: $10.00")
    page = message.get_body(("html",))
    assert page is not None
    assert 'src="cid:signature@receipt"' in page.get_content()
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
    ]


@pytest.mark.parametrize("to", ["", "jane", "a@b", "a@b.c, d@e.f", "a@b.c\nBcc: d@e.f", "<a@b.c>", "é@b.c"])
async def test_a_mail_needs_an_address(client: Client, to: str) -> None:
    number = (await make(client))["transactionId"]
    reply = await client.post(f"/transactions/{number}/receipts/latest/email", {"to": to})
    assert_error_shape(reply, 400)
    assert reply.faults == [
        ("replyTo", "required", "Reply To is required."),
        ("to", *(("invalid", "To is invalid.") if to else ("required", "To is required."))),
    ]


async def test_a_mail_goes_through_a_real_mail_server(tmp_path: Path) -> None:
    async with postbox() as box, running_gateway(tmp_path, mailer=SmtpMailer(box.url, SENDER)) as gateway:
        number = (await make(gateway.client))["transactionId"]
        reply = await gateway.client.post(f"/transactions/{number}/receipts/latest/email", MAIL)
        assert reply.status == 204
    (letter,) = box.letters
    assert (letter.mail_from, letter.rcpt_tos) == ("receipts@corner.example", [MAIL["to"]])
    assert isinstance(letter.content, bytes)
    assert b"\r\nFrom: Countertop <receipts@corner.example>\r\n" in letter.content


async def test_a_mail_is_on_record_and_tried_again_whatever_the_mail_server_says(tmp_path: Path) -> None:
    async with postbox("550 no") as box, running_gateway(tmp_path, mailer=SmtpMailer(box.url, SENDER)) as gateway:
        number = (await make(gateway.client))["transactionId"]
        reply = await gateway.client.post(f"/transactions/{number}/receipts/latest/email", MAIL)
        assert (reply.status, len(box.letters)) == (204, 1)
        gateway.clock.advance(MINUTE)
        await gateway.postman.drain()
        assert len(box.letters) == 2


async def test_a_mail_that_is_ordered_twice_under_one_key_is_sent_once(gateway: Gateway) -> None:
    number = (await make(gateway.client))["transactionId"]
    for _ in range(2):
        path = f"/transactions/{number}/receipts/latest/email"
        assert (await gateway.client.post(path, MAIL, Idempotency_Key="mail-1")).status == 204
    assert len(gateway.outbox.kept) == 1


async def test_a_mail_about_another_merchants_transaction_is_refused(client: Client, other: Client) -> None:
    number = (await make(client))["transactionId"]
    assert_error_shape(await other.post(f"/transactions/{number}/receipts/latest/email", MAIL), 404)


@pytest.mark.parametrize(
    ("mails", "email", "offered"),
    [(True, "a@b.example", "a@b.example"), (True, "a,b@c.example", ""), (False, "a@b.example", "")],
)
async def test_a_terminal_offers_a_mail_only_where_one_could_be_sent(
    tmp_path: Path, mails: bool, email: str, offered: str
) -> None:
    def change(parts: ApiParts) -> ApiParts:
        return parts if mails else replace(parts, send_mail=None)

    async with running_gateway(tmp_path, change=change) as gateway:
        shown: list[ShowHint] = []
        gateway.parts.bus.subscribe(ShowHint, shown.append)
        form = {"terminalId": 1, "amountBase": "1.00", "billingEmail": email}
        assert (await gateway.client.post(f"/smartterminals/{SMART_TERMINAL}/request-payment", form)).status == 200
    assert isinstance(shown[0].order, PaymentOrder)
    assert shown[0].order.receipt_email == offered


async def test_without_a_mail_server_nothing_is_mailed(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, change=lambda parts: replace(parts, send_mail=None)) as gateway:
        number = (await make(gateway.client))["transactionId"]
        reply = await gateway.client.post(f"/transactions/{number}/receipts/latest/email", MAIL)
        assert (reply.status, reply.faults) == (400, [(None, None, "This server sends no mail: SMTP_URL is not set.")])
