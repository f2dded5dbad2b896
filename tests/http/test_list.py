"""Lists: what they show in each release, and how they are paged."""

from __future__ import annotations

from typing import Any

import pytest

from countertop.gateway.operations.connection import connect_terminal, disconnect_terminal, renew_node
from tests.http.gateway import Gateway
from tests.http.harness import IDLE_TERMINAL, SMART_TERMINAL, Client, assert_error_shape


async def results(client: Client, path: str, **headers: str) -> list[dict[str, Any]]:
    reply = await client.get(path, **headers)
    assert reply.status == 200, reply.body
    body = reply.json
    assert list(body) == ["results"]
    found = body["results"]
    assert isinstance(found, list)
    return found


async def test_terminals_have_the_shape_of_their_release(client: Client) -> None:
    new = (await results(client, "/terminals"))[0]
    account = new["accountId"]
    assert new == {
        "terminalId": 1,
        "accountId": account,
        "companyLegal": "Corner Books",
        "companyDba": "Corner Books",
        "merchantNumber": "000012345678",
        "nickName": "Main",
        "type": "CARD",
        "enabled": True,
        "surcharge": {"enabled": True, "percentage": 3.0},
    }
    assert list(new)[:6] == ["terminalId", "accountId", "companyLegal", "companyDba", "merchantNumber", "nickName"]
    middle = (await results(client, "/terminals", PJ_Version="2020-01-01"))[0]
    assert middle == {name: value for name, value in new.items() if name != "surcharge"}
    assert (await results(client, "/terminals", PJ_Version="2018-05-31"))[0] == {
        "terminalId": 1,
        "nickname": "Main",
        "type": "CARD",
        "enabled": True,
    }
    assert b'"surcharge" : {\n      "enabled" : true,\n      "percentage" : 3.000\n    }' in (await client.get("/terminals")).body


async def test_disabled_accounts_are_listed_and_nobody_elses(client: Client, other: Client) -> None:
    found = await results(client, "/terminals/")
    assert [(terminal["terminalId"], terminal["enabled"], terminal["surcharge"]["enabled"]) for terminal in found] == [
        (1, True, True),
        (2, True, False),
        (3, False, False),
    ]
    assert [terminal["terminalId"] for terminal in await results(other, "/terminals")] == [9]


async def test_smart_terminals_say_from_the_newest_release_whether_they_are_there(gateway: Gateway) -> None:
    await gateway.store.write(renew_node, gateway.now(), 60_000)
    await gateway.store.write(connect_terminal, gateway.now(), SMART_TERMINAL, "one", "IDLE")
    await gateway.store.write(connect_terminal, gateway.now(), IDLE_TERMINAL, "two", "SWIPE_CARD")
    await gateway.store.write(disconnect_terminal, gateway.now(), IDLE_TERMINAL, "two")
    first, second = await results(gateway.client, "/smartterminals")
    assert (first["online"], first["screen"], second["online"], second["screen"]) == (True, "IDLE", False, "SWIPE_CARD")
    for terminal in (first, second):
        assert list(terminal) == ["smartTerminalId", "serialNumber", "nickName", "created", "online", "screen", "lastSeen"]
        assert terminal["lastSeen"].endswith("Z")
        assert len(terminal["created"]) == len("2016-04-29T15:53:36Z")
    old = (await results(gateway.client, "/smartterminals", PJ_Version="2023-05-16"))[0]
    assert old == {
        "smartTerminalId": SMART_TERMINAL,
        "serialNumber": "SN-1",
        "nickName": "Counter 1",
        "created": first["created"],
    }


async def test_a_terminal_that_was_never_there_has_no_screen(client: Client) -> None:
    first = (await results(client, "/smartterminals"))[0]
    assert list(first) == ["smartTerminalId", "serialNumber", "nickName", "created", "online"]


async def test_a_merchant_sees_itself(client: Client, other: Client) -> None:
    (merchant,) = await results(client, "/merchants")
    assert merchant["name"] == "Corner Books"
    assert (await results(other, "/merchants"))[0]["id"] != merchant["id"]


async def test_pages_link_to_their_neighbours(client: Client) -> None:
    host = client.url
    first = (await client.get("/terminals?limit=1")).json
    assert list(first) == ["next", "results"]
    assert first["next"] == f"{host}/terminals?offset=1&limit=1"
    second = (await client.get("/terminals?offset=1&x=%C3%A9&limit=1&y")).json
    assert list(second) == ["prev", "next", "results"]
    assert second["prev"] == f"{host}/terminals?x=%C3%A9&y&offset=0&limit=1"
    assert second["next"] == f"{host}/terminals?x=%C3%A9&y&offset=2&limit=1"
    assert [terminal["terminalId"] for terminal in second["results"]] == [2]
    last = (await client.get("/terminals?offset=2&limit=50")).json
    assert list(last) == ["prev", "results"]
    assert last["prev"] == f"{host}/terminals?offset=0&limit=50"
    assert (await client.get("/terminals?offset=1")).json["prev"] == f"{host}/terminals?offset=0"


async def test_links_keep_the_host_that_was_asked(client: Client) -> None:
    body = (await client.get("/terminals/?limit=1", Host="pay.example:8443")).json
    assert body["next"] == "http://pay.example:8443/terminals/?offset=1&limit=1"


@pytest.mark.parametrize("path", ["/terminals", "/smartterminals", "/merchants", "/webhooks"])
async def test_an_offset_past_the_end_is_an_empty_page(client: Client, path: str) -> None:
    reply = await client.get(f"{path}?offset=2147483648")
    assert reply.json["results"] == []
    assert reply.body.endswith(b'"results" : [ ]\n}')


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("limit=51", ["limit"]),
        ("limit=0", ["limit"]),
        ("limit=-1&offset=-1", ["limit", "offset"]),
        ("offset=2147483649", ["offset"]),
        ("offset=1.0", ["offset"]),
        ("offset=", ["offset"]),
        ("limit=1&limit=1", ["limit"]),
        ("limit=+1", ["limit"]),
        ("limit=abc&offset=%00", ["limit", "offset"]),
        ("offset=" + "9" * 5000, ["offset"]),
    ],
)
async def test_a_page_that_is_none_is_a_fault(client: Client, query: str, parameters: list[str]) -> None:
    reply = await client.get(f"/terminals?{query}")
    assert_error_shape(reply, 400)
    assert [(parameter, kind) for parameter, kind, _ in reply.faults] == [(name, "invalid") for name in parameters]
