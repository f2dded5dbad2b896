"""Starting requests and polling them."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from countertop.domain.request import Outcome
from countertop.domain.result import ButtonPressed, CardRead
from tests.http.gateway import Gateway, running_gateway
from tests.http.harness import FOREIGN_TERMINAL, IDLE_TERMINAL, OLD_KEY, SMART_TERMINAL, Client, assert_error_shape, until

READ = f"/smartterminals/{SMART_TERMINAL}/request-read"
MAIN = f"/smartterminals/{SMART_TERMINAL}/main"
NO_TERMINAL = "Terminal does not exist or you do not have permission to access it."
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


async def start(client: Client, path: str = READ, **form: object) -> str:
    reply = await client.post(path, {"terminalId": 1, **form})
    assert reply.status == 200, reply.body
    request_id = reply.json["requestId"]
    assert isinstance(request_id, str)
    return request_id


async def poll(client: Client, request_id: str, query: str = "", **headers: str) -> dict[str, str]:
    reply = await client.get(f"/smartterminals/requests/{request_id}{query}", **headers)
    assert reply.status == 200, reply.body
    body = reply.json
    assert isinstance(body, dict)
    return body


async def test_a_read_is_answered_at_once_with_its_id(client: Client) -> None:
    reply = await client.post(READ, {"terminalId": 1})
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert re.fullmatch(rb'\{\n  "requestId" : "%s"\n\}' % UUID.encode(), reply.body)
    assert re.fullmatch(UUID, reply.headers["x-pj-request-id"])


async def test_a_poll_follows_a_request_to_its_end(gateway: Gateway) -> None:
    client = gateway.client
    request_id = await start(client)
    assert (await client.get(f"/smartterminals/requests/{request_id}")).body == b'{\n  "status" : "CONNECTING"\n}'
    await gateway.show(request_id)
    assert await poll(client, request_id) == {"status": "IN_PROGRESS"}
    await gateway.finish(request_id, Outcome.CARD_READ, CardRead(";7090112233654321?", None, "7090112233654321"))
    body = {"status": "COMPLETE", "trackData": ";7090112233654321?", "track2": "7090112233654321"}
    assert await poll(client, request_id) == {**body, "outcome": "CARD_READ"}
    assert await poll(client, request_id, PJ_Version="2023-05-16") == body
    assert await poll(client, request_id, X_PJ_Application_Key=OLD_KEY) == body
    assert await poll(client, request_id.upper()) == {**body, "outcome": "CARD_READ"}


async def test_a_prompt_answers_with_the_button(gateway: Gateway) -> None:
    path = f"/smartterminals/{SMART_TERMINAL}/request-prompt"
    request_id = await start(gateway.client, path, **{"text": "Gift\\nwrap?", "buttons[]": ["Yes", "No"]})
    await gateway.finish(request_id, Outcome.BUTTON_PRESSED, ButtonPressed("No"))
    assert await poll(gateway.client, request_id) == {"status": "COMPLETE", "promptButton": "No", "outcome": "BUTTON_PRESSED"}


async def test_a_busy_terminal_gives_a_request_that_ended_as_busy(gateway: Gateway) -> None:
    first, second = await start(gateway.client), await start(gateway.client)
    assert await poll(gateway.client, second) == {"status": "BUSY", "outcome": "TERMINAL_BUSY"}
    assert await poll(gateway.client, first) == {"status": "CONNECTING"}


async def test_before_its_release_a_busy_terminal_is_interrupted_unless_forbidden(gateway: Gateway) -> None:
    old = Client(gateway.client.url, gateway.client.headers | {"X-PJ-Application-Key": OLD_KEY})
    first, second = await start(old), await start(old, interruptBusyTerminal="false")
    assert await poll(old, second) == {"status": "BUSY"}
    third = await start(old)
    assert await poll(gateway.client, first) == {"status": "COMPLETE", "outcome": "SUPERSEDED"}
    assert await poll(old, third) == {"status": "CONNECTING"}


async def test_main_ends_what_runs_and_is_harmless_on_an_idle_terminal(gateway: Gateway) -> None:
    request_id = await start(gateway.client)
    for _ in range(2):
        reply = await gateway.client.post(MAIN)
        assert (reply.status, reply.body) == (204, b"")
        assert "content-type" not in reply.headers
        assert "content-length" not in reply.headers
    assert await poll(gateway.client, request_id) == {"status": "COMPLETE", "outcome": "MERCHANT_CANCELLED"}


PROMPT, INPUT, SIGNATURE = "request-prompt", "request-input", "request-signature"
REQUIRED, INVALID = "This field is required.", "This field is invalid."


@pytest.mark.parametrize(
    ("kind", "form", "faults"),
    [
        ("request-read", {}, [("terminalId", "required", REQUIRED)]),
        ("request-read", {"terminalId": ""}, [("terminalId", "required", REQUIRED)]),
        ("request-read", {"terminalId": "one"}, [("terminalId", "invalid", INVALID)]),
        ("request-read", {"terminalId": "-1"}, [("terminalId", "invalid", INVALID)]),
        ("request-read", {"terminalId": " 1"}, [("terminalId", "invalid", INVALID)]),
        ("request-read", {"terminalId": "1_0"}, [("terminalId", "invalid", INVALID)]),
        ("request-read", {"terminalId": "١"}, [("terminalId", "invalid", INVALID)]),
        ("request-read", {"terminalId": "9223372036854775808"}, [("terminalId", "invalid", INVALID)]),
        ("request-read", {"terminalId": "9" * 5000}, [("terminalId", "invalid", INVALID)]),
        ("request-read", {"terminalId": ["1", "1"]}, [("terminalId", "invalid", INVALID)]),
        ("request-read", {"terminalId": "9223372036854775807"}, [("terminalId", "invalid", NO_TERMINAL)]),
        ("request-read", {"terminalId": "9"}, [("terminalId", "invalid", NO_TERMINAL)]),
        ("request-read", {"terminalId": "3"}, [("terminalId", "invalid", NO_TERMINAL)]),
        ("request-read", {"terminalId": 1, "interruptBusyTerminal": "yes"}, [("interruptBusyTerminal", "invalid", INVALID)]),
        (
            PROMPT,
            {},
            [("buttons[]", "required", REQUIRED), ("terminalId", "required", REQUIRED), ("text", "required", REQUIRED)],
        ),
        (PROMPT, {"terminalId": 1, "text": "a", "buttons[]": ["1", "2", "3", "4"]}, [("buttons[]", "invalid", INVALID)]),
        (PROMPT, {"terminalId": 1, "text": "a", "buttons[]": ["ninechars"]}, [("buttons[]", "invalid", INVALID)]),
        (PROMPT, {"terminalId": 1, "text": "a", "buttons[]": [" "]}, [("buttons[]", "invalid", INVALID)]),
        (PROMPT, {"terminalId": 1, "text": "a", "buttons[]": ["a\nb"]}, [("buttons[]", "invalid", INVALID)]),
        (PROMPT, {"terminalId": 1, "text": "x" * 10_001, "buttons[]": ["A"]}, [("text", "invalid", INVALID)]),
        (PROMPT, {"terminalId": 1, "text": "a\0b", "buttons[]": ["A"]}, [("text", "invalid", INVALID)]),
        (INPUT, {"terminalId": 1, "type": "EMAIL"}, [("type", "invalid", INVALID)]),
        (INPUT, {"terminalId": 9, "type": "phone"}, [("terminalId", "invalid", NO_TERMINAL), ("type", "invalid", INVALID)]),
        (SIGNATURE, {"terminalId": 9}, [("terminalId", "invalid", NO_TERMINAL), ("terms", "required", REQUIRED)]),
        (SIGNATURE, {"terminalId": 1, "terms": "\x1b[2J"}, [("terms", "invalid", INVALID)]),
    ],
)
async def test_all_faults_of_a_form_are_told_at_once(
    client: Client, kind: str, form: dict[str, object], faults: list[tuple[str, str, str]]
) -> None:
    reply = await client.post(f"/smartterminals/{SMART_TERMINAL}/{kind}", form)
    assert_error_shape(reply, 400)
    assert reply.faults == faults


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("request-read", {"terminalId": "0000001", "unknown": "ignored", "": "too"}),
        ("request-read", b"terminalId=%31&&terminalId%5B%5D=2&x"),
        (PROMPT, {"terminalId": 1, "text": "é" * 10_000, "buttons[]": ["Ja", "Nein", "€€€€€€€€"]}),
        (INPUT, {"terminalId": 2, "type": "PHONE", "interruptBusyTerminal": "0"}),
        (SIGNATURE, {"terminalId": 1, "terms": "\U0001f600" * 10_000}),
    ],
)
async def test_forms_at_their_limits_are_taken(client: Client, kind: str, form: dict[str, object] | bytes) -> None:
    reply = await client.post(f"/smartterminals/{SMART_TERMINAL}/{kind}", form)
    assert reply.status == 200, reply.body


@pytest.mark.parametrize("form", [{"terminalId": 1}, {"terminalId": "x"}, {}])
@pytest.mark.parametrize("terminal", [FOREIGN_TERMINAL, "00000000-0000-0000-0000-000000000000", "1", "%00", "a" * 36])
async def test_a_terminal_of_nobody_or_of_somebody_else_is_unknown(client: Client, terminal: str, form: dict[str, str]) -> None:
    for action in ("request-read", "main"):
        reply = await client.post(f"/smartterminals/{terminal}/{action}", form)
        assert_error_shape(reply, 404)
        assert reply.faults == [(None, None, "404 Not Found")]


async def test_a_request_of_somebody_else_is_unknown(gateway: Gateway, other: Client) -> None:
    request_id = await start(gateway.client)
    assert_error_shape(await other.get(f"/smartterminals/requests/{request_id}"), 404)
    assert_error_shape(await other.get(f"/smartterminals/requests/{request_id}?wait=5"), 404)


async def test_polling_has_a_pace_for_each_request(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, poll_interval=500) as gateway:
        client = gateway.client
        first = await start(client)
        second = await start(client, f"/smartterminals/{IDLE_TERMINAL}/request-read")
        await poll(client, first)
        early = await client.get(f"/smartterminals/requests/{first}")
        assert_error_shape(early, 429)
        assert early.headers["retry-after"] == "1"
        await poll(client, second)
        gateway.clock.advance(500)
        await poll(client, first)


async def test_a_poll_waits_for_the_next_change(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, poll_interval=60_000) as gateway:
        request_id = await start(gateway.client)
        waiting = asyncio.create_task(poll(gateway.client, request_id, "?wait=60"))
        await until(lambda: gateway.api.waits == 1)
        await gateway.show(request_id)
        assert await waiting == {"status": "IN_PROGRESS"}
        # News do not count as polling too often.
        again = asyncio.create_task(poll(gateway.client, request_id, "?wait=60.0"))
        await until(lambda: gateway.api.waits == 1)
        await gateway.finish(request_id, Outcome.CUSTOMER_CANCELLED)
        assert await again == {"status": "COMPLETE", "outcome": "CUSTOMER_CANCELLED"}
        # What has ended is not waited for.
        assert await poll(gateway.client, request_id, "?wait=60") == {"status": "COMPLETE", "outcome": "CUSTOMER_CANCELLED"}


async def test_a_wait_ends_with_its_time_or_with_the_server(gateway: Gateway) -> None:
    request_id = await start(gateway.client)
    assert await poll(gateway.client, request_id, "?wait=0.02") == {"status": "CONNECTING"}
    waiting = asyncio.create_task(poll(gateway.client, request_id, "?wait=60"))
    await until(lambda: gateway.api.waits == 1)
    gateway.api.close()
    assert await waiting == {"status": "CONNECTING"}


async def test_who_leaves_while_waiting_is_forgotten(gateway: Gateway) -> None:
    request_id = await start(gateway.client)
    waiting = asyncio.create_task(poll(gateway.client, request_id, "?wait=60"))
    await until(lambda: gateway.api.waits == 1)
    waiting.cancel()
    await until(lambda: gateway.api.waits == 0)


@pytest.mark.parametrize(
    "wait", ["", "61", "-1", "60.001", "7e1", "nan", "inf", "abc", "0x1", " 1", "1&wait=2", "%D9%A3", "0000000001"]
)
async def test_a_wait_that_is_no_number_of_seconds_is_a_fault(gateway: Gateway, wait: str) -> None:
    request_id = await start(gateway.client)
    reply = await gateway.client.get(f"/smartterminals/requests/{request_id}?wait={wait.replace(' ', '+')}")
    assert_error_shape(reply, 400)
    assert reply.faults == [("wait", "invalid", INVALID)]
