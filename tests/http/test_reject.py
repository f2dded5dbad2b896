"""What the customers' banks do on a test server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from countertop.gateway.http.parts import ApiParts
from countertop.sandbox.bank import Bank
from tests.http.gateway import Gateway, running_gateway
from tests.http.harness import Client, assert_error_shape
from tests.http.test_transaction import ACCOUNT_FORM, make


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway with banks behind it."""

    def change(parts: ApiParts) -> ApiParts:
        return replace(parts, more_routes=Bank(parts.store, parts.moment).routes())

    async with running_gateway(tmp_path, change=change) as running:
        yield running


async def pay(client: Client, amount: str) -> int:
    reply = await client.post("/transactions", {**ACCOUNT_FORM, "terminalId": "2", "amountBase": amount})
    assert (reply.status, reply.json["status"]) == (200, "CAPTURE"), reply.body
    number: int = reply.json["transactionId"]
    return number


async def test_a_settled_bank_payment_is_sent_back(gateway: Gateway, other: Client) -> None:
    client = gateway.client
    stays, goes = await pay(client, "10.00"), await pay(client, "25.00")
    path = f"/test/transactions/{goes}/reject"
    assert (await client.post(path)).faults == [("transactionId", "invalid", "Only a settled ACH Transaction can be rejected.")]
    await gateway.settle()
    assert_error_shape(await other.post(path), 404)

    reply = await client.post(path)

    assert (reply.status, reply.json["status"], reply.json["settlement"]["settled"]) == (200, "REJECT", True)
    assert (await client.get(f"/transactions/{goes}")).json == reply.json
    assert [each["transactionId"] for each in (await client.get("/transactions?status=REJECT")).json["results"]] == [goes]
    assert (await client.get(f"/transactions/{stays}")).json["status"] == "CAPTURE"
    batch = json.loads((await client.get("/settlements")).body, parse_float=Decimal)["results"][0]
    assert (batch["amountNet"], [(each["status"], each["amount"]) for each in batch["breakdown"]]) == (
        Decimal("10.00"),
        [("CAPTURED", Decimal("10.00")), ("REJECT", Decimal("25.00"))],
    )
    assert b"RETURNED" in (await client.get(f"/transactions/{goes}/receipts/latest/thermal")).body
    assert_error_shape(await client.post(path), 400)


async def test_what_was_sent_back_is_charged_again_with_a_fee(gateway: Gateway) -> None:
    client = gateway.client
    number = await pay(client, "25.00")
    await gateway.settle()
    assert (await client.post(f"/test/transactions/{number}/reject")).status == 200
    gateway.clock.advance(11 * 60 * 1000)  # sooner it were a duplicate, but for the fee
    again = (await client.post("/transactions", {"transactionId": number, "amountReject": "5.00"})).json
    assert (again["status"], again["amountTotal"], again["vault"]["lastFour"]) == ("CAPTURE", "30.00", "6789")
    refund = await client.post("/transactions", {"action": "REFUND", "transactionId": number, "amountReject": "10.01"})
    assert_error_shape(refund, 400)


async def test_a_card_payment_is_not_sent_back(gateway: Gateway) -> None:
    number = (await make(gateway.client))["transactionId"]
    await gateway.settle()
    assert_error_shape(await gateway.client.post(f"/test/transactions/{number}/reject"), 400)
