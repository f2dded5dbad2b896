"""Programs for the vendor's API, in the style of its public libraries: nothing in them but the base URL is ours."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

import pytest
import urllib3

from countertop.domain.request import Outcome
from tests.http.gateway import Gateway
from tests.http.harness import KEY, LOGIN, PASSWORD, SMART_TERMINAL
from tests.http.test_payment import finish, give_card

FORM: Final = "application/x-www-form-urlencoded; charset=UTF-8"


class PointOfSale:
    """A small library over the API, blocking, as the vendor's samples are written."""

    def __init__(self, base_url: str, login: str, password: str, key: str) -> None:
        self._base_url = base_url
        self._http = urllib3.PoolManager()
        self._headers = {
            **urllib3.make_headers(basic_auth=f"{login}:{password}", accept_encoding=True),
            "Accept": "application/json",
            "X-PJ-Application-Key": key,
            "PJ-Version": "2023-05-16",
        }

    def call(self, method: str, path: str, form: Mapping[str, object] | None = None) -> Any:
        """Calls the API; raises RuntimeError with what it says is wrong."""
        body = None if form is None else urlencode(form, doseq=True)
        headers = self._headers if body is None else {**self._headers, "Content-Type": FORM}
        reply = self._http.request(method, self._base_url + path, body=body, headers=headers, retries=False)
        if reply.status == 204:
            return None
        answer = json.loads(reply.data)
        if reply.status != 200:
            raise RuntimeError("; ".join(error["message"] for error in answer["errors"]))
        return answer

    def pay(self, device: str, **form: object) -> Any:
        """Takes a payment at a device and returns its transaction, however long that takes."""
        request_id = self.call("POST", f"/smartterminals/{device}/request-payment", form)["requestPaymentId"]
        while True:
            status = self.call("GET", f"/smartterminals/requests/{request_id}")
            if status["status"] == "COMPLETE":
                break
            if status["status"] in ("BUSY", "NO_CONNECTION"):
                raise RuntimeError(status["status"])
            time.sleep(0.01)
        if "transactionId" not in status:
            raise RuntimeError("cancelled")
        return self.call("GET", f"/transactions/{status['transactionId']}")


@pytest.fixture
def shop(gateway: Gateway) -> PointOfSale:
    return PointOfSale(gateway.client.url, LOGIN, PASSWORD.encode().decode("latin-1"), KEY)


async def run(program: Callable[[], Any]) -> Any:
    return await asyncio.to_thread(program)


async def test_a_payment_at_a_terminal(gateway: Gateway, shop: PointOfSale) -> None:
    def program() -> Any:
        account = next(each for each in shop.call("GET", "/terminals/")["results"] if each["enabled"] and each["type"] == "CARD")
        device = shop.call("GET", "/smartterminals/")["results"][0]["smartTerminalId"]
        return shop.pay(
            device, terminalId=account["terminalId"], amountBase="10.00", invoiceNumber="A-1", showReceiptPrompt="true"
        )

    paying = asyncio.create_task(run(program))
    request_id = await running_request(gateway)
    await finish(gateway, request_id, await give_card(gateway, request_id), Outcome.APPROVED)
    transaction = await paying
    assert transaction["response"]["approved"]
    assert (transaction["amountTotal"], transaction["amountSurcharge"], transaction["status"]) == ("10.30", "0.30", "CAPTURE")
    assert transaction["invoiceNumber"] == "A-1"


async def running_request(gateway: Gateway) -> str:
    """The request that runs at the terminal, once there is one."""
    while True:
        found = await gateway.running()
        if found is not None:
            return found


async def test_a_day_of_keyed_cards(gateway: Gateway, shop: PointOfSale) -> None:
    card = {"cardNumber": "4444333322221111", "cardExpMonth": "01", "cardExpYear": "2030", "cardCvv": "999"}

    def program() -> None:
        sale = shop.call("POST", "/transactions/", {**card, "amountBase": "0.99", "terminalId": 1, "amountSurcharge": "0.00"})
        assert sale["response"] == {
            "approved": True,
            "code": "00",
            "message": "Approved",
            "processor": {**sale["response"]["processor"], "authorized": True, "approvalCode": "PJ20AP"},
        }
        void = shop.call("PUT", f"/transactions/{sale['transactionId']}", {"status": "VOID"})
        assert void["status"] == "VOID"
        hold = shop.call("POST", "/transactions", {**card, "amountBase": "50", "status": "HOLD", "avs": "BYPASS"})
        captured = shop.call("PUT", f"/transactions/{hold['transactionId']}/", {"status": "CAPTURE", "amountBase": "40.00"})
        assert (captured["status"], captured["amountBase"], captured["amountSurcharge"]) == ("CAPTURE", "40.00", "1.20")
        zeros = dict.fromkeys(("amountTip", "amountTax", "amountSurcharge", "amountShipping"), "0.00")
        back = {"action": "REFUND", "transactionId": hold["transactionId"], "amountBase": "15.00", **zeros}
        assert shop.call("POST", "/transactions", back)["amountTotal"] == "15.00"
        declined = shop.call("POST", "/transactions", {**card, "amountBase": "0.05", "amountSurcharge": ""})
        assert (declined["status"], declined["response"]["approved"]) == ("DECLINED", False)
        with pytest.raises(RuntimeError, match=r"^Card Number is not a valid card number\.$"):
            shop.call("POST", "/transactions", {**card, "cardNumber": "4444333322221112", "amountBase": "1"})
        with pytest.raises(RuntimeError, match="Transaction Id 99 does not exist"):
            shop.call("GET", "/transactions/99")
        page = shop.call("GET", "/transactions?status=CAPTURE&limit=1")
        assert [each["action"] for each in page["results"]] == ["REFUND"]
        assert shop.call("GET", page["next"].removeprefix(gateway.client.url))["results"][0]["action"] == "CHARGE"

    await run(program)


async def test_the_samples_that_are_typed_with_curl(gateway: Gateway) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("no curl on this machine")
    common = [curl, "-s", "-u", f"{LOGIN}:{PASSWORD}", "-H", f"X-PJ-Application-Key: {KEY}", "-H", "Accept: application/json"]
    payment = ["-d", "terminalId=1", "-d", "amountBase=1.00", "-d", "showReceiptPrompt=true", "-d", "keyed=ALLOW"]

    def program() -> tuple[Any, Any]:
        url = gateway.client.url
        started = subprocess.run(
            [*common, *payment, "-X", "POST", f"{url}/smartterminals/{SMART_TERMINAL}/request-payment"],
            capture_output=True,
            check=True,
        )
        request_id = json.loads(started.stdout)["requestPaymentId"]
        polled = subprocess.run([*common, f"{url}/smartterminals/requests/{request_id}"], capture_output=True, check=True)
        return request_id, json.loads(polled.stdout)

    request_id, polled = await run(program)
    assert polled == {"status": "CONNECTING"}
    assert request_id == await running_request(gateway)
