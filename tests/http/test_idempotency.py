"""`Idempotency-Key` on POSTs."""

from __future__ import annotations

import asyncio

import pytest

from countertop.domain.clock import DAY, HOUR
from tests.http.gateway import Gateway
from tests.http.harness import FOREIGN_TERMINAL, IDLE_TERMINAL, SMART_TERMINAL, Client, assert_error_shape

READ = f"/smartterminals/{SMART_TERMINAL}/request-read"
PROMPT = f"/smartterminals/{SMART_TERMINAL}/request-prompt"


async def test_the_same_order_is_carried_out_once(client: Client) -> None:
    first = await client.post(READ, {"terminalId": 1}, Idempotency_Key="a")
    again = await client.post(READ + "/", b"terminalId=%31", Idempotency_Key="a")
    assert (first.status, again.status) == (200, 200)
    assert first.body == again.body
    assert first.headers["x-pj-request-id"] != again.headers["x-pj-request-id"]
    assert (await client.post(READ, {"terminalId": 1}, Idempotency_Key="b")).body != first.body


async def test_at_the_same_moment_too(client: Client) -> None:
    replies = await asyncio.gather(*(client.post(READ, {"terminalId": 1}, Idempotency_Key="a") for _ in range(20)))
    assert {reply.status for reply in replies} == {200}
    assert len({reply.body for reply in replies}) == 1


@pytest.mark.parametrize(
    ("path", "form"),
    [
        (READ, {"terminalId": 2}),
        (READ, {"terminalId": 1, "interruptBusyTerminal": "true"}),
        (f"/smartterminals/{IDLE_TERMINAL}/request-read", {"terminalId": 1}),
        (f"/smartterminals/{SMART_TERMINAL}/main", {}),
        (PROMPT, {"terminalId": 1, "text": "x", "buttons[]": ["A", "B"]}),
    ],
)
async def test_another_order_under_the_same_key_is_a_fault(client: Client, path: str, form: dict[str, object]) -> None:
    assert (await client.post(READ, {"terminalId": 1}, Idempotency_Key="a")).status == 200
    reply = await client.post(path, form, Idempotency_Key="a")
    assert_error_shape(reply, 400)
    assert [(parameter, kind) for parameter, kind, _ in reply.faults] == [("Idempotency-Key", "invalid")]


async def test_the_order_of_values_counts_that_of_names_does_not(client: Client) -> None:
    first = await client.post(PROMPT, b"terminalId=1&text=x&buttons[]=A&buttons[]=B", Idempotency_Key="a")
    same = await client.post(PROMPT, b"buttons[]=A&text=x&terminalId=1&buttons%5B%5D=B", Idempotency_Key="a")
    other = await client.post(PROMPT, b"terminalId=1&text=x&buttons[]=B&buttons[]=A", Idempotency_Key="a")
    assert (first.status, same.body, other.status) == (200, first.body, 400)


async def test_it_works_for_every_post(client: Client) -> None:
    form = {"event": "SMARTTERMINAL_REQUEST", "url": "https://pos.example/"}
    replies = [await client.post("/webhooks", form, Idempotency_Key="w") for _ in range(3)]
    assert len({reply.body for reply in replies}) == 1
    assert len((await client.get("/webhooks")).json["results"]) == 1
    for _ in range(2):
        reply = await client.post(f"/smartterminals/{SMART_TERMINAL}/main", b"", Idempotency_Key="m")
        assert (reply.status, reply.body) == (204, b"")
        assert "content-type" not in reply.headers


async def test_what_failed_is_not_remembered(client: Client) -> None:
    assert (await client.post(READ, {}, Idempotency_Key="a")).status == 400
    assert (await client.post(READ, {"terminalId": 9}, Idempotency_Key="a")).status == 400
    assert (await client.post(f"/smartterminals/{FOREIGN_TERMINAL}/main", Idempotency_Key="a")).status == 404
    assert (await client.post(READ, {"terminalId": 1}, Idempotency_Key="a")).status == 200


async def test_keys_of_different_logins_do_not_meet(client: Client, other: Client) -> None:
    assert (await client.post(READ, {"terminalId": 1}, Idempotency_Key="a")).status == 200
    reply = await other.post(f"/smartterminals/{FOREIGN_TERMINAL}/request-read", {"terminalId": 9}, Idempotency_Key="a")
    assert reply.status == 200


async def test_a_key_is_forgotten_after_a_day(gateway: Gateway) -> None:
    first = await gateway.client.post(READ, {"terminalId": 1}, Idempotency_Key="a")
    gateway.clock.advance(DAY - HOUR)
    assert (await gateway.client.post(READ, {"terminalId": 1}, Idempotency_Key="a")).body == first.body
    gateway.clock.advance(HOUR)
    assert (await gateway.client.post(READ, {"terminalId": 2}, Idempotency_Key="a")).status == 200


@pytest.mark.parametrize("key", ["x" * 256, "é", " ", "a\tb"])
async def test_a_key_that_is_none(client: Client, key: str) -> None:
    # A blank one is an empty header on the wire, which this client sends as it is.
    raw = f"POST {READ} HTTP/1.1\r\nHost: x\r\n" + "".join(f"{name}: {value}\r\n" for name, value in client.headers.items())
    data = (raw + f"Idempotency-Key: {key}\r\nContent-Length: 12\r\n\r\nterminalId=1").encode()
    reply = (await client.raw(data))[0]
    assert_error_shape(reply, 400)
    assert reply.faults[0][:2] == ("Idempotency-Key", "invalid")
