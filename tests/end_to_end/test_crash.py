"""Killed at any moment and started again, the server goes on where it was: no answered request, no result, no event is lost."""

from __future__ import annotations

import asyncio
import hashlib
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from countertop.gateway.clock import SystemClock
from countertop.protocol.screens import Screen
from countertop.terminal.agent import Agent
from countertop.terminal.machine import Machine
from countertop.testing.caller import ended
from countertop.testing.catcher import Caught, Hold, Reply, catch
from tests.canary import GIFT_STRIPE, MEMBER_STRIPE
from tests.end_to_end.conftest import StartServer
from tests.end_to_end.process import REAL, ServerProcess, post_read, terminal, wait_until

SECRET = "s3cret"
PATIENT = {"connect_deadline": 600, "request_deadline": 600}
"""A machine that is busy may take long to start a server again."""
TOKEN = "a token that no server has made"


def restart(server: ServerProcess) -> None:
    server.kill()
    server.start()


def test_a_request_on_the_screen_goes_on(start_server: StartServer) -> None:
    server = start_server(**PATIENT)
    with server.caller() as caller:
        request_id = post_read(caller)
        terminal(caller).until("SWIPE_CARD")
        wait_until(lambda: caller.get(f"/smartterminals/requests/{request_id}").json["status"] == "IN_PROGRESS")
    restart(server)
    with server.caller() as caller:
        assert terminal(caller).until("SWIPE_CARD").request_id == request_id
        terminal(caller).swipe(GIFT_STRIPE)
        assert ended(caller, request_id)["trackData"] == GIFT_STRIPE


async def test_whatever_was_answered_is_there_after_a_kill(start_server: StartServer) -> None:
    server = start_server(**PATIENT)
    statuses: dict[str, list[str]] = {}
    async with catch(SECRET) as catcher:
        with server.caller() as caller:
            caller.post("/webhooks", {"event": "SMARTTERMINAL_REQUEST", "url": catcher.url, "secret": SECRET})
        for outcome in ("MERCHANT_CANCELLED", "CARD_READ"):
            request_id = await asyncio.to_thread(one_killed_life, server, outcome)
            statuses[request_id] = ["CONNECTING", "IN_PROGRESS", "COMPLETE"]
        # What was leased to a killed process is taken up again when its lease has run out.
        with server.caller() as caller:
            await asyncio.to_thread(caller.post, "/test/clock/advance", {"seconds": 61})
        caught = await catcher.wait_for(lambda caught: len(events(caught)) == 3 * len(statuses))
    assert all(one.verdict.good for one in caught)
    for request_id, expected in statuses.items():
        delivered = [one.data["status"] for one in caught if one.data["requestId"] == request_id]
        assert list(dict.fromkeys(delivered)) == expected  # in order; any of them may come twice


def events(caught: list[Caught]) -> set[str]:
    return {one.id for one in caught}


def one_killed_life(server: ServerProcess, outcome: str) -> str:
    """A request, with a kill right after its POST was answered and another right after its end was."""
    with server.caller() as caller:
        request_id = post_read(caller)
    restart(server)
    with server.caller() as caller:
        counter = terminal(caller)
        assert counter.until("SWIPE_CARD").request_id == request_id
        match outcome:
            case "CARD_READ":
                counter.swipe(MEMBER_STRIPE)
            case _:
                wait_until(lambda: caller.get(f"/smartterminals/requests/{request_id}").json["status"] == "IN_PROGRESS")
                caller.post(f"/smartterminals/{counter.id}/main")
        before = ended(caller, request_id)
        assert before["outcome"] == outcome
    restart(server)
    with server.caller() as caller:
        assert caller.get(f"/smartterminals/requests/{request_id}").json == before
    return request_id


async def test_a_result_outlives_the_server_that_it_was_read_for(start_server: StartServer) -> None:
    server = start_server(**PATIENT)
    give_token(server)
    async with connected_terminal(server) as agent:
        with server.caller() as caller:
            request_id = await asyncio.to_thread(post_read, caller, REAL)
        await shows(agent, Screen.SWIPE_CARD)
        server.kill()
        await shows_offline(agent)
        agent.swipe(GIFT_STRIPE)
        assert agent.view.screen is Screen.CARD_READ
        server.settings["port"] = server.url.rsplit(":", 1)[1]
        await asyncio.to_thread(server.start)
        with server.caller() as caller:
            result = await asyncio.to_thread(ended, caller, request_id, 20)
    assert result["trackData"] == GIFT_STRIPE


async def test_what_a_killed_server_had_in_hand_is_sent_when_it_is_back(start_server: StartServer) -> None:
    server = start_server()
    async with catch(SECRET) as catcher:
        catcher.reply = Hold()
        with server.caller() as caller:
            caller.post("/webhooks", {"event": "SMARTTERMINAL_REQUEST", "url": catcher.url, "secret": SECRET})
            await asyncio.to_thread(post_read, caller)
        first = (await catcher.wait_for(1))[0]
        catcher.reply = Reply(200)
        await asyncio.to_thread(restart, server)
        caught = await catcher.wait_for(2)  # sooner than its lease ends
    assert caught[1].id == first.id


async def test_a_webhook_survives_a_receiver_and_a_server_that_are_down(start_server: StartServer) -> None:
    server = start_server(**PATIENT)
    async with catch(SECRET) as catcher:
        catcher.reply = Reply(503)
        with server.caller() as caller:
            caller.post("/webhooks", {"event": "SMARTTERMINAL_REQUEST", "url": catcher.url, "secret": SECRET})
            terminal(caller).unplug()
            await asyncio.to_thread(post_read, caller)
        await catcher.wait_for(1)
        restart(server)
        catcher.reply = Reply(200)
        with server.caller() as caller:
            await asyncio.to_thread(caller.post, "/test/clock/advance", {"seconds": 91})
        caught = await catcher.wait_for(lambda caught: [one.id for one in caught].count(caught[0].id) > 1)
    first, again = caught[0], next(one for one in caught[1:] if one.id == caught[0].id)
    assert first.body == again.body
    assert first.verdict.good


def give_token(server: ServerProcess) -> None:
    """Pairs the terminal that no server runs, without the operator."""
    with sqlite3.connect(server.data / "countertop.db") as database:
        database.execute("UPDATE smart_terminal SET token_hash = ? WHERE id = ?", (hashlib.sha256(TOKEN.encode()).digest(), REAL))
    database.close()


@asynccontextmanager
async def connected_terminal(server: ServerProcess) -> AsyncIterator[Agent]:
    """A terminal outside the server."""
    async with aiohttp.ClientSession() as session:
        agent = Agent(server.url, TOKEN, Machine("test/1"), SystemClock(), session=session, random=random.random)
        running = asyncio.create_task(agent.run())
        try:
            await shows(agent, Screen.IDLE)
            yield agent
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def shows(agent: Agent, screen: Screen) -> None:
    async with asyncio.timeout(20):
        async for view in agent.watch():
            if view.screen is screen:
                return


async def shows_offline(agent: Agent) -> None:
    async with asyncio.timeout(20):
        async for view in agent.watch():
            if not view.online:
                return
