"""The webhook catcher as its users see it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import json
import socket

import aiohttp
import pytest
from rich.console import Console
from yarl import URL

from countertop.domain.webhook import Signer
from countertop.testing.catcher import Caught, CloseWithout, Printer, Reply, Verdict, catch, judge
from tests.delivery.conftest import SECRET

EVENT = json.dumps(
    {"id": "e", "type": "SMARTTERMINAL_REQUEST", "data": {"status": "COMPLETE", "trackData": ";7090112233654321?"}}
).encode()


async def post(url: str, body: bytes = EVENT, headers: dict[str, str] | None = None) -> int:
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as response:
        return response.status


async def test_it_keeps_what_comes_and_answers_as_told() -> None:
    async with catch() as catcher:
        catcher.then(Reply(500), CloseWithout())
        assert await post(catcher.url + "/some?query=1") == 500
        with pytest.raises(aiohttp.ClientError):
            await post(catcher.url)
        assert await post(catcher.url, b"hello") == 200
        caught = await catcher.wait_for(3)
        assert caught[0].path == "/hook/some?query=1"
        assert caught[0].event["id"] == "e"
        assert caught[0].data["status"] == "COMPLETE"
        assert caught[2].body == b"hello"
        with pytest.raises(ValueError, match="Expecting value"):
            assert caught[2].event


async def test_waiting_for_what_does_not_come_ends() -> None:
    async with catch() as catcher:
        with pytest.raises(TimeoutError):
            await catcher.wait_for(lambda caught: len(caught) > 3, within_s=0.01)


def test_it_judges_both_signatures() -> None:
    signer = Signer(SECRET)
    right = {"x-pj-signature": signer.sign(EVENT)}
    assert judge(SECRET, right, EVENT) == Verdict(vendor=True, standard=None)
    assert judge(SECRET, right, EVENT + b" ") == Verdict(vendor=False, standard=None)
    assert judge(SECRET, {"x-pj-signature": "é"}, EVENT) == Verdict(vendor=False, standard=None)
    old = {"webhook-id": "e", "webhook-timestamp": "1000", "webhook-signature": signer.sign_standard("e", 1000, EVENT)}
    assert judge(SECRET, old, EVENT) == Verdict(vendor=None, standard=False)
    for nonsense in ("", "v1", "v1,?", "x"):
        assert judge(SECRET, {"webhook-signature": nonsense}, b"\xff").standard is False
    assert judge(None, right, EVENT) == Verdict(vendor=None, standard=None)


@pytest.mark.parametrize("bodies", [True, False])
async def test_it_prints_a_line_for_each_delivery(bodies: bool) -> None:
    output = io.StringIO()
    signer = Signer(SECRET)
    async with catch(SECRET, on_caught=Printer(Console(file=output, width=60), bodies=bodies)) as catcher:
        await post(catcher.url, headers={"X-Pj-Signature": signer.sign(EVENT)})
        await post(catcher.url, headers={"X-Pj-Signature": "0" * 64})
        await post(catcher.url, b"[1, 2]")
    lines = output.getvalue().splitlines()
    assert "SMARTTERMINAL_REQUEST COMPLETE ;7090…4321?  ✓ X-Pj-Signature  – webhook-signature" in lines[0]
    assert "✗ X-Pj-Signature" in lines[2 if bodies else 1]
    assert "6 bytes that are no event" in lines[-2 if bodies else -1]
    assert ("7090112233654321" in output.getvalue()) is bodies


def test_a_delivery_shows_no_card_in_its_repr() -> None:
    caught = Caught("/", {}, EVENT, Verdict(vendor=None, standard=None))
    assert "7090112233654321" not in repr(caught)


@pytest.mark.parametrize("turns", range(4))
async def test_who_comes_as_it_closes_is_let_go(turns: int) -> None:
    """Turns of the event loop lie between listening, accepting, and looking after who was accepted."""
    async with catch() as catcher:
        latecomer = socket.create_connection(("127.0.0.1", URL(catcher.url).port), timeout=5)
        for _ in range(turns):
            await asyncio.sleep(0)
    with latecomer:
        gc.collect()  # a connection that was left open would say so now
        with contextlib.suppress(ConnectionResetError):
            assert latecomer.recv(1) == b""
