"""What a merchant keeps with a transaction: notes, and level 3 data."""

from __future__ import annotations

import json

from tests.http.harness import Client
from tests.http.test_transaction import make


async def test_notes_are_kept_with_a_transaction(client: Client, other: Client) -> None:
    number = (await make(client, note="First\nline"))["transactionId"]
    path = f"/transactions/{number}/notes"
    (first,) = (await client.get(path)).json["results"]
    assert list(first) == ["noteId", "uri", "note", "created", "lastModified"]
    assert (first["note"], first["uri"]) == ("First\nline", f"{client.url}{path}/{first['noteId']}")
    second = (await client.post(path, {"note": "Second"})).json
    changed = (await client.ask("PUT", f"{path}/{second['noteId']}", {"note": "Other"})).json
    assert (await client.get(f"{path}/{second['noteId']}")).json == changed
    assert changed["note"] == "Other"
    assert (await other.get(f"{path}/{second['noteId']}")).status == 404
    assert (await client.ask("DELETE", f"{path}/{second['noteId']}")).status == 204
    assert (await client.get(f"{path}/{second['noteId']}")).status == 404
    assert (await client.post(path, {"note": ""})).faults == [("note", "required", "Note is required.")]
    assert (await client.post(path, {"note": "x" * 2049})).status == 400


async def test_level_3_data_is_added_shown_and_removed(client: Client) -> None:
    number = (await make(client))["transactionId"]
    path = f"/transactions/{number}/level3"
    assert (await client.get(path)).status == 404
    items = [
        json.dumps({"description": "Pen", "quantity": 2, "amountUnitCost": "1.50", "amountTotal": 3.0, "taxRate": "8.25"}),
        json.dumps({"productCode": "B-1", "commodityCode": "44121700", "amountTotal": "7.00", "grossNetIndicator": "GROSS"}),
    ]
    form = {"amountDuty": "0.10", "destinationZip": "85284", "summaryCommodityCode": "4412", "items[]": items}
    added = await client.post(path, form)
    assert added.status == 200, added.body
    assert added.json["items"][0] == {
        "description": "Pen",
        "quantity": "2",
        "amountUnitCost": "1.50",
        "amountDiscount": "0.00",
        "amountTax": "0.00",
        "amountTotal": "3.00",
        "discountIndicator": "NOT_DISCOUNTED",
        "taxRate": "8.25",
        "debitCreditIndicator": "DEBIT",
        "grossNetIndicator": "NET",
    }
    assert (await client.get(path)).body == added.body
    assert (await client.post(path, form)).status == 400
    assert (await client.ask("DELETE", path)).status == 204
    assert (await client.ask("DELETE", path)).status == 404
    for item in ("[1]", "x", '{"quantity" : NaN}', '{"amountTotal" : true}', "{" * 9999):
        assert (await client.post(path, {"items[]": item})).faults == [("items[]", "invalid", "Items[] is invalid.")]


async def test_only_an_account_with_level_3_is_told_of_it(client: Client, other: Client) -> None:
    has, has_not = await make(client), await make(other, terminalId=9)
    assert has["response"]["processor"]["level3Eligible"] is True
    assert "level3Eligible" not in has_not["response"]["processor"]
    reply = await other.post(f"/transactions/{has_not['transactionId']}/level3", {"items[]": "{}"})
    assert reply.faults == [("transactionId", "invalid", "The Transaction is not eligible for level 3 data.")]
