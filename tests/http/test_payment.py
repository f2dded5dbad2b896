"""Payments at a Smart Terminal as a point of sale sees them. The terminal's part is played by the operations that it ends in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from countertop.domain.amount import Amounts
from countertop.domain.card import Entry, Expiry, PaymentCard
from countertop.domain.hint import DeliveryHint, ShowHint
from countertop.domain.intent import Action
from countertop.domain.order import PaymentOrder
from countertop.domain.payment import TakenCard
from countertop.domain.request import Outcome
from countertop.domain.result import Paid
from countertop.domain.sealed_card import seal_card
from countertop.gateway.operations.payment import finish_payment, take_card, terminal_fingerprint_key
from countertop.gateway.wire.event import event_body
from tests.http.gateway import Gateway, running_gateway
from tests.http.harness import FOREIGN_TERMINAL, OLD_KEY, SMART_TERMINAL, Client

PAY = f"/smartterminals/{SMART_TERMINAL}/request-payment"
MAIN = f"/smartterminals/{SMART_TERMINAL}/main"
HOOK = "https://pos.example/hook"
PLAIN = {"terminalId": 1, "amountBase": "1.00", "amountSurcharge": "0.00"}
STROKES = (((100, 100), (900, 300)),)


async def ask(client: Client, form: dict[str, object] | None = None, **headers: str) -> str:
    reply = await client.post(PAY, {**PLAIN, **(form or {})}, **headers)
    assert reply.status == 200, reply.body
    assert list(reply.json) == ["requestPaymentId"]
    return str(reply.json["requestPaymentId"])


async def poll(client: Client, request_id: str, **headers: str) -> dict[str, Any]:
    body = (await client.get(f"/smartterminals/requests/{request_id}", **headers)).json
    assert isinstance(body, dict)
    return body


async def give_card(gateway: Gateway, request_id: str, *, entry: Entry = Entry.CHIP, tip: int = 0) -> int:
    """The customer gives a card, and the processor decides. Returns the transaction's number."""
    assert gateway.parts.acquirer is not None
    await gateway.show(request_id)
    key = await gateway.store.read(terminal_fingerprint_key, SMART_TERMINAL)
    card = PaymentCard("4444333322221111", Expiry(2030, 12), entry)
    taken = TakenCard(seal_card(card, gateway.parts.acquirer.key, key), tip)
    await gateway.store.write(take_card, gateway.now(), SMART_TERMINAL, request_id, taken)
    await gateway.cashier.drain()
    return int((await poll(gateway.client, request_id))["transactionId"])


async def finish(
    gateway: Gateway, request_id: str, number: int, outcome: Outcome = Outcome.APPROVED, *, sign: bool = False
) -> None:
    """The terminal is done with a payment."""
    result = Paid(number, STROKES if sign else None)
    await gateway.store.write(finish_payment, gateway.now(), SMART_TERMINAL, request_id, outcome, result)


async def test_a_payment_runs_as_documented(gateway: Gateway) -> None:
    client = gateway.client
    request_id = await ask(client, {"invoiceNumber": "A1", "note": "For Jane", "billingEmail": "jane@doe.example"})
    assert await poll(client, request_id) == {"status": "CONNECTING"}
    await gateway.show(request_id)
    assert await poll(client, request_id) == {"status": "IN_PROGRESS"}
    number = await give_card(gateway, request_id, tip=0)
    raw = (await client.get(f"/smartterminals/requests/{request_id}")).body
    assert raw == b'{\n  "status" : "IN_PROGRESS",\n  "transactionId" : %d\n}' % number
    await finish(gateway, request_id, number, sign=True)
    assert await poll(client, request_id) == {"status": "COMPLETE", "transactionId": number, "outcome": "APPROVED"}
    assert await poll(client, request_id, PJ_Version="2023-05-16") == {"status": "COMPLETE", "transactionId": number}
    transaction = (await client.get(f"/transactions/{number}")).json
    assert (transaction["method"], transaction["service"], transaction["invoiceNumber"]) == ("CHIP", "SMART_TERMINAL", "A1")
    assert (transaction["signatureStatus"], transaction["billing"]) == ("SIGNED", {"email": "jane@doe.example"})
    assert (await client.get(f"/transactions/{number}/notes")).json["results"][0]["note"] == "For Jane"
    receipt = (await client.get(f"/transactions/{number}/receipts/latest")).json
    assert (receipt["signature"]["source"], receipt["signature"]["signedBy"]) == ("SMART_TERMINAL", {})


async def test_a_declined_card_has_a_transaction_too(gateway: Gateway) -> None:
    request_id = await ask(gateway.client, {"amountBase": "0.05"})
    number = await give_card(gateway, request_id)
    await finish(gateway, request_id, number, Outcome.DECLINED)
    assert await poll(gateway.client, request_id) == {"status": "COMPLETE", "transactionId": number, "outcome": "DECLINED"}
    assert (await gateway.client.get(f"/transactions/{number}")).json["response"]["message"] == "Declined (do not honor)"


async def test_every_parameter_reaches_the_terminal(gateway: Gateway) -> None:
    shown: list[ShowHint] = []
    gateway.parts.bus.subscribe(ShowHint, shown.append)
    form = {
        "terminalId": 1,
        "action": "REFUND",
        "amountBase": "10",
        "amountTax": "1.5",
        "amountShipping": ".25",
        "amountSurcharge": "0.10",
        "amountSurchargeTax": "0.02",
        "showReceiptPrompt": "false",
        "showSignaturePrompt": "0",
        "allowTips": "true",
        "keyed": "ALLOW",
        "showDebitCreditPrompt": "1",
        "billingEmail": "jane@doe.example",
    }
    assert (await gateway.client.post(PAY, form)).status == 200
    amounts = Amounts(10_00, 1_50, 25, 0, 10, 2)
    expected = PaymentOrder(Action.REFUND, amounts, False, False, True, True, True, True, "jane@doe.example")
    assert [hint.order for hint in shown] == [expected]
    await gateway.client.post(MAIN)
    old = {"terminalId": 1, "amountBase": "1.00", "amountSurcharge": "", "keyed": "ALLOW"}
    assert (await gateway.client.post(PAY, old, X_PJ_Application_Key=OLD_KEY)).status == 200
    assert shown[1].order == PaymentOrder(Action.CHARGE, Amounts(1_00), True, True, False, False, False, False)


async def test_a_surcharge_is_added_unless_it_is_switched_off(gateway: Gateway) -> None:
    shown: list[ShowHint] = []
    gateway.parts.bus.subscribe(ShowHint, shown.append)
    for surcharge in (None, "", "0.00"):
        sent = {} if surcharge is None else {"amountSurcharge": surcharge}
        assert (await gateway.client.post(PAY, {"terminalId": 1, "amountBase": "10.00", **sent})).status == 200
        await gateway.client.post(MAIN)
    totals = [hint.order.amounts.total for hint in shown if isinstance(hint.order, PaymentOrder)]
    assert totals == [10_30, 10_00, 10_00]
    reply = await gateway.client.post(PAY, {**PLAIN, "amountSurcharge": "0.01"})
    assert reply.faults == [("amountSurcharge", "invalid", "amountSurcharge is not allowed on a surcharge-enabled terminal.")]


@pytest.mark.parametrize(
    ("form", "faults"),
    [
        ({}, [("amountBase", "required", "This field is required."), ("terminalId", "required", "This field is required.")]),
        ({"terminalId": 1, "amountBase": "0"}, [("amountBase", "invalid", "Amount Base must be greater than 0.")]),
        ({"terminalId": 1, "amountBase": "1,000.00"}, [("amountBase", "invalid", "This field is invalid.")]),
        ({"terminalId": 1, "amountBase": "1.000"}, [("amountBase", "invalid", "This field is invalid.")]),
        (
            {"terminalId": 9, "amountBase": "x", "action": "VERIFY", "keyed": "NEVER"},
            [
                ("action", "invalid", "This field is invalid."),
                ("amountBase", "invalid", "This field is invalid."),
                ("keyed", "invalid", "This field is invalid."),
                ("terminalId", "invalid", "Terminal does not exist or you do not have permission to access it."),
            ],
        ),
        (
            {"terminalId": 2, "amountBase": "1.00"},
            [("terminalId", "invalid", "Terminal is an ACH account and takes no cards.")],
        ),
        (
            {**PLAIN, "invoiceNumber": "x" * 33, "billingEmail": "jane", "note": "x" * 2049},
            [(name, "invalid", "This field is invalid.") for name in ("billingEmail", "invoiceNumber", "note")],
        ),
    ],
)
async def test_what_is_wrong_is_said_at_once(client: Client, form: dict[str, object], faults: list[tuple[str, str, str]]) -> None:
    reply = await client.post(PAY, form)
    assert (reply.status, reply.faults) == (400, faults)


async def test_another_merchants_terminal_takes_no_payment(client: Client) -> None:
    for form in (PLAIN, {}):
        assert (await client.post(f"/smartterminals/{FOREIGN_TERMINAL}/request-payment", form)).status == 404


async def test_a_busy_terminal_is_interrupted_only_before_its_release(gateway: Gateway) -> None:
    client = gateway.client
    first, second = await ask(client), await ask(client)
    assert (await poll(client, second))["status"] == "BUSY"
    third = await ask(client, X_PJ_Application_Key=OLD_KEY)
    assert (await poll(client, first))["outcome"] == "SUPERSEDED"
    fourth = await ask(client, {"interruptBusyTerminal": "false"}, X_PJ_Application_Key=OLD_KEY)
    assert [(await poll(client, one))["status"] for one in (third, fourth)] == ["CONNECTING", "BUSY"]


async def test_main_comes_too_late_once_the_card_is_taken(gateway: Gateway) -> None:
    request_id = await ask(gateway.client)
    number = await give_card(gateway, request_id)
    reply = await gateway.client.post(MAIN)
    assert (reply.status, reply.faults) == (
        400,
        [(None, None, "The card has been taken. The payment can not be cancelled any more.")],
    )
    await finish(gateway, request_id, number)
    assert (await gateway.client.post(MAIN)).status == 204


async def test_without_a_processor_payments_are_refused_and_reads_work(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, change=lambda parts: replace(parts, acquirer=None)) as gateway:
        client = gateway.client
        for reply in (await client.post(PAY, PLAIN), await client.post("/transactions", {"amountBase": "1"})):
            message = "This server takes no payments: no payment processor is configured."
            assert (reply.status, reply.faults) == (400, [(None, None, message)])
        assert (await client.post(f"/smartterminals/{SMART_TERMINAL}/request-read", {"terminalId": 1})).status == 200
        assert (await client.get("/transactions")).json == {"results": []}


async def test_its_events_are_the_documented_ones(gateway: Gateway) -> None:
    client = gateway.client
    sent: list[dict[str, Any]] = []

    def caught(hint: DeliveryHint) -> None:
        sent.extend(json.loads(event_body(delivery)) for delivery in hint.leased)

    gateway.parts.bus.subscribe(DeliveryHint, caught)
    for event in ("TRANSACTION", "TRANSACTION_SIGNATURE", "SETTLEMENT"):
        assert (await client.post("/webhooks", {"event": event, "url": HOOK})).status == 200
    refused = await client.post("/webhooks", {"event": "SMARTTERMINAL_TRANSACTION", "url": HOOK})
    assert (refused.status, refused.faults[0][0]) == (400, "event")
    request_id = await ask(client)
    number = await give_card(gateway, request_id)
    await finish(gateway, request_id, number, sign=True)
    await gateway.settle()
    assert [(event["type"], event["data"]) for event in sent if event["type"] != "TRANSACTION_SIGNATURE"] == [
        ("TRANSACTION", {"transactionId": number}),
        ("SETTLEMENT", {"settlementId": 1}),
    ]
    assert list(sent[0]) == ["id", "created", "type", "data"]
