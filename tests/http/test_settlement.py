"""Settlements."""

from __future__ import annotations

import json
from decimal import Decimal

from tests.http.gateway import Gateway
from tests.http.test_transaction import make


async def test_settlements_are_listed_with_numbers(gateway: Gateway) -> None:
    client = gateway.client
    await make(client, amountBase="10")
    await make(client, amountBase="0.05")
    await client.post("/transactions", {"action": "REFUND", "transactionId": "1", "amountBase": "2.50"})
    await gateway.settle()
    reply = await client.get("/settlements/1")
    body = json.loads(reply.body, parse_float=Decimal)
    assert b'"amountNet" : 7.50' in reply.body
    assert list(body) == ["settlementId", "terminalId", "created", "amountNet", "status", "breakdown"]
    assert (body["status"], body["terminalId"]) == ("COMPLETE", 1)
    assert body["breakdown"] == [
        {"brand": "VISA", "action": "CHARGE", "status": "CAPTURED", "count": 1, "amount": Decimal("10.00")},
        {"brand": "VISA", "action": "CHARGE", "status": "DECLINED", "count": 1, "amount": Decimal("0.05")},
        {"brand": "VISA", "action": "REFUND", "status": "CAPTURED", "count": 1, "amount": Decimal("2.50")},
    ]
    assert len((await client.get("/settlements?terminalId=1")).json["results"]) == 1
    assert (await client.get("/settlements/?terminalId=2")).json == {"results": []}
    assert (await client.get("/settlements/2")).status == 404
