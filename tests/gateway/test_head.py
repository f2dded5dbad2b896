"""A connection that sends the same headers again is answered as if they were read again."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from countertop.gateway.head import LONGEST, LONGEST_LINE, MOST, Heads
from countertop.gateway.http.call import Fields
from countertop.gateway.server import Listener
from countertop.gateway.settings import Settings

HOST = b"Host: here\r\nX-One: 1\r\nAccept: */*\r\n"
HEADERS = [(b"host", b"here"), (b"x-one", b"1"), (b"accept", b"*/*")]


def get(target: bytes, headers: bytes = HOST, method: bytes = b"GET", version: bytes = b"1.1") -> bytes:
    return b"%b %b HTTP/%b\r\n%b\r\n" % (method, target, version, headers)


def post(target: bytes, body: bytes, headers: bytes = HOST) -> bytes:
    return get(target, headers + b"Content-Length: %d\r\n" % len(body), b"POST") + body


def learned(data: bytes, headers: list[tuple[bytes, bytes]]) -> Heads:
    heads = Heads()
    heads.learn(data, headers, Fields(headers))
    return heads


def test_another_request_with_the_same_headers_is_recognised() -> None:
    heads = learned(get(b"/one"), HEADERS)
    found = heads.recognise(get(b"/two/3?limit=5&x=%20"))
    assert found is not None
    assert (found.method, found.path, found.query, found.body) == ("GET", "/two/3", b"limit=5&x=%20", b"")
    assert found.head.headers == HEADERS


def test_a_line_is_recognised_up_to_a_length() -> None:
    heads = learned(get(b"/one"), HEADERS)
    longest = b"/" + b"a" * (LONGEST_LINE - len(b"GET / HTTP/1.1"))
    for _ in range(2):  # the second time it is remembered
        found = heads.recognise(get(longest))
        assert found is not None
        assert found.path.encode() == longest
        assert heads.recognise(get(longest + b"a")) is None


def test_a_body_has_to_be_as_long_as_is_said() -> None:
    heads = learned(post(b"/one", b"a=1"), [*HEADERS, (b"content-length", b"3")])
    known = heads.recognise(post(b"/one", b"b=2"))
    assert known is not None
    assert known.body == b"b=2"
    head, _, _ = post(b"/one", b"a=1").rpartition(b"a=1")
    for body in (b"", b"a=", b"a=12", b"a=1GET / HTTP/1.1\r\n\r\n"):
        assert heads.recognise(head + body) is None


@pytest.mark.parametrize(
    "data",
    [
        get(b"/one", HOST + b"X-Two: 2\r\n"),
        get(b"/one", HOST.lower()),
        get(b"/one")[:-1],
        get(b"/one")[:-20],
        get(b"/one") * 2,
        b"\r\n" + get(b"/one"),
        get(b"/one", method=b"OPTIONS"),
        get(b"/one", method=b"HEAD"),
        get(b"/one", method=b"get"),
        get(b"/one", version=b"1.0"),
        get(b"/one", version=b"2.0"),
        get(b"http://here/one"),
        get(b"*"),
        get(b"/one#two"),
        get(b"/one%2Ftwo"),
        get(b"/\xc3\xa9"),
        get(b"/one two"),
        get(b"/one\ttwo"),
        get(b""),
        b"",
    ],
)
def test_what_is_not_just_so_is_left_to_the_parser(data: bytes) -> None:
    assert learned(get(b"/one"), HEADERS).recognise(data) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [(b"transfer-encoding", b"chunked"), (b"upgrade", b"websocket"), (b"expect", b"100-continue"), (b"connection", b"close")],
)
def test_headers_that_say_what_follows_are_not_remembered(name: bytes, value: bytes) -> None:
    data = get(b"/one", HOST + name + b": " + value + b"\r\n")
    assert learned(data, [*HEADERS, (name, value)]).recognise(data) is None


def test_what_the_parser_found_in_more_than_one_request_is_not_remembered() -> None:
    for data in (get(b"/one") * 2, get(b"/one") + get(b"/two")[:9], get(b"/one") + b"\r\n", get(b"/one")[:-2]):
        assert learned(data, HEADERS).recognise(get(b"/one")) is None


def test_few_and_short_heads_are_remembered() -> None:
    heads = Heads()
    variants = [HOST + b"X-Two: %d\r\n" % number for number in range(MOST + 1)]
    for variant in variants:
        heads.learn(get(b"/one", variant), HEADERS, Fields(HEADERS))
    assert [heads.recognise(get(b"/one", variant)) is not None for variant in variants] == [False] * MOST + [True]
    long = HOST + b"X-Two: " + b"x" * LONGEST + b"\r\n"
    assert learned(get(b"/one", long), HEADERS).recognise(get(b"/one", long)) is None
    body = b"x" * (LONGEST + 1)
    lengthy = [*HEADERS, (b"content-length", b"%d" % len(body))]
    assert learned(post(b"/one", body), lengthy).recognise(post(b"/one", body)) is None


async def mirror(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with all that it was asked."""
    request = Request(scope, receive)
    seen = (request.method, scope["path"], scope["query_string"], scope["headers"], await request.body())
    await Response(repr(seen))(scope, receive, send)


@asynccontextmanager
async def connected(listener: Listener) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def ask(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], request: bytes) -> bytes:
    """Status line and body of the answer."""
    reader, writer = connection
    writer.write(request)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    length = re.search(rb"content-length: (\d+)", head)
    assert length is not None
    return head.partition(b"\r\n")[0] + await reader.readexactly(int(length[1]))


REQUESTS = [
    get(b"/one"),
    get(b"/two?x=1"),
    get(b"/two?x=1", HOST + b"X-Two: 2\r\n"),
    get(b"/a%20b?%41"),
    get(b"/one", method=b"DELETE"),
    get(b"/one", method=b"OPTIONS"),
    get(b"/one", HOST, version=b"1.1"),
    post(b"/one", b"a=1"),
    post(b"/two", b"b=2"),
    post(b"/two", b"b=22"),
    post(b"/two", b""),
    post(b"/long", b"x" * 5_000),
    get(b"/one", HOST + b"Transfer-Encoding: chunked\r\n", b"POST") + b"3\r\na=1\r\n0\r\n\r\n",
    get(b"http://here/absolute"),
]


async def test_whatever_came_before_the_answer_is_the_same() -> None:
    listener = Listener(Settings(port=0))
    await listener.start(mirror)
    try:
        alone = {}
        for request in REQUESTS:
            async with connected(listener) as connection:
                alone[request] = await ask(connection, request)
        assert len(set(alone.values())) == len(set(REQUESTS))
        order = [*REQUESTS, *REQUESTS, *(one for pair in pairwise(REQUESTS) for one in (*pair, *pair)), *reversed(REQUESTS)]
        async with connected(listener) as connection:
            for request in order:
                assert await ask(connection, request) == alone[request]
    finally:
        await listener.stop()


async def test_a_head_in_pieces_after_whole_ones_is_waited_for() -> None:
    listener = Listener(Settings(port=0))
    await listener.start(mirror)
    try:
        async with connected(listener) as connection:
            whole = [await ask(connection, get(b"/one")) for _ in range(3)]
            _, writer = connection
            for piece in (get(b"/one")[:7], get(b"/one")[7:30]):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.02)
            assert await ask(connection, get(b"/one")[30:]) == whole[0]
            assert whole == [whole[0]] * 3
            assert await ask(connection, get(b"/one")) == whole[0]
    finally:
        await listener.stop()
