"""A bank payment that comes back, on a whole test server."""

from __future__ import annotations

from pathlib import Path

from countertop.testing.caller import Form
from tests.end_to_end.process import SEED, ServerProcess

ACCOUNT = """
  [[merchant.terminal]]
  terminalId = 7
  nickName = "Bank accounts"
  type = "ACH"
"""
FORM: Form = {
    "terminalId": 7,
    "amountBase": "51.00",
    "achRoutingNumber": "104000016",
    "achAccountNumber": "123456789",
    "achAccountType": "CHECKING",
    "achType": "CCD",
    "billingCompanyName": "Readers and Sons",
}


def test_a_bank_sends_a_payment_back(tmp_path: Path) -> None:
    (tmp_path / "seed.toml").write_text(SEED + ACCOUNT)
    server = ServerProcess(tmp_path, arguments=["--seed", "seed.toml"])
    server.start()
    try:
        with server.caller() as caller:
            number = caller.post("/transactions", FORM).json["transactionId"]
            assert caller.post(f"/test/transactions/{number}/reject").status == 400
            assert caller.post("/test/clock/advance", {"seconds": 86_400}).status == 200
            assert caller.post(f"/test/transactions/{number}/reject").json["status"] == "REJECT"
            found = caller.get("/transactions?status=REJECT").json["results"]
            assert [each["transactionId"] for each in found] == [number]
            (batch,) = caller.get("/settlements").json["results"]
            assert (batch["amountNet"], [each["status"] for each in batch["breakdown"]]) == (0, ["REJECT"])
    finally:
        server.stop()
