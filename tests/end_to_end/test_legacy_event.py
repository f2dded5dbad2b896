"""SMARTTERMINAL_TRANSACTION: nobody subscribes to it any more, and those who have still get it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from countertop.testing.caller import Caller, Form, ended
from countertop.testing.catcher import Catcher, catch
from tests.end_to_end.process import ROBOT, SEED, ServerProcess

EVENT = "SMARTTERMINAL_TRANSACTION"
HOOK = f"""
  [[merchant.webhook]]
  event = "{EVENT}"
  url = "URL"
  secret = "hush"
"""


@asynccontextmanager
async def served(folder: Path, url: str) -> AsyncIterator[Caller]:
    """A server whose seed holds a subscription to the event."""
    (folder / "seed.toml").write_text(SEED + HOOK.replace("URL", url))
    server = ServerProcess(folder, arguments=["--seed", "seed.toml"])
    await asyncio.to_thread(server.start)
    try:
        with server.caller() as caller:
            yield caller
    finally:
        await asyncio.to_thread(server.stop)


def pay(caller: Caller, amount: str) -> tuple[str, int]:
    """A payment by a customer who acts alone. Returns its request and its transaction."""
    form: Form = {"terminalId": 1, "amountBase": amount, "showReceiptPrompt": False, "showSignaturePrompt": False}
    request_id = caller.post(f"/smartterminals/{ROBOT}/request-payment", form).json["requestPaymentId"]
    return request_id, ended(caller, request_id)["transactionId"]


async def caught(catcher: Catcher, caller: Caller, amount: str) -> dict[str, Any]:
    request_id, number = await asyncio.to_thread(pay, caller, amount)
    (*_, one) = await catcher.wait_for(lambda all_of_them: all_of_them and all_of_them[-1].data["requestPaymentId"] == request_id)
    body = one.body.decode()
    assert one.verdict.good
    assert (one.event["type"], one.data["requestPaymentId"]) == (EVENT, request_id)
    # Byte for byte as recorded: names in this order, the transaction's number as text.
    assert re.fullmatch(
        rf"""{{
  "id" : "[0-9a-f-]{{36}}",
  "created" : "[0-9T:.-]{{23}}Z",
  "type" : "{EVENT}",
  "data" : {{
    "smartTerminalId" : "{ROBOT}",
    "requestPaymentId" : "{request_id}",
    "transactionId" : "{number}"
  }}
}}""",
        body,
    )
    return dict(one.data)


async def test_a_subscription_from_before_goes_on(tmp_path: Path) -> None:
    async with catch("hush") as before, catch("new") as after, served(tmp_path, before.url) as caller:
        [hook] = caller.get("/webhooks").json["results"]
        assert (hook["events"], hook["url"]) == ([EVENT], before.url)
        refused = caller.post("/webhooks", {"event": EVENT, "url": after.url})
        assert (refused.status, refused.json["errors"][0]["parameter"]) == (400, "event")
        await caught(before, caller, "41.00")

        changed = caller.put(f"/webhooks/{hook['webhookId']}", {"url": after.url, "secret": "new"})
        assert (changed.status, changed.json) == (200, hook | {"url": after.url})
        await caught(after, caller, "42.00")
        await caught(after, caller, "0.05")  # declined: it has ended, too

        assert caller.delete(f"/webhooks/{hook['webhookId']}").status == 204
        assert caller.get("/webhooks").json == {"results": []}
        await asyncio.to_thread(pay, caller, "43.00")
    assert (len(before.caught), len(after.caught)) == (1, 2)


async def test_a_read_has_no_such_event(tmp_path: Path) -> None:
    async with catch("hush") as catcher, served(tmp_path, catcher.url) as caller:
        request_id = caller.post(f"/smartterminals/{ROBOT}/request-read", {"terminalId": 1}).json["requestId"]
        assert "trackData" in await asyncio.to_thread(ended, caller, request_id)
        assert (await asyncio.to_thread(caller.post, "/test/clock/advance", {"seconds": 60})).status == 200
    assert catcher.caught == []
