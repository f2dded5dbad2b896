"""Webhook subscriptions."""

from __future__ import annotations

from typing import Any

import pytest

from countertop.gateway.store import webhook as rows
from countertop.gateway.store.codec import WEBHOOK_SECRET
from countertop.gateway.store.unit import Unit
from tests.http.gateway import Gateway
from tests.http.harness import KEY, Client, assert_error_shape

EVENT = "SMARTTERMINAL_REQUEST"
URL = "https://pos.example/hook?a=b"


async def create(client: Client, **form: str) -> dict[str, Any]:
    reply = await client.post("/webhooks", {"event": EVENT, "url": URL, **form})
    assert reply.status == 200, reply.body
    body = reply.json
    assert isinstance(body, dict)
    return body


def secret_of(unit: Unit, webhook_id: str, merchant_id: str) -> str | None:
    stored = unit.one(rows.FIND, webhook_id=webhook_id, merchant_id=merchant_id)
    assert stored is not None
    return None if stored.sealed_secret is None else unit.unseal(stored.sealed_secret, WEBHOOK_SECRET).decode()


async def test_a_subscription_lives_from_post_to_delete(gateway: Gateway) -> None:
    client = gateway.client
    webhook = await create(client, secret="s3cret")
    assert list(webhook) == ["webhookId", "events", "url", "created"]
    assert (webhook["events"], webhook["url"]) == ([EVENT], URL)
    assert (await client.get("/webhooks/")).json == {"results": [webhook]}
    changed = await client.ask("PUT", f"/webhooks/{webhook['webhookId']}", {"url": "http://127.0.0.1:9/x"})
    assert changed.json == webhook | {"url": "http://127.0.0.1:9/x"}
    gone = await client.ask("DELETE", f"/webhooks/{webhook['webhookId']}/")
    assert (gone.status, gone.body) == (204, b"")
    assert_error_shape(await client.ask("DELETE", f"/webhooks/{webhook['webhookId']}"), 404)
    assert (await client.get("/webhooks")).body == b'{\n  "results" : [ ]\n}'


async def test_a_secret_is_kept_changed_and_cleared(gateway: Gateway) -> None:
    client = gateway.client
    webhook_id = (await create(client, secret="first"))["webhookId"]
    merchant_id = (await client.get("/merchants")).json["results"][0]["id"]
    for form, secret in [({"event": EVENT}, "first"), ({"secret": "é"}, "é"), ({"url": URL}, "é"), ({"secret": ""}, None)]:
        reply = await client.ask("PUT", f"/webhooks/{webhook_id}", form)
        assert reply.status == 200
        assert b"secret" not in reply.body
        assert await gateway.store.read(secret_of, webhook_id, merchant_id) == secret


@pytest.mark.parametrize(
    ("form", "faults"),
    [
        ({}, [("event", "required"), ("url", "required")]),
        ({"event": "OTHER", "url": "http://pos.example/"}, [("event", "invalid"), ("url", "invalid")]),
        ({"event": EVENT, "url": "https://pos.example:8443/"}, [("url", "invalid")]),
        ({"event": EVENT, "url": "https://10.0.0.1/"}, [("url", "invalid")]),
        ({"event": EVENT, "url": "ftp://pos.example/"}, [("url", "invalid")]),
        ({"event": EVENT, "url": "nonsense"}, [("url", "invalid")]),
        ({"event": EVENT, "url": "https://pos.example/" + "x" * 236}, [("url", "invalid")]),
        ({"event": EVENT, "url": URL, "secret": "x" * 256}, [("secret", "invalid")]),
        ({"event": EVENT, "url": URL, "secret": "a\0"}, [("secret", "invalid")]),
        ({"event": EVENT, "url": [URL, URL]}, [("url", "invalid")]),
        ({"event": "SMARTTERMINAL_TRANSACTION", "url": ""}, [("event", "invalid"), ("url", "required")]),
    ],
)
async def test_all_faults_are_told_at_once(client: Client, form: dict[str, object], faults: list[tuple[str, str]]) -> None:
    reply = await client.post("/webhooks", form)
    assert_error_shape(reply, 400)
    assert [(parameter, kind) for parameter, kind, _ in reply.faults] == faults


async def test_messages_name_the_field_as_older_resources_do(client: Client) -> None:
    assert (await client.post("/webhooks", {"event": "x"})).faults == [
        ("event", "invalid", "Event is invalid."),
        ("url", "required", "Url is required."),
    ]


async def test_a_change_is_checked_like_a_new_subscription(client: Client) -> None:
    webhook_id = (await create(client))["webhookId"]
    reply = await client.ask("PUT", f"/webhooks/{webhook_id}", {"url": "http://pos.example/", "secret": "x" * 256})
    assert_error_shape(reply, 400)
    assert [parameter for parameter, _, _ in reply.faults] == ["secret", "url"]
    assert (await client.get("/webhooks")).json["results"][0]["url"] == URL


async def test_a_merchant_has_ten_and_no_more(client: Client, other: Client) -> None:
    for _ in range(10):
        await create(client)
    reply = await client.post("/webhooks", {"event": EVENT, "url": URL})
    assert_error_shape(reply, 403)
    assert reply.faults == [(None, None, "Max webhook limit for merchant has been reached.")]
    await create(other)
    assert len((await client.get("/webhooks")).json["results"]) == 10


async def test_what_belongs_to_somebody_else_is_unknown(client: Client, other: Client) -> None:
    webhook_id = (await create(client))["webhookId"]
    for name in (webhook_id, KEY, "x"):
        assert_error_shape(await other.ask("PUT", f"/webhooks/{name}", {"url": URL}), 404)
        assert_error_shape(await other.ask("DELETE", f"/webhooks/{name}"), 404)
