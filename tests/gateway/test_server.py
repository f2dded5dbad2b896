"""The HTTP server's own bounds, over real sockets: what never gets as far as the application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from countertop.gateway import server
from countertop.gateway.connection import MOST_HEAD
from countertop.gateway.server import Listener
from countertop.gateway.settings import Settings, SettingsError


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers what was sent, after the header `x-seen`'s value."""
    request = Request(scope, receive)
    body = await request.body()
    await Response(request.headers.get("x-seen", "").encode() + body)(scope, receive, send)


@asynccontextmanager
async def listening(
    *,
    head_within: float = server.HEAD_WITHIN,
    body_within: float = server.BODY_WITHIN,
    idle_within: float = server.KEEP_ALIVE,
    read_within: float = server.READ_WITHIN,
    **settings: object,
) -> AsyncIterator[Listener]:
    bounds = {"head_within": head_within, "body_within": body_within, "idle_within": idle_within, "read_within": read_within}
    listener = Listener(Settings.model_validate({"port": 0} | settings), **bounds)
    await listener.start(echo)
    try:
        yield listener
    finally:
        await listener.stop()


@asynccontextmanager
async def connected(listener: Listener) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def say(listener: Listener, sent: bytes) -> bytes:
    """Everything that is answered until the server closes the connection."""
    async with connected(listener) as (reader, writer):
        writer.write(sent)
        return await asyncio.wait_for(reader.read(), 20)


async def test_a_request_is_served() -> None:
    async with listening() as listener:
        answer = await say(listener, b"POST /x HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nhi")
    assert b"\r\nserver:" not in answer


async def test_chunked_wins_over_a_length_and_the_connection_ends() -> None:
    conflicting = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    async with listening() as listener:
        answer = await say(listener, conflicting + b"GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.endswith(b"\r\n\r\nhello")
    assert b"\r\nconnection: close\r\n" in answer


async def test_an_empty_chunked_body_with_a_length_is_served() -> None:
    async with listening() as listener:
        answer = await say(
            listener, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
        )
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nconnection: close\r\n" in answer


async def test_a_trailer_is_no_header() -> None:
    async with listening() as listener:
        answer = await say(
            listener,
            b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
            b"1\r\n.\r\n0\r\nx-seen: no\r\n\r\n",
        )
    assert answer.endswith(b"\r\n\r\n.")


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
        b"GET\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: a\r\n\r\n",
        b"BREW / HTCPCP/1.0\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_400_in_the_form_of_the_api(nonsense: bytes) -> None:
    async with listening() as listener:
        answer = await say(listener, nonsense)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n")
    assert b'"message" : "The request is not valid HTTP."' in answer


async def test_headers_have_an_end() -> None:
    async with listening() as listener:
        answer = await say(listener, b"GET / HTTP/1.1\r\nhost: a\r\n" + b"x: " + b"y" * MOST_HEAD)
    assert answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("half", [b"", b"\r\n", b"GET / HT", b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhel"])
async def test_half_a_request_is_not_waited_for(half: bytes) -> None:
    async with listening(head_within=0.05, body_within=0.1) as listener:
        assert (await say(listener, half)).startswith(b"HTTP/1.1 408 ")


async def test_an_idle_connection_is_closed() -> None:
    async with listening(head_within=0.5, idle_within=0.5) as listener, connected(listener) as (reader, writer):
        for _ in range(2):
            writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        assert b"HTTP/1.1" not in await reader.read()


async def test_an_upgrade_that_nobody_offers_ends_the_connection() -> None:
    upgrade = b"POST / HTTP/1.1\r\nhost: a\r\nupgrade: h2c\r\nconnection: upgrade\r\ncontent-length: 30\r\n\r\n"
    async with listening() as listener:
        answer = await say(listener, upgrade + b"GET /smuggled HTTP/1.1\r\n\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1


async def test_the_quietest_connection_makes_room_for_a_new_one() -> None:
    async with listening(connections=2) as listener, connected(listener) as (oldest, _), connected(listener) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        assert (await say(listener, b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        assert (await oldest.read()).startswith(b"HTTP/1.1 503 ")
        writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")


async def test_connections_over_the_limit_are_refused_if_all_are_at_work() -> None:
    async with listening(connections=1) as listener, connected(listener) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        assert (await say(listener, b"")).startswith(b"HTTP/1.1 503 ")
        writer.write(b"hi")
        assert (await reader.readuntil(b"hi")).startswith(b"HTTP/1.1 200 ")


async def test_a_trailer_has_an_end() -> None:
    head = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\n.\r\n0\r\n"
    async with listening() as listener, connected(listener) as (reader, writer):
        writer.write(head + b"x: ")
        while not writer.is_closing():
            writer.write(b"y" * MOST_HEAD)
            with suppress(ConnectionError):
                await writer.drain()
            await asyncio.sleep(0)
        with suppress(ConnectionError):
            assert await reader.read() == b""


async def drain_for_ever(writer: asyncio.StreamWriter) -> None:
    while True:
        await asyncio.wait_for(writer.drain(), 20)
        await asyncio.sleep(0.01)


async def test_who_does_not_read_is_cut_off() -> None:
    request = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n" + b"x" * 1_000_000
    async with listening(head_within=0.05, read_within=0.1) as listener, connected(listener) as (_, writer):
        for _ in range(20):  # more than the system's buffers hold
            writer.write(request)
        with pytest.raises(ConnectionError):
            await drain_for_ever(writer)


@pytest.mark.parametrize("strange", [b"x: " + b"y" * 20_000 + b"\r\n", b"".join(b"x%d: y\r\n" % number for number in range(200))])
async def test_a_handshake_that_cannot_be_read_ends_the_connection(strange: bytes) -> None:
    shake = b"GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n"
    async with listening() as listener:
        answer = await say(listener, shake + strange + b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")


async def test_a_port_in_use_is_a_settings_error() -> None:
    async with listening() as listener:
        with pytest.raises(SettingsError, match="cannot listen on"):
            Listener(Settings(port=listener.port))


async def test_a_certificate_that_is_none_is_a_settings_error(tmp_path: Path) -> None:
    file = tmp_path / "cert.pem"
    file.write_text("nothing")
    with pytest.raises(SettingsError, match="TLS_CERT and TLS_KEY cannot be used"):
        async with listening(tls_cert=file, tls_key=file):
            pass
