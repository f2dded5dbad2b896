"""The table of what is served, held against the routes, against its page, and by calling every row of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from countertop.domain.request import Outcome
from countertop.domain.result import Signed
from countertop.gateway.http.compatibility import NOT_SERVED, SERVED, Row, compatibility_page
from tests.http.gateway import Gateway
from tests.http.harness import IDLE_TERMINAL, SMART_TERMINAL, Client, Reply
from tests.http.test_receipt import MAIL, STROKES
from tests.http.test_transaction import CARD_FORM, NO_SURCHARGE, make

PAGE = Path(__file__).parents[2] / "docs/explanation/compatibility.md"
ID = "49d86afd-daa5-4429-8b5f-b66c157192a8"
TARGET: dict[str, object] = {"terminalId": 1}
FORMS: dict[str, Mapping[str, object]] = {
    "request-payment": {**TARGET, **NO_SURCHARGE, "amountBase": "1.00"},
    "request-signature": {**TARGET, "terms": "I agree."},
    "request-prompt": {**TARGET, "text": "Bag?", "buttons[]": ["Yes", "No"]},
    "request-input": {**TARGET, "type": "PHONE"},
    "request-read": TARGET,
    "webhooks": {"event": "TRANSACTION", "url": "https://pos.example/hook"},
    "{webhookId}": {"secret": "s"},
    "transactions": {**CARD_FORM, **NO_SURCHARGE, "amountBase": "7.00"},
    "{transactionId}": {"invoiceNumber": "B2"},
    "notes": {"note": "Hello"},
    "{noteId}": {"note": "Bye"},
    "email": MAIL,
    "capture": {"signature": STROKES},
    "level3": {"items[]": '{"description" : "Pen", "amountTotal" : "10.00"}'},
}
"""What a POST or PUT sends, by the last part of its path."""


@dataclass
class Things:
    """What there is to call: a signed transaction with a note, another that is settled, a signature, a webhook."""

    ids: dict[str, str]

    def path(self, row: Row) -> str:
        return re.sub(r"\{(\w+)\}", lambda name: self.ids[name[1]], row.path)


async def prepare(gateway: Gateway) -> Things:
    client = gateway.client

    async def post(path: str, form: Mapping[str, object]) -> dict[str, Any]:
        reply = await client.post(path, form)
        assert reply.status == 200, reply.body
        body = reply.json
        assert isinstance(body, dict)
        return body

    await make(client, invoiceNumber="settled")
    await gateway.settle()
    number = (await make(client, amountBase="20"))["transactionId"]
    note = await post(f"/transactions/{number}/notes", {"note": "Hello"})
    await post(f"/transactions/{number}/signature/capture", {"signature": STROKES})
    (receipt,) = (await client.get(f"/transactions/{number}/receipts")).json["results"]
    webhook = await post("/webhooks", FORMS["webhooks"])
    request = (await post(f"/smartterminals/{SMART_TERMINAL}/request-signature", FORMS["request-signature"]))["requestId"]
    await gateway.finish(request, Outcome.SIGNED, Signed((((1, 2), (3, 4)),)))
    ids = {
        "smartTerminalId": IDLE_TERMINAL,
        "requestId": request,
        "signatureId": request,
        "webhookId": webhook["webhookId"],
        "transactionId": str(number),
        "noteId": str(note["noteId"]),
        "receiptId": receipt["uri"].rpartition("/")[2],
        "settlementId": "1",
    }
    return Things(ids)


async def call(client: Client, row: Row, path: str) -> Reply:
    form = FORMS.get(row.path.rpartition("/")[2]) if row.method in ("POST", "PUT") else None
    return await client.ask(row.method, path, b"" if form is None and row.method == "POST" else form)


async def test_every_row_that_is_served_answers(gateway: Gateway) -> None:
    things = await prepare(gateway)
    gone = [row for row in SERVED if row.method == "DELETE"]
    for row in [*(row for row in SERVED if row.method != "DELETE"), *gone]:
        reply = await call(gateway.client, row, things.path(row))
        assert reply.status in (200, 204), (row, reply.status, reply.body)
        assert bool(reply.body) == (reply.status == 200)


async def test_every_resource_is_in_the_table(gateway: Gateway) -> None:
    routes = {(route.method, route.path) for route in gateway.api.table.routes if route.described}
    assert {(row.method, row.path) for row in SERVED} == routes


async def test_what_is_not_served_is_not_found(client: Client) -> None:
    for row in NOT_SERVED:
        path = re.sub(r"\{\w+\}", "1" if "customer" in row.path or "schedule" in row.path else ID, row.path)
        reply = await call(client, row, path)
        assert (reply.status, reply.faults) == (404, [(None, None, "404 Not Found")]), row


def test_the_page_is_the_table() -> None:
    assert PAGE.read_text("utf-8") == compatibility_page(), "run: make docs"
