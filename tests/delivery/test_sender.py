"""One attempt, on real sockets."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from standardwebhooks.webhooks import Webhook

from countertop.domain.webhook import Attempt
from countertop.gateway.delivery.guard import Guard
from countertop.gateway.delivery.sender import Patience, Sender
from countertop.testing.catcher import CloseWithout, Drip, Hold, Reply, catch, redirect
from tests.delivery.conftest import ACCOUNT, DELIVERY, MERCHANT, SECRET, delivery_to

NOW = 1_800_000_000_000
SHORT = Patience(connect_s=2, answer_s=0.3)

Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(speak: Speak) -> AsyncIterator[str]:
    """A server that says what HTTP servers should not."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await speak(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with running:
        yield f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}/hook"


async def send(url: str, patience: Patience | None = None, *, guard: Guard | None = None) -> Attempt:
    async with Sender(guard or Guard(loopback=True), patience=patience or Patience(2, 5)) as sender:
        return await sender.send(delivery_to(url), NOW)


async def test_a_delivery_looks_as_the_vendors_and_carries_both_signatures() -> None:
    async with catch(SECRET) as catcher, Sender(Guard(loopback=True)) as sender:
        attempt = await sender.send(delivery_to(catcher.url), NOW)
        assert attempt.acknowledged
        assert attempt.started == NOW
        assert attempt.failure is None
        caught = catcher.caught[0]
        expected = {
            "content-type": "application/json",
            "content-length": str(len(caught.body)),
            "accept-encoding": "gzip,deflate",
            "pj-account": ACCOUNT,
            "pj-merchant": MERCHANT,
            "user-agent": "PayJunction WebHook",
            "webhook-id": DELIVERY.event_id,
        }
        own = {"host", "x-pj-signature", "webhook-timestamp", "webhook-signature"}
        assert caught.headers.items() >= expected.items()
        assert caught.headers.keys() == expected.keys() | own
        assert caught.verdict.good
        assert Webhook(SECRET.encode()).verify(caught.body, dict(caught.headers))["id"] == DELIVERY.event_id
        assert caught.data == {"requestId": DELIVERY.subject_id, "status": "CONNECTING"}


async def test_without_a_secret_there_is_nothing_to_sign_with() -> None:
    async with catch() as catcher, Sender(Guard(loopback=True)) as sender:
        await sender.send(delivery_to(catcher.url, secret=None, account_id=None), NOW)
        headers = catcher.caught[0].headers
        assert headers.keys().isdisjoint({"x-pj-signature", "webhook-signature", "pj-account"})
        assert headers.keys() >= {"webhook-id", "webhook-timestamp"}


async def test_the_timestamp_is_the_receivers_time_whatever_the_servers_clock_says() -> None:
    async with catch(SECRET) as catcher, Sender(Guard(loopback=True)) as sender:
        await sender.send(delivery_to(catcher.url), NOW + 10**9)
        assert catcher.caught[0].verdict.standard


@pytest.mark.parametrize(("status", "good"), [(200, True), (202, True), (204, True), (301, False), (404, False), (500, False)])
async def test_the_status_decides(status: int, good: bool) -> None:
    async with catch() as catcher:
        catcher.reply = Reply(status)
        attempt = await send(catcher.url)
        assert (attempt.status, attempt.acknowledged, attempt.failure) == (status, good, None)


async def test_a_path_and_a_query_arrive_as_they_were_written() -> None:
    async with catch() as catcher:
        await send(catcher.url + "/%7Euser/a%2Fb/?x=%20&y=a+b&z=%C3%BC")
        assert catcher.caught[0].path == "/hook/%7Euser/a%2Fb/?x=%20&y=a+b&z=%C3%BC"


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    async with catch() as catcher, catch() as other:
        for status in (301, 302, 303, 307, 308):
            catcher.reply = redirect(other.url, status)
            attempt = await send(catcher.url)
            assert (attempt.status, attempt.acknowledged) == (status, False)
        assert other.caught == []


async def test_the_first_kilobyte_of_an_answer_is_kept() -> None:
    async with catch() as catcher:
        catcher.reply = Reply(500, b"x" * 1_000_000)
        assert (await send(catcher.url)).answer == b"x" * 1024
        catcher.reply = Reply(200, b"thanks")
        assert (await send(catcher.url)).answer == b"thanks"


@pytest.mark.parametrize(
    ("encoding", "body", "kept"),
    [
        ("gzip", gzip.compress(b"y" * 10_000_000), b"y" * 1024),
        ("deflate", zlib.compress(b"hello"), b"hello"),
        ("gzip", b"not at all", b"not at all"),
        ("br", b"\x0b\x02", b"\x0b\x02"),
    ],
)
async def test_a_compressed_answer_is_kept_readable_and_small(encoding: str, body: bytes, kept: bytes) -> None:
    async with catch() as catcher:
        catcher.reply = Reply(200, body, {"Content-Encoding": encoding})
        attempt = await send(catcher.url)
        assert (attempt.status, attempt.answer) == (200, kept)


async def test_no_answer_in_time_is_a_failure() -> None:
    async with catch() as catcher:
        catcher.reply = Hold()
        attempt = await send(catcher.url, SHORT)
        assert (attempt.status, attempt.failure) == (None, "no answer within 0.3 s")
        assert 280 <= attempt.duration < 3_000


async def test_an_answer_that_drips_for_ever_ends_in_time_and_its_status_counts() -> None:
    async with catch() as catcher:
        catcher.reply = Drip(200, every_s=0.01)
        attempt = await send(catcher.url, SHORT)
        assert attempt.acknowledged
        assert 0 < len(attempt.answer) < 100
        assert attempt.duration < 3_000


async def test_a_head_that_drips_for_ever_ends_in_time() -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"x: y\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with server(drip) as url:
        attempt = await send(url, SHORT)
        assert (attempt.status, attempt.failure) == (None, "no answer within 0.3 s")


@pytest.mark.parametrize(
    ("said", "status", "failure"),
    [
        (b"", None, "the connection was closed without an answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", None, "the answer was not HTTP"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000 + b"\r\n\r\n", None, "the answer was not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", 200, None),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n", None, "the answer was not HTTP"),
        (b"HTTP/1.1 500 \r\n\r\n\xff\x00", 500, None),
    ],
)
async def test_whatever_is_said_has_a_plain_name(said: bytes, status: int | None, failure: str | None) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}")
        writer.write(said)
        await writer.drain()

    async with server(say) as url:
        attempt = await send(url)
        assert (attempt.status, attempt.failure) == (status, failure)


async def test_a_closed_port_has_a_plain_name() -> None:
    async with catch() as gone:
        url = gone.url
    assert (await send(url)).failure == "no connection: Connection refused"


async def test_an_idle_connection_that_the_peer_closed_costs_no_attempt() -> None:
    served = 0

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        served += 1
        await reader.readuntil(b"}")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        # It promises to keep the connection, takes the next request and closes.
        await reader.readuntil(b"}")

    async with server(once) as url, Sender(Guard(loopback=True)) as sender:
        for _ in range(3):
            assert (await sender.send(delivery_to(url), NOW)).acknowledged
        assert served == 3


async def test_a_connection_closed_on_a_fresh_request_is_not_tried_twice() -> None:
    async with catch() as catcher:
        catcher.reply = CloseWithout()
        assert (await send(catcher.url)).failure == "the connection was closed without an answer"
        assert len(catcher.caught) == 1


async def test_connections_are_kept() -> None:
    ports = set[object]()

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ports.add(writer.get_extra_info("peername"))
        while True:
            await reader.readuntil(b"}")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await reader.readuntil(b"\r\n\r\n")

    async with server(keep) as url, Sender(Guard(loopback=True)) as sender:
        for _ in range(5):
            assert (await sender.send(delivery_to(url), NOW)).acknowledged
    assert len(ports) == 1


async def test_what_cannot_be_made_into_a_body_is_a_failed_attempt() -> None:
    async with catch() as catcher, Sender(Guard(loopback=True)) as sender:
        attempt = await sender.send(delivery_to(catcher.url, data={}), NOW)
        assert (attempt.status, attempt.failure) == (None, "could not be sent")


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 202 Accepted\nContent-Length: 2\n\nok",
        b"HTTP/1.1 202\r\nTransfer-Encoding: chunked\r\n\r\n2 \r\nok\r\n0\r\n\r\n",
        b"HTTP/1.0 202 Accepted\r\n\r\nok",
    ],
)
async def test_answers_in_odd_forms_count(said: bytes) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}")
        writer.write(said)
        await writer.drain()

    async with server(say) as url:
        attempt = await send(url)
        assert (attempt.status, attempt.answer, attempt.failure) == (202, b"ok", None)


@pytest.mark.parametrize("more", [b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", b"more than was said"])
async def test_what_comes_after_an_answer_is_nobodys(more: bytes) -> None:
    served = 0

    async def chat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        served += 1
        await reader.readuntil(b"}")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + more)
        await reader.read()

    async with server(chat) as url, Sender(Guard(loopback=True)) as sender:
        for _ in range(3):
            attempt = await sender.send(delivery_to(url), NOW)
            assert (attempt.status, attempt.answer) == (200, b"ok")
        assert served == 3


async def test_a_sending_that_is_called_off_leaves_its_connection_to_nobody() -> None:
    arrived = asyncio.Event()
    served = 0

    async def hesitate(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        served += 1
        await reader.readuntil(b"}")
        arrived.set()
        if served == 1:
            await reader.read()  # until the sender hangs up
        else:
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async with server(hesitate) as url, Sender(Guard(loopback=True)) as sender:
        sending = asyncio.create_task(sender.send(delivery_to(url), NOW))
        await arrived.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert (await sender.send(delivery_to(url), NOW)).acknowledged
        assert served == 2
