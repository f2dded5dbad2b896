"""Pairing end to end: a terminal without a token, an operator at the console, and those who should not get through."""

from __future__ import annotations

import asyncio
import random
import re
import stat
from pathlib import Path

import aiohttp
import pytest

from countertop.gateway.console.pairing import CODES_A_MINUTE, LOGINS_A_MINUTE
from countertop.gateway.devices.pairing import AUTHORIZATION, GRANT, STARTS_A_MINUTE, TOKEN
from countertop.protocol.screens import Screen
from countertop.terminal.agent import Agent
from countertop.terminal.machine import Machine
from countertop.terminal.pairing import load_token, save_token
from tests.device.conftest import COUNTER, OTHER, PASSWORD, UNPAIRED, Gateway, until

PAGE = "/pair"


class Browser:
    """An operator's browser, as far as it matters: it keeps cookies and says where forms come from."""

    def __init__(self, gateway: Gateway, session: aiohttp.ClientSession) -> None:
        self._gateway = gateway
        self._session = session
        self.origin: str | None = gateway.url

    async def open(self, code: str = "") -> tuple[int, str]:
        async with self._session.get(self._gateway.url + PAGE, params={"user_code": code}) as answer:
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            return answer.status, await answer.text()

    async def send(self, **form: str) -> tuple[int, str]:
        headers = {} if self.origin is None else {"Origin": self.origin}
        async with self._session.post(self._gateway.url + PAGE, data=form, headers=headers) as answer:
            return answer.status, await answer.text()

    async def log_in(self, login: str = "corner", password: str = PASSWORD, code: str = "") -> tuple[int, str]:
        return await self.send(action="login", login=login, password=password, user_code=code)


@pytest.fixture
async def browser(gateway: Gateway) -> Browser:
    # 127.0.0.1 is no domain, so its cookies need an unsafe jar.
    session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
    gateway.closing.append(session)
    return Browser(gateway, session)


async def ask(gateway: Gateway, path: str, **form: str) -> tuple[int, dict[str, object]]:
    async with gateway.session.post(gateway.url + path, data=form) as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.status, await answer.json()


async def start(gateway: Gateway) -> tuple[str, str]:
    """A device code and its user code."""
    status, answer = await ask(gateway, AUTHORIZATION, client_id="test")
    assert status == 200
    return str(answer["device_code"]), str(answer["user_code"])


async def poll(gateway: Gateway, device_code: str) -> tuple[int, dict[str, object]]:
    return await ask(gateway, TOKEN, grant_type=GRANT, device_code=device_code)


async def test_a_terminal_shows_a_code_is_confirmed_and_connects(gateway: Gateway, browser: Browser, tmp_path: Path) -> None:
    agent = Agent(gateway.url, None, Machine("test/1"), gateway.clock, session=gateway.session, random=random.random)
    pairing = asyncio.create_task(agent.pair())
    view = await until(agent, lambda view: view.screen is Screen.PAIRING)
    assert view.pairing is not None
    assert (view.headline, view.lines) == (view.pairing.code, ("Confirm this code in the console",))
    assert view.pairing.picture.startswith("<svg")
    assert re.fullmatch(r"[B-Z]{4}-[B-Z]{4}", view.pairing.code)
    assert view.pairing.address == gateway.url + PAGE

    status, page = await browser.log_in(code=view.pairing.code)
    assert (status, view.pairing.code in page, UNPAIRED in page, OTHER in page) == (200, True, True, False)
    status, page = await browser.send(action="confirm", user_code=view.pairing.code, smart_terminal_id=UNPAIRED)
    assert (status, "Counter 2" in page) == (200, True)
    gateway.clock.advance(5_000)
    token = await asyncio.wait_for(pairing, 20)

    save_token(tmp_path / "token", token)
    assert load_token(tmp_path / "token") == token
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    gateway.running.append(asyncio.create_task(agent.run()))
    assert (await until(agent, lambda view: view.online)).nick_name == "Counter 2"


async def test_the_terminals_side_by_the_book(gateway: Gateway, browser: Browser) -> None:
    status, answer = await ask(gateway, AUTHORIZATION, client_id="test")
    assert status == 200
    assert answer["verification_uri_complete"] == f"{gateway.url}{PAGE}?user_code={answer['user_code']}"
    assert (answer["expires_in"], answer["interval"]) == (900, 5)
    device_code = str(answer["device_code"])

    assert await poll(gateway, device_code) == (400, {"error": "authorization_pending"})
    assert await poll(gateway, device_code) == (400, {"error": "slow_down"})
    await browser.log_in()
    await browser.send(action="confirm", user_code=str(answer["user_code"]).lower().replace("-", " "), smart_terminal_id=COUNTER)
    status, granted = await poll(gateway, device_code)

    assert (status, granted["token_type"], granted["smart_terminal_id"]) == (200, "Bearer", COUNTER)
    assert await poll(gateway, device_code) == (400, {"error": "expired_token"}), "a code gives one token"


async def test_a_denied_and_a_late_terminal_get_nothing(gateway: Gateway, browser: Browser) -> None:
    denied, code = await start(gateway)
    late, late_code = await start(gateway)
    await browser.log_in()
    await browser.send(action="deny", user_code=code)
    assert await poll(gateway, denied) == (400, {"error": "access_denied"})
    gateway.clock.advance(901_000)
    await browser.log_in()

    status, page = await browser.send(action="confirm", user_code=late_code, smart_terminal_id=UNPAIRED)

    assert (status, "No terminal waits" in page) == (404, True)
    assert await poll(gateway, late) == (400, {"error": "expired_token"})


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": GRANT}, "invalid_request"),
        ({"grant_type": GRANT, "device_code": ""}, "invalid_request"),
        ({"grant_type": GRANT, "device_code": "nobody's"}, "expired_token"),
        ({"grant_type": GRANT, "device_code": "x" * 5_000}, "invalid_request"),
        ({f"field{number}": "" for number in range(100)}, "invalid_request"),
    ],
)
async def test_a_wrong_question_has_its_error(gateway: Gateway, form: dict[str, str], error: str) -> None:
    assert await ask(gateway, TOKEN, **form) == (400, {"error": error})


@pytest.mark.parametrize("body", [b"\xff\xfe", b"grant_type=a&grant_type=b", b"%ff=%fe", b"{}"])
async def test_what_is_no_form_is_an_invalid_request(gateway: Gateway, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with gateway.session.post(gateway.url + TOKEN, data=body, headers=headers) as answer:
        assert (answer.status, await answer.json()) == (400, {"error": "invalid_request"})


async def test_one_address_can_not_begin_any_number_of_pairings(gateway: Gateway) -> None:
    for _ in range(STARTS_A_MINUTE):
        await start(gateway)

    assert (await ask(gateway, AUTHORIZATION))[0] == 429
    gateway.clock.advance(60_000)
    await start(gateway)


async def test_an_operator_confirms_only_the_own_merchants_terminals(gateway: Gateway, browser: Browser) -> None:
    device_code, code = await start(gateway)
    await browser.log_in()

    status, page = await browser.send(action="confirm", user_code=code, smart_terminal_id=OTHER)

    assert (status, "choose which" in page) == (400, True)
    assert await poll(gateway, device_code) == (400, {"error": "authorization_pending"})


async def test_nobody_decides_without_a_login(gateway: Gateway, browser: Browser) -> None:
    device_code, code = await start(gateway)

    status, page = await browser.send(action="confirm", user_code=code, smart_terminal_id=UNPAIRED)
    assert (status, "Please log in" in page) == (401, True)
    assert (await browser.log_in(password="wrong"))[0] == 401
    assert (await browser.log_in(login="nobody"))[0] == 401
    await browser.log_in()
    await browser.send(action="leave")
    status, _ = await browser.send(action="confirm", user_code=code, smart_terminal_id=UNPAIRED)
    assert status == 401
    await browser.log_in()
    gateway.clock.advance(31 * 60_000)
    status, _ = await browser.send(action="deny", user_code=code)
    assert status == 401

    assert await poll(gateway, device_code) == (400, {"error": "expired_token"})


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", "http://127.0.0.1:1", "http://[broken"])
async def test_a_form_from_elsewhere_does_nothing(gateway: Gateway, browser: Browser, origin: str | None) -> None:
    device_code, code = await start(gateway)
    await browser.log_in()
    browser.origin = origin

    status, _ = await browser.send(action="confirm", user_code=code, smart_terminal_id=UNPAIRED)

    assert status == 403
    assert await poll(gateway, device_code) == (400, {"error": "authorization_pending"})


async def test_codes_and_passwords_can_not_be_guessed_for_long(browser: Browser) -> None:
    await browser.log_in()
    statuses = [
        (await browser.send(action="confirm", user_code="BBBB-BBBB", smart_terminal_id=UNPAIRED))[0]
        for _ in range(CODES_A_MINUTE + 1)
    ]
    assert statuses == [404] * CODES_A_MINUTE + [429]
    passwords = [(await browser.log_in(login="nobody", password="guess"))[0] for _ in range(LOGINS_A_MINUTE)]
    assert passwords == [401] * (LOGINS_A_MINUTE - 1) + [429]


async def test_what_is_in_an_address_is_shown_as_text(browser: Browser) -> None:
    status, page = await browser.open('"><script>1')

    assert status == 200
    assert "<script" not in page


async def test_a_broken_cookie_is_no_login(gateway: Gateway) -> None:
    for cookie in ("x", "A" * 60, "A" * 5_000, "é"):
        async with gateway.session.get(gateway.url + PAGE, headers={"Cookie": f"countertop-console={cookie}"}) as answer:
            assert "Log in" in await answer.text()


async def test_the_style_sheet_is_served(gateway: Gateway) -> None:
    async with gateway.session.get(gateway.url + "/pair/style.css") as answer:
        assert (answer.status, answer.content_type) == (200, "text/css")
