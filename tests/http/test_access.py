"""Who is let in, as whom, and how often."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from countertop.domain.clock import MINUTE, SECOND
from countertop.gateway import password
from tests.http.gateway import Gateway, running_gateway
from tests.http.harness import (
    FOREIGN_KEY,
    FOREIGN_LOGIN,
    KEY,
    LOGIN,
    OLD_KEY,
    PASSWORD,
    Client,
    Reply,
    assert_error_shape,
    basic,
)

WRONG_KEY = "The X-PJ-Application-Key header is missing or holds an invalid application key."
WRONG_LOGIN = "Authentication failed. The API login and/or password is wrong."


def assert_refused(reply: Reply, message: str) -> None:
    assert_error_shape(reply, 401)
    assert reply.faults == [(None, None, message)]
    assert reply.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize("key", ["", "x", FOREIGN_KEY.upper(), "é", KEY + " x", "0" * 10_000])
@pytest.mark.parametrize("login", ["", basic("nobody", "x"), basic(LOGIN, PASSWORD)])
async def test_the_key_is_checked_before_the_login(client: Client, key: str, login: str) -> None:
    assert_refused(await client.get("/terminals", X_PJ_Application_Key=key, Authorization=login), WRONG_KEY)


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic Y29ybmVy",  # no colon
        "Basic /w==",  # no UTF-8
        "Bearer abc",
        basic(LOGIN, ""),
        basic(LOGIN, PASSWORD + " "),
        basic(LOGIN.upper(), PASSWORD),
        basic("", ""),
        basic("nobody", PASSWORD),
        basic("a\0b", PASSWORD),
        basic(LOGIN, "x" * 1_000),
        basic(LOGIN, "x" * 10_000),
        basic("'; DROP TABLE login; --", "x"),
    ],
)
async def test_a_wrong_login_is_refused(client: Client, authorization: str) -> None:
    assert_refused(await client.get("/terminals", Authorization=authorization), WRONG_LOGIN)


async def test_a_key_of_another_merchant_opens_nothing(client: Client) -> None:
    assert_refused(await client.get("/terminals", X_PJ_Application_Key=FOREIGN_KEY), WRONG_KEY)
    wrong = basic(FOREIGN_LOGIN, "wrong")
    assert_refused(await client.get("/terminals", Authorization=wrong), WRONG_LOGIN)


@pytest.mark.parametrize("name", ["x-pj-application-key", "X-Pj-Application-Key", "X-PJ-APPLICATION-KEY"])
async def test_header_and_scheme_names_have_no_case(client: Client, name: str) -> None:
    authorization = "bAsIc " + client.headers["Authorization"].partition(" ")[2]
    bare = Client(client.url, {"AUTHORIZATION": authorization, name: KEY})
    assert (await bare.get("/terminals")).status == 200


async def test_every_path_but_the_description_needs_a_login(gateway: Gateway) -> None:
    stranger = Client(gateway.client.url, {})
    for route in gateway.api.table.routes:
        path = route.path.replace("{smartTerminalId}", KEY).replace("{requestId}", KEY).replace("{webhookId}", KEY)
        reply = await stranger.ask(route.method, path, b"" if route.method in ("POST", "PUT") else None)
        if route.public:
            assert reply.status == 200
        else:
            assert_refused(reply, WRONG_KEY)


async def test_a_verified_login_is_remembered_for_a_minute(gateway: Gateway) -> None:
    assert (await gateway.client.get("/terminals")).status == 200
    await gateway.forget_login(LOGIN)
    assert (await gateway.client.get("/terminals")).status == 200
    gateway.clock.advance(MINUTE)
    assert_refused(await gateway.client.get("/terminals"), WRONG_LOGIN)


async def test_a_wrong_login_is_remembered_for_a_minute(gateway: Gateway) -> None:
    wrong = basic(LOGIN, "later")
    assert_refused(await gateway.client.get("/terminals", Authorization=wrong), WRONG_LOGIN)
    await gateway.set_password(LOGIN, "later")
    assert_refused(await gateway.client.get("/terminals", Authorization=wrong), WRONG_LOGIN)
    gateway.clock.advance(MINUTE)
    assert (await gateway.client.get("/terminals", Authorization=wrong)).status == 200


async def test_a_flood_of_wrong_logins_keeps_nobody_out_who_is_known(gateway: Gateway) -> None:
    client = gateway.client
    assert (await client.get("/terminals")).status == 200
    flood = [
        asyncio.create_task(client.get("/terminals", Authorization=basic(login, str(number))))
        for number in range(30)
        for login in ("nobody", LOGIN, f"nobody{number}")
    ]
    assert (await client.get("/terminals")).status == 200
    # A login that nobody floods gets its turn, too.
    assert (
        await client.get("/terminals", Authorization=basic(FOREIGN_LOGIN, PASSWORD), X_PJ_Application_Key=FOREIGN_KEY)
    ).status == 200
    refused = await asyncio.gather(*flood)
    assert {reply.status for reply in refused} == {401, 429}
    # At most so many per login wait at a time; the others are turned away at once.
    assert sum(reply.status == 401 for reply in refused) < 30
    for reply in refused:
        assert_error_shape(reply, reply.status)
        assert reply.status == 401 or reply.headers["retry-after"] == "1"


async def test_a_flood_against_a_login_keeps_out_nobody_who_is_known(gateway: Gateway) -> None:
    client = gateway.client
    assert (await client.get("/terminals")).status == 200
    gateway.clock.advance(MINUTE)
    flood = [
        asyncio.create_task(client.get("/terminals", Authorization=basic(LOGIN, str(number))))
        for number in range(4 * password.MOST_WAITING_EACH)
    ]
    turned_away, _ = await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED)
    assert turned_away.pop().result().status == 429  # as many wait for this login as may
    assert (await client.get("/terminals")).status == 200
    assert {reply.status for reply in await asyncio.gather(*flood)} == {401, 429}
    await gateway.set_password(LOGIN, "later")
    gateway.clock.advance(MINUTE)
    assert_refused(await client.get("/terminals"), WRONG_LOGIN)


async def test_many_first_requests_of_one_caller_cost_one_verification(gateway: Gateway) -> None:
    replies = await asyncio.gather(*(gateway.client.get("/terminals") for _ in range(4 * password.MOST_WAITING_EACH)))
    assert {reply.status for reply in replies} == {200}


async def test_a_login_has_its_rate_whatever_key_it_uses(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, rate=0.01, burst=3) as gateway:
        client = gateway.client
        for key in (KEY, OLD_KEY, KEY):
            assert (await client.get("/terminals", X_PJ_Application_Key=key)).status == 200
        late = await client.get("/terminals", X_PJ_Application_Key=OLD_KEY)
        assert_error_shape(late, 429)
        assert 90 <= int(late.headers["retry-after"]) <= 100
        other = Client(client.url, {"Authorization": basic(FOREIGN_LOGIN, PASSWORD), "X-PJ-Application-Key": FOREIGN_KEY})
        assert (await other.get("/terminals")).status == 200
        gateway.clock.advance(100 * SECOND)
        assert (await client.get("/terminals")).status == 200


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("2018-05-31", "nickname"),
        ("0001-01-01", "nickname"),
        ("2018-06-01", "nickName"),
        ("2018-06-02", "nickName"),
        ("9999-12-31", "nickName"),
    ],
)
async def test_a_date_means_the_release_in_force(client: Client, version: str, name: str) -> None:
    assert name in (await client.get("/terminals", PJ_Version=version)).json["results"][0]
    assert name in (await client.get("/terminals", X_PJ_Application_Key=OLD_KEY, Pj_Version=version)).json["results"][0]


@pytest.mark.parametrize(
    "version", ["x", "2018-6-1", "2018-02-30", "20180601", "2018-06-01T00:00:00Z", "0000-00-00", "é" * 5, "2018-W01-1"]
)
async def test_what_is_no_date_is_no_release(client: Client, version: str) -> None:
    reply = await client.get("/terminals", PJ_Version=version)
    assert_error_shape(reply, 400)
    assert [(parameter, kind) for parameter, kind, _ in reply.faults] == [("PJ-Version", "invalid")]
