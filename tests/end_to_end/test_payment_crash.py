"""A server that is killed while a customer pays: the payment ends, once, and everybody is told the same."""

from __future__ import annotations

import time
from typing import Any, Final

import pytest

from countertop.testing.caller import Caller, ended
from tests.canary import BANK
from tests.end_to_end.conftest import StartServer
from tests.end_to_end.process import COUNTER, ServerProcess, terminal

ASKED: Final = {"terminalId": 1, "showReceiptPrompt": "false", "showSignaturePrompt": "false"}
SLOW: Final = {"request_deadline": 300}
"""A machine under load starts a server slowly; the customer waits."""


AFTER: Final = ("PROCESSING", "APPROVED", "DECLINED")
"""What is shown once there is a card."""


def status(caller: Caller, request_id: str) -> str:
    return str(caller.get(f"/smartterminals/requests/{request_id}").json["status"])


@pytest.fixture
def server(start_server: StartServer) -> ServerProcess:
    return start_server(**SLOW)


@pytest.mark.parametrize("delays_ms", [(0, 4, 9, 15, 25, 60)])
def test_a_payment_ends_once_whenever_the_server_is_killed(server: ServerProcess, delays_ms: tuple[int, ...]) -> None:
    for turn, delay_ms in enumerate(delays_ms):
        invoice, amount = f"kill-{turn}", f"{10 + turn}.00"
        with server.caller() as caller:
            form: dict[str, Any] = {**ASKED, "amountBase": amount, "invoiceNumber": invoice}
            request_id = caller.post(f"/smartterminals/{COUNTER}/request-payment", form).json["requestPaymentId"]
            terminal(caller).until("PRESENT_CARD")
            terminal(caller).card(BANK)
            time.sleep(delay_ms / 1000)
        server.kill()
        server.start()
        with server.caller() as caller:
            # The terminal was killed too. Whether it asks for a card again is the database's to say.
            if status(caller, request_id) != "COMPLETE" and terminal(caller).until("PRESENT_CARD", *AFTER).screen not in AFTER:
                terminal(caller).card(BANK)
            request = ended(caller, request_id)  # alone over its file, it waits for no lease of the killed one
            found = caller.get(f"/transactions?invoiceNumber={invoice}").json["results"]
        assert [one["transactionId"] for one in found] == [request["transactionId"]], "one request, one transaction"
        assert found[0]["response"]["approved"] is (request["outcome"] == "APPROVED")
        assert request["outcome"] in {"APPROVED", "DECLINED"}
