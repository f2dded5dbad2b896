"""The examples of the client's page, run as they stand there."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from countertop.client import Client, Outcome
from countertop.testing.server import RunningServer, WebhookCatcher
from countertop.testing.terminal import VirtualTerminal

PAGE = Path(__file__).parents[2] / "docs/how-to/use-the-client.md"


def test_the_examples_do_what_they_say(
    countertop_server: RunningServer, countertop_terminal: VirtualTerminal, webhook_catcher: WebhookCatcher
) -> None:
    page: dict[str, Any] = {}
    for example in re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL):
        exec(compile(example, str(PAGE), "exec"), page)  # noqa: S102 - our own page
    server, device = countertop_server, countertop_terminal.id
    credentials = (server.url, server.login, server.password, server.application_key)
    read_gift_card, read_or_explain, on_webhook = (page[name] for name in ("read_gift_card", "read_or_explain", "on_webhook"))
    with ThreadPoolExecutor(1) as aside, Client(*credentials) as client:
        read = aside.submit(lambda: read_gift_card(*credentials, device, server.terminal_id))
        countertop_terminal.until("SWIPE_CARD")
        countertop_terminal.press("CANCEL")
        assert read.result(10) is Outcome.CUSTOMER_CANCELLED
        assert read_or_explain(client, device, 99)[0].startswith("terminalId: ")
    caught = webhook_catcher.wait_for(3)[-1]
    assert on_webhook(caught.body, caught.headers, "another secret") == 400
    assert on_webhook(b"", {}, webhook_catcher.secret) == 400
