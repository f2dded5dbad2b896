"""Terminals over real WebSockets: the life of a request, lost connections, and what may not be said."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from countertop.domain.order import InputOrder, PromptOrder, SignatureOrder
from countertop.domain.request import Outcome, Status
from countertop.domain.result import ButtonPressed, CardRead, InputEntered, Signed
from countertop.gateway.devices.channel import FRAMES, MOST_FRAMES
from countertop.gateway.devices.connections import MOST_COMING
from countertop.gateway.devices.endpoint import PATH
from countertop.gateway.operations.connection import node_connections
from countertop.gateway.operations.request import press_main
from countertop.gateway.operations.terminal import find_smart_terminal
from countertop.protocol.frames import MAX_FRAME, SUBPROTOCOL
from countertop.protocol.screens import Screen
from countertop.protocol.session import CloseCode
from countertop.terminal.view import Key
from tests.device.conftest import CALLER, COUNTER, OTHER, TOKENS, Gateway, eventually, gateway_at, until

GIFT = ";7090112233654321?"
HELLO = {"frame": "hello", "software": "raw/1", "screen": "IDLE"}
Socket = aiohttp.ClientWebSocketResponse[bool]


@asynccontextmanager
async def raw(gateway: Gateway, *, token: str = TOKENS[COUNTER], hello: bool = True) -> AsyncIterator[Socket]:
    """A connection whose frames a test writes by hand."""
    async with gateway.session.ws_connect(
        gateway.url + PATH, headers={"Authorization": f"Bearer {token}"}, protocols=(SUBPROTOCOL,)
    ) as socket:
        if hello:
            await socket.send_json(HELLO)
            assert (await hear(socket))["frame"] == "welcome"
        yield socket


async def hear(socket: Socket) -> dict[str, Any]:
    """The next frame that the gateway says."""
    frame = json.loads(await socket.receive_str(timeout=5))
    assert isinstance(frame, dict)
    return frame


async def closing(socket: Socket) -> int | None:
    """The code that the gateway closes with, whatever it says before."""
    async for _ in socket:
        pass
    return socket.close_code


async def test_a_card_is_read(gateway: Gateway) -> None:
    agent = gateway.terminal()
    view = await until(agent, lambda view: view.screen is Screen.IDLE)
    assert (view.nick_name, view.merchant, view.server) == ("Counter 1", "Corner Books", "test")
    request_id = await gateway.request()
    view = await until(agent, lambda view: view.screen is Screen.SWIPE_CARD)
    assert view.request_id == request_id
    await gateway.settled(request_id, lambda view: view.status is Status.IN_PROGRESS)

    agent.swipe(GIFT)

    ended = await gateway.ended(request_id)
    assert (ended.status, ended.outcome, ended.result) == (
        Status.COMPLETE,
        Outcome.CARD_READ,
        CardRead(GIFT, None, GIFT[1:-1]),
    )


async def test_every_kind_of_request_ends_with_its_result(gateway: Gateway) -> None:
    agent = gateway.terminal()
    await until(agent, lambda view: view.online)

    prompt = await gateway.request(PromptOrder("Sure?", ("Yes", "No")))
    await until(agent, lambda view: view.request_id == prompt)
    agent.press(Key.BUTTON_2)
    assert (await gateway.ended(prompt)).result == ButtonPressed("No")

    phone = await gateway.request(InputOrder("PHONE"))
    await until(agent, lambda view: view.request_id == phone)
    for digit in "8055551234":
        agent.press(Key(digit))
    agent.press(Key.ENTER)
    assert (await gateway.ended(phone)).result == InputEntered("8055551234")

    signature = await gateway.request(SignatureOrder("I agree"))
    await until(agent, lambda view: view.request_id == signature)
    agent.draw([((1, 2), (3, 4))])
    agent.press(Key.ENTER)
    assert (await gateway.ended(signature)).result == Signed((((1, 2), (3, 4)),))


async def test_a_request_that_waits_is_shown_when_the_terminal_connects(gateway: Gateway) -> None:
    request_id = await gateway.request()

    agent = gateway.terminal()

    await until(agent, lambda view: view.request_id == request_id)


async def test_the_merchant_ends_what_is_on_the_screen(gateway: Gateway) -> None:
    agent = gateway.terminal()
    await until(agent, lambda view: view.online)
    request_id = await gateway.request()
    await until(agent, lambda view: view.request_id == request_id)

    await gateway.store.write(press_main, gateway.parts.moment(), CALLER, COUNTER)

    await until(agent, lambda view: view.screen is Screen.IDLE)
    assert (await gateway.ended(request_id)).outcome is Outcome.MERCHANT_CANCELLED


async def test_a_bad_read_gives_time_anew(gateway: Gateway) -> None:
    agent = gateway.terminal()
    await until(agent, lambda view: view.online)
    request_id = await gateway.request()
    first = await until(agent, lambda view: view.request_id == request_id)
    await gateway.settled(request_id, lambda view: view.status is Status.IN_PROGRESS)
    gateway.clock.advance(30_000)

    agent.swipe(";E?")

    view = await until(agent, lambda view: (view.deadline or 0) > (first.deadline or 0) + 20_000)
    assert view.allowed == 60_000


async def test_a_lost_connection_in_mid_request_changes_nothing_for_the_customer(gateway: Gateway) -> None:
    agent = gateway.terminal()
    await until(agent, lambda view: view.online)
    request_id = await gateway.request()
    await until(agent, lambda view: view.request_id == request_id)
    await gateway.settled(request_id, lambda view: view.status is Status.IN_PROGRESS)

    await agent.unplug()
    view = await until(agent, lambda view: not view.online)
    assert (view.screen, view.request_id) == (Screen.SWIPE_CARD, request_id)
    agent.swipe(GIFT)
    assert agent.view.screen is Screen.CARD_READ
    agent.plug()

    assert (await gateway.ended(request_id)).outcome is Outcome.CARD_READ


async def test_a_result_survives_a_restart_of_the_gateway(data: Path) -> None:
    async with aiohttp.ClientSession() as session:
        async with gateway_at(data) as first:
            agent = first.terminal(session=session)
            running = first.running.pop()
            await until(agent, lambda view: view.online)
            request_id = await first.request()
            await until(agent, lambda view: view.request_id == request_id)
            await first.settled(request_id, lambda view: view.status is Status.IN_PROGRESS)
        await until(agent, lambda view: not view.online)
        agent.swipe(GIFT)

        async with gateway_at(data, int(first.url.rpartition(":")[2])) as second:
            second.running.append(running)
            assert (await second.ended(request_id)).outcome is Outcome.CARD_READ


async def test_a_newer_connection_replaces_the_older(gateway: Gateway) -> None:
    async with raw(gateway) as older, raw(gateway) as newer:
        assert await closing(older) == CloseCode.REPLACED
        request_id = await gateway.request()

        assert (await hear(newer))["request_id"] == request_id
        assert len(gateway.devices.connections) == 1


async def test_a_node_that_never_welcomes_is_not_waited_for(gateway: Gateway) -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the terminal goes
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1") as silent:
        port = silent.sockets[0].getsockname()[1]
        await until(gateway.terminal(before=f"http://127.0.0.1:{port}"), lambda view: view.screen is Screen.IDLE)


async def test_an_end_is_written_down_when_the_terminal_goes(gateway: Gateway) -> None:
    async with raw(gateway):
        assert len(await gateway.store.read(node_connections, "node-1")) == 1

    await eventually(lambda: gateway.store.read(node_connections, "node-1"), lambda held: not held)


async def test_an_unanswered_end_is_answered_when_said_again(gateway: Gateway) -> None:
    request_id = await gateway.request()
    finished = {"frame": "finished", "request_id": request_id, "outcome": "CUSTOMER_CANCELLED"}
    async with raw(gateway) as socket:
        assert (await hear(socket))["frame"] == "show"
        await socket.send_json({"frame": "shown", "request_id": request_id})
        await socket.send_json(finished)
        assert (await hear(socket)) == {"frame": "accepted", "request_id": request_id}
    async with raw(gateway) as socket:
        await socket.send_json(finished)
        assert (await hear(socket)) == {"frame": "accepted", "request_id": request_id}
        await socket.send_json(finished | {"outcome": "READ_FAILED"})
        assert (await hear(socket))["frame"] == "refused"

    assert (await gateway.view(request_id)).outcome is Outcome.CUSTOMER_CANCELLED


async def test_what_has_ended_meanwhile_is_cleared_on_reconnecting(gateway: Gateway) -> None:
    async with raw(gateway, hello=False) as socket:
        await socket.send_json(HELLO | {"screen": "SWIPE_CARD", "request_id": "00000000-0000-7000-8000-00000000000a"})

        assert (await hear(socket))["frame"] == "welcome"
        assert (await hear(socket))["frame"] == "clear"


async def test_a_terminal_of_another_merchant_can_do_nothing(gateway: Gateway) -> None:
    request_id = await gateway.request()
    async with raw(gateway, token=TOKENS[OTHER]) as socket:
        await socket.send_json({"frame": "shown", "request_id": request_id})
        assert (await hear(socket)) == {"frame": "clear", "request_id": request_id}
        await socket.send_json({"frame": "screen", "screen": "SWIPE_AGAIN", "request_id": request_id})
        await socket.send_json({"frame": "finished", "request_id": request_id, "outcome": "CUSTOMER_CANCELLED"})
        assert (await hear(socket))["frame"] == "refused"

    assert (await gateway.view(request_id)).status is Status.CONNECTING


@pytest.mark.parametrize("number", ["4111111111111111", "5555555555554444"])
async def test_a_payment_card_is_refused_even_if_a_terminal_reports_it(gateway: Gateway, number: str) -> None:
    request_id = await gateway.request()
    async with raw(gateway) as socket:
        await hear(socket)
        await socket.send_json({"frame": "shown", "request_id": request_id})
        card = {"kind": "read", "stripe": f";{number}?", "track1": None, "track2": number}
        await socket.send_json({"frame": "finished", "request_id": request_id, "outcome": "CARD_READ", "result": card})

        answer = await hear(socket)

    assert answer["frame"] == "refused"
    assert number not in str(answer)
    assert (await gateway.view(request_id)).status is Status.IN_PROGRESS


A = "00000000-0000-7000-8000-00000000000a"
ILLEGAL = [
    "",
    "{}",
    "[]",
    "null",
    "\x00",
    '{"frame":"hello"',
    '{"frame":"shown","request_id":"nobody"}',
    json.dumps(HELLO),
    json.dumps({"frame": "screen", "screen": "DANCING"}),
    json.dumps({"frame": "shown", "request_id": A, "more": 1}),
    json.dumps({"frame": "welcome", "nick_name": "a", "merchant": "b", "server": "test"}),
    json.dumps({"frame": "finished", "request_id": A, "outcome": "TIMED_OUT"}),
    json.dumps({"frame": "finished", "request_id": A, "outcome": "CARD_READ"}),
    json.dumps({"frame": "finished", "request_id": A, "outcome": "SIGNED", "result": {"kind": "prompt", "button": "Yes"}}),
    "[" * 30_000,
    '{"frame":"shown","request_id":' * 2_000,
]


@pytest.mark.parametrize("text", ILLEGAL)
async def test_an_illegal_frame_closes_the_channel_and_changes_nothing(gateway: Gateway, text: str) -> None:
    request_id = await gateway.request()
    async with raw(gateway) as socket:
        await socket.send_str(text)

        assert await closing(socket) == CloseCode.ILLEGAL

    assert (await gateway.view(request_id)).status is Status.CONNECTING


async def test_bytes_are_no_frame(gateway: Gateway) -> None:
    async with raw(gateway) as socket:
        await socket.send_bytes(b"{}")

        assert await closing(socket) == CloseCode.ILLEGAL


async def test_a_frame_over_the_limit_closes_the_channel(gateway: Gateway) -> None:
    async with raw(gateway) as socket:
        await socket.send_str("x" * (MAX_FRAME + 1))

        assert await closing(socket) == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_something_before_hello_closes_the_channel(gateway: Gateway) -> None:
    async with raw(gateway, hello=False) as socket:
        await socket.send_json({"frame": "screen", "screen": "IDLE"})

        assert await closing(socket) == CloseCode.ILLEGAL
    assert len(gateway.devices.connections) == 0


async def test_who_says_too_much_is_heard_later_and_not_cut_off(gateway: Gateway) -> None:
    unknown = "00000000-0000-7000-8000-00000000000a"
    too_many = 60
    began = asyncio.get_running_loop().time()
    async with raw(gateway) as socket:
        for turn in range(int(MOST_FRAMES) + too_many):
            await socket.send_json({"frame": "screen", "screen": ("IDLE", "OFFLINE")[turn % 2]})
        await socket.send_json({"frame": "shown", "request_id": unknown})

        assert await hear(socket) == {"frame": "clear", "request_id": unknown}
        assert asyncio.get_running_loop().time() - began >= too_many / FRAMES


async def test_frames_that_come_together_are_heard_in_their_order(gateway: Gateway) -> None:
    unknown = "00000000-0000-7000-8000-00000000000a"
    async with raw(gateway) as socket:
        for turn in range(300):
            await socket.send_json({"frame": "screen", "screen": ("IDLE", "OFFLINE")[turn % 2]})
        await socket.send_json({"frame": "screen", "screen": "CARD_READ"})
        await socket.send_json({"frame": "shown", "request_id": unknown})

        assert await hear(socket) == {"frame": "clear", "request_id": unknown}
        now = gateway.parts.clock.now()
        await eventually(
            lambda: gateway.store.read(find_smart_terminal, now, COUNTER), lambda terminal: terminal.screen == "CARD_READ"
        )


async def test_a_frame_longer_than_is_taken_up_at_once_is_whole(gateway: Gateway) -> None:
    request_id = await gateway.request(SignatureOrder("I agree"))
    strokes = [[[x, (x * 7) % 256] for x in range(256)] for _ in range(15)]
    async with raw(gateway) as socket:
        assert (await hear(socket))["frame"] == "show"
        await socket.send_json({"frame": "shown", "request_id": request_id})
        result = {"kind": "signature", "strokes": strokes}
        await socket.send_json({"frame": "finished", "request_id": request_id, "outcome": "SIGNED", "result": result})
        assert await hear(socket) == {"frame": "accepted", "request_id": request_id}


@pytest.mark.parametrize("token", ["", "unknown", "x" * 5_000, "token-of-the-counter-"])
async def test_an_unknown_token_is_turned_away(gateway: Gateway, token: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        async with raw(gateway, token=token):
            pass
    assert refusal.value.status == 401


async def test_who_connects_too_often_is_turned_away_and_nobody_else(gateway: Gateway) -> None:
    for _ in range(MOST_COMING):
        async with raw(gateway, hello=False):
            pass

    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        async with raw(gateway, hello=False):
            pass

    assert refusal.value.status == 429
    assert refusal.value.headers is not None
    assert refusal.value.headers["retry-after"] == "1"
    async with raw(gateway, token=TOKENS[OTHER]):
        pass
    agent = gateway.terminal()  # one that does not insist gets in
    await until(agent, lambda view: view.online)


async def test_another_subprotocol_is_turned_away(gateway: Gateway) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        async with gateway.session.ws_connect(gateway.url + PATH, headers={"Authorization": f"Bearer {TOKENS[COUNTER]}"}):
            pass
    assert refusal.value.status == 400


async def test_without_a_websocket_there_is_an_answer_too(gateway: Gateway) -> None:
    async with gateway.session.get(gateway.url + PATH) as answer:
        assert answer.status == 426
