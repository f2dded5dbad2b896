"""Transactions by the API: made, found, changed, refunded."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.http.gateway import Gateway
from tests.http.harness import OLD_KEY, Client, Reply, assert_error_shape

CARD = "4444333322221111"
CARD_FORM = {"cardNumber": CARD, "cardExpMonth": "12", "cardExpYear": "2030"}
STRIPE = f"%B{CARD}^First/Last^3012980100000?;{CARD}=3012980100000?"
ACCOUNT_FORM = {
    "achRoutingNumber": "104000016",
    "achAccountNumber": "123456789",
    "achAccountType": "CHECKING",
    "achType": "PPD",
    "billingFirstName": "Jane",
    "billingLastName": "Doe",
    "terminalId": "2",
}
NO_SURCHARGE = {"amountSurcharge": "0.00"}


async def make(client: Client, form: Mapping[str, object] | None = None, **more: object) -> dict[str, Any]:
    """A card's transaction, on an account that takes a surcharge, which is switched off unless the form says something of it."""
    reply = await client.post("/transactions", {**NO_SURCHARGE, **CARD_FORM, "amountBase": "10.00", **(form or {}), **more})
    assert reply.status == 200, reply.body
    body = reply.json
    assert isinstance(body, dict)
    return body


async def refused(client: Client, form: Mapping[str, object]) -> list[tuple[str | None, str | None, str]]:
    reply = await client.post("/transactions", form)
    assert_error_shape(reply, 400)
    return reply.faults


async def change(client: Client, number: int, **form: object) -> Reply:
    return await client.ask("PUT", f"/transactions/{number}", form)


async def test_a_keyed_card_is_charged_and_the_answer_is_the_documented_one(client: Client) -> None:
    reply = await client.post("/transactions", {**CARD_FORM, "amountBase": "0.99", **NO_SURCHARGE, "invoiceNumber": "A1"})
    assert reply.status == 200
    body = reply.json
    assert body == {
        "transactionId": 1,
        "uri": f"{client.url}/transactions/1",
        "terminalId": 1,
        "action": "CHARGE",
        "amountBase": "0.99",
        "amountTotal": "0.99",
        "invoiceNumber": "A1",
        "method": "KEYED",
        "service": "API",
        "status": "CAPTURE",
        "created": body["created"],
        "lastModified": body["lastModified"],
        "response": {
            "approved": True,
            "code": "00",
            "message": "Approved",
            "processor": {
                "authorized": True,
                "approvalCode": "PJ20AP",
                "avs": {"status": "NOT_REQUESTED"},
                "cvv": {"status": "NOT_REQUESTED"},
                **({"level3Eligible": True} if "level3Eligible" in body["response"]["processor"] else {}),
            },
        },
        "settlement": {"settled": False},
        "vault": {"type": "CARD", "accountType": "VISA", "lastFour": "1111"},
    }
    assert reply.body.startswith(b'{\n  "transactionId" : 1,\n  "uri" : "http://')
    assert (await client.get("/transactions/1")).body == reply.body


async def test_the_members_come_in_the_documented_order(client: Client) -> None:
    body = await make(
        client,
        {
            "amountSurcharge": "",
            "amountTax": "3.00",
            "amountShipping": "1.00",
            "amountTip": "2.00",
            "amountBase": "1.11",
            "metadata[externalId]": "x",
        },
        purchaseOrderNumber="P",
        invoiceNumber="I",
        avs="BYPASS",
        cvv="ON",
        cardCvv="999",
        billingFirstName="Jane",
        billingCity="Phoenix",
        shippingLastName="Doe",
    )
    order = "transactionId uri terminalId action amountBase amountTax amountShipping amountTip amountTotal invoiceNumber"
    order += " purchaseOrderNumber metadata method service status created lastModified response settlement vault billing shipping"
    assert list(body) == order.split()
    assert body["response"]["processor"]["avs"] == {
        "status": "REQUESTED",
        "requested": "BYPASS",
        "match": {"ZIP": True, "ADDRESS": True},
    }
    assert body["response"]["processor"]["cvv"] == {"status": "MATCH"}
    assert body["billing"] == {"firstName": "Jane", "address": {"city": "Phoenix"}}
    assert body["shipping"] == {"lastName": "Doe"}


async def test_a_surcharge_is_computed_and_shown_from_its_release_on(client: Client) -> None:
    amounts = {"amountBase": "1.11", "amountTax": "3.00", "amountShipping": "1.00", "amountTip": "2.00"}
    form = {**CARD_FORM, **amounts}
    reply = await client.post("/transactions", form)
    body = reply.json
    assert (body["amountSurcharge"], body["amountTotal"]) == ("0.21", "7.32")
    assert b'"surcharge" : {\n    "percentage" : 3.00000,\n    "status" : "APPLIED"\n  }' in reply.body
    old = await client.get(f"/transactions/{body['transactionId']}", X_PJ_Application_Key=OLD_KEY)
    assert "surcharge" not in old.json
    assert "service" not in old.json
    assert old.json["amountSurcharge"] == "0.21"
    assert "service" in (await client.get("/transactions/1", PJ_Version="2020-04-21")).json
    assert await refused(client, {**form, "amountSurcharge": "0.10"}) == [
        ("amountSurcharge", "invalid", "amountSurcharge is not allowed on a surcharge-enabled terminal.")
    ]


@pytest.mark.parametrize(
    ("amount", "code", "message"),
    [
        (".05", "05", "Declined (do not honor)"),
        ("0.10", "63", "Declined (restricted)"),
        ("4999.01", "05", "Declined (do not honor)"),
    ],
)
async def test_a_decline_is_a_transaction_too(client: Client, amount: str, code: str, message: str) -> None:
    body = await make(client, amountBase=amount)
    assert body["status"] == "DECLINED"
    assert body["response"]["approved"] is False
    assert (body["response"]["code"], body["response"]["message"]) == (code, message)
    assert body["response"]["processor"]["authorized"] is False
    assert "approvalCode" not in body["response"]["processor"]


async def test_a_card_may_be_swiped_or_typed_with_blanks_and_a_short_year(client: Client) -> None:
    swiped = await client.post("/transactions", {"cardTrack": STRIPE, "amountBase": "5", **NO_SURCHARGE})
    assert (swiped.status, swiped.json["method"], swiped.json["vault"]["lastFour"]) == (200, "SWIPED", "1111")
    typed = await make(client, cardNumber="4444 3333-2222 1111", cardExpYear="30", cardExpMonth="1", amountBase="6")
    assert (typed["method"], typed["status"]) == ("KEYED", "CAPTURE")


async def test_a_bank_account_pays(client: Client) -> None:
    body = (await client.post("/transactions", {**ACCOUNT_FORM, "amountBase": "7.50"})).json
    assert (body["status"], body["terminalId"], body["achType"]) == ("CAPTURE", 2, "PPD")
    assert body["vault"] == {"type": "ACH", "accountType": "CHECKING", "lastFour": "6789"}
    assert list(body["response"]) == ["approved", "code", "message"]
    faults = await refused(client, {"achAccountNumber": "12a", "achAccountType": "X", "achType": "Y", "terminalId": "2"})
    assert faults == [
        ("achAccountNumber", "invalid", "Account Number can only contain numbers."),
        ("achAccountType", "invalid", "Account Type is invalid."),
        ("achRoutingNumber", "required", "Routing Number is required."),
        ("achType", "invalid", "Type is invalid."),
        ("amountBase", "required", "Amount Base is required."),
    ]
    company = {**ACCOUNT_FORM, "achType": "CCD", "amountBase": "1"}
    assert await refused(client, company) == [("billingCompanyName", "required", "Billing Company Name is required.")]


async def test_a_card_account_takes_no_bank_account(client: Client) -> None:
    form = {**ACCOUNT_FORM, "amountBase": "7.50"}
    assert await refused(client, {**form, "terminalId": "1"}) == [
        ("terminalId", "invalid", "Terminal is a CARD account and takes no bank accounts.")
    ]
    assert await refused(client, {**form, "terminalId": ""}) == [
        ("terminalId", "required", "Terminal is required: there is no default terminal that is enabled.")
    ]
    again = await client.post("/transactions", form)
    assert await refused(client, {"transactionId": again.json["transactionId"], "terminalId": "1"}) == [
        ("terminalId", "invalid", "Terminal is a CARD account and takes no bank accounts.")
    ]


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({"cardNumber": "4444333322221112"}, ("cardNumber", "invalid", "Card Number is not a valid card number.")),
        ({"cardExpMonth": "13"}, ("cardExpMonth", "invalid", "Card Exp Month is invalid.")),
        ({"cardExpYear": "x"}, ("cardExpYear", "invalid", "Card Exp Year is invalid.")),
        ({"cardExpYear": ""}, ("cardExpYear", "required", "Card Exp Year is required.")),
        ({"cvv": "ON"}, ("cardCvv", "required", "Card Cvv is required.")),
        ({"amountBase": "0"}, ("amountBase", "invalid", "Amount Base must be greater than 0.")),
        ({"amountBase": "$1"}, ("amountBase", "invalid", "Amount Base is invalid.")),
        ({"amountBase": "1,000.00"}, ("amountBase", "invalid", "Amount Base is invalid.")),
        ({"amountBase": "1.000"}, ("amountBase", "invalid", "Amount Base is invalid.")),
        ({"amountBase": "1000000.01"}, ("amountBase", "invalid", "Amount Base is invalid.")),
        ({"amountBase": ""}, ("amountBase", "required", "Amount Base is required.")),
        ({"action": "STEAL"}, ("action", "invalid", "Action is invalid.")),
        ({"terminalId": "9"}, ("terminalId", "invalid", "Terminal does not exist or you do not have permission to access it.")),
        ({"terminalId": "2"}, ("terminalId", "invalid", "Terminal is an ACH account and takes no cards.")),
        ({"tokenId": "t"}, ("tokenId", "invalid", "Token Id is not supported by this server.")),
        ({"transactionId": "5"}, ("transactionId", "invalid", "There can be only one payment source.")),
        ({"billingPhone": "555"}, ("billingPhone", "invalid", "Billing Phone is invalid.")),
        ({"billingFirstName": "x" * 17}, ("billingFirstName", "invalid", "Billing First Name is invalid.")),
    ],
)
async def test_what_is_wrong_with_a_form_is_said(client: Client, form: dict[str, object], fault: tuple[str, str, str]) -> None:
    assert await refused(client, {**CARD_FORM, **NO_SURCHARGE, "amountBase": "1.00", **form}) == [fault]


async def test_without_anybody_to_pay_nothing_is_paid(client: Client) -> None:
    assert await refused(client, {"amountBase": "1.00"}) == [
        ("cardNumber", "required", "Card Number is required, or another payment source.")
    ]
    unknown = await refused(client, {"transactionId": "0", "action": "REFUND"})
    assert unknown[0][:2] == ("transactionId", "invalid")
    assert "Transaction Id 0 does not exist" in unknown[0][2]


async def test_a_transaction_of_nobody_is_told_by_its_number(client: Client, other: Client) -> None:
    number = (await make(client))["transactionId"]
    for someone, path in ((client, "/transactions/99"), (other, f"/transactions/{number}")):
        reply = await someone.get(path)
        assert_error_shape(reply, 404)
        assert reply.faults == [(None, None, f"Transaction Id {path.rpartition('/')[2]} does not exist.")]
    reply = await client.ask("PUT", "/transactions/invalid_authorization", {"status": "VOID"})
    assert (reply.status, reply.faults) == (404, [(None, None, "404 Not Found")])


async def test_a_hold_is_captured_for_less_and_voided(client: Client) -> None:
    number = (await make(client, status="HOLD", amountBase="100.00"))["transactionId"]
    captured = (await change(client, number, status="CAPTURE", amountBase="80.00")).json
    assert (captured["status"], captured["amountTotal"]) == ("CAPTURE", "80.00")
    void = (await change(client, number, status="VOID")).json
    assert (void["status"], void["response"]["approved"]) == ("VOID", True)
    again = await change(client, number, status="CAPTURE")
    assert (again.status, again.faults) == (
        400,
        [("status", "invalid", "Status can not be updated because the Transaction is VOID.")],
    )
    raised = await change(client, (await make(client, amountBase="9"))["transactionId"], amountBase="9.01")
    assert (raised.status, raised.faults[0][0]) == (400, "amountBase")


async def test_contacts_and_numbers_are_changed_at_any_time(gateway: Gateway) -> None:
    client = gateway.client
    number = (await make(client, billingFirstName="Jane", invoiceNumber="A1"))["transactionId"]
    await gateway.settle()
    reply = await change(client, number, billingFirstName="", billingLastName="Doe", invoiceNumber="A2", amountTip="")
    assert reply.status == 200, reply.body
    body = reply.json
    assert (body["billing"], body["invoiceNumber"]) == ({"lastName": "Doe"}, "A2")
    assert body["settlement"] == {"settled": True, "settlementId": 1}
    late = await change(client, number, status="VOID", amountTip="1.00")
    assert late.faults == [
        ("amountTip", "invalid", "Amount Tip can not be updated because the Transaction has been settled."),
        ("status", "invalid", "Status can not be updated because the Transaction has been settled."),
    ]


async def test_a_refund_gives_back_what_is_not_said_to_be_kept(client: Client) -> None:
    number = (await make(client, amountTip="2.00", amountBase="10.00"))["transactionId"]
    part = (await client.post("/transactions", {"action": "REFUND", "transactionId": number, "amountBase": "1.00"})).json
    assert (part["action"], part["amountBase"], part["amountTip"], part["amountTotal"]) == ("REFUND", "1.00", "2.00", "3.00")
    assert (part["method"], part["response"]["processor"]["authorized"]) == ("INSTANT", False)
    assert (part["transactionId"], part["vault"]["lastFour"]) == (number + 1, "1111")
    assert await refused(client, {"action": "REFUND", "transactionId": number}) == [
        ("amountBase", "invalid", "The refund is greater than what was charged to this card in the last 12 months.")
    ]
    zeros = {"action": "REFUND", "transactionId": number, "amountBase": "9.00", "amountTip": "0.00"}
    assert (await client.post("/transactions", zeros)).json["amountTotal"] == "9.00"


async def test_the_same_payment_within_minutes_is_a_duplicate(gateway: Gateway) -> None:
    client = gateway.client
    assert (await make(client))["status"] == "CAPTURE"
    again = await make(client)
    assert (again["status"], again["response"]["code"]) == ("DECLINED", "DT")
    assert (await make(client, invoiceNumber="2"))["status"] == "CAPTURE"
    gateway.clock.advance(10 * 60_000)
    assert (await make(client))["status"] == "CAPTURE"


async def test_an_idempotency_key_pays_once(client: Client) -> None:
    form = {**CARD_FORM, **NO_SURCHARGE, "amountBase": "3.00", "cardCvv": "999"}
    first, *rest = await asyncio.gather(*(client.post("/transactions", form, Idempotency_Key="k") for _ in range(5)))
    assert [reply.body for reply in rest] == [first.body] * 4
    assert (first.status, first.json["transactionId"]) == (200, 1)
    another = await client.post("/transactions", {**form, "cardNumber": "5105105105105100"}, Idempotency_Key="k")
    assert (another.status, another.faults[0][0]) == (400, "Idempotency-Key")
    assert len((await client.get("/transactions")).json["results"]) == 1


SEARCHES: Final = {
    "": [5, 4, 3, 2, 1],
    "action=CHARGE&status=DECLINED": [3],
    "amountTotal=2.00": [2],
    "billingFirstName=Jane": [5, 1],
    "billingLastName=Doe&billingIdentifier=J1": [1],
    "invoiceNumber=I": [2],
    "purchaseOrderNumber=P&invoiceNumber=": [2],
    "lastFour=5100": [4],
    "metadata[externalId]=x+y": [2],
    "metadata%5BexternalData%5D=d": [4],
    "scheduleId=1": [],
    "service=API&terminalId=2": [5],
    "service=INVOICE": [],
    "settlementId=0": [5, 4],
    "settlementId=1": [3, 2, 1],
    "transactionId=3": [3],
    "startDate=2100-01-01T00:00:00Z": [],
    "endDate=2000-01-01T00:00:00%2B02:00": [],
    "endDate=2000-01-01T00:00:00+02:00": [],
}
"""Queries, and the transactions that they find."""


async def test_a_search_filters_and_pages(gateway: Gateway) -> None:
    client = gateway.client
    first = await make(client, amountBase="1", billingFirstName="Jane", billingLastName="Doe", billingIdentifier="J1")
    await make(client, {"metadata[externalId]": "x y"}, amountBase="2", invoiceNumber="I", purchaseOrderNumber="P")
    await make(client, amountBase="0.05")
    await gateway.settle()
    await make(client, {"metadata[externalData]": "d"}, amountBase="4", cardNumber="5105105105105100", status="HOLD")
    await client.post("/transactions", {**ACCOUNT_FORM, "amountBase": "5"})

    async def found(query: str) -> list[int]:
        reply = await client.get(f"/transactions?{query}")
        assert reply.status == 200, reply.body
        return [transaction["transactionId"] for transaction in reply.json["results"]]

    made = first["created"]
    for query, numbers in {
        **SEARCHES,
        f"startDate={made}&terminalId=1&status=HOLD": [4],
        f"endDate={made}&transactionId=1": [1],
    }.items():
        assert await found(query) == numbers, query
    page = (await client.get("/transactions?action=CHARGE&limit=2&offset=2")).json
    assert page["next"] == f"{client.url}/transactions?action=CHARGE&offset=4&limit=2"
    assert page["prev"] == f"{client.url}/transactions?action=CHARGE&offset=0&limit=2"
    for query in (
        "lastFour=12",
        "startDate=yesterday",
        "startDate=2020-01-01T00:00:00",
        "status=GONE",
        "limit=51",
        "amountTotal=x",
    ):
        assert_error_shape(await client.get(f"/transactions?{query}"), 400)
