"""Whatever a client can send gets the error object and changes nothing."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, TypeVar

import pytest

from countertop.domain.errors import TooLate
from countertop.gateway.http.answer import Answer
from countertop.gateway.http.call import MAX_BODY, Call
from countertop.gateway.http.form import MAX_PARAMETERS
from countertop.gateway.http.route import Route
from countertop.gateway.store.trouble import Defect, Overloaded, Unavailable
from countertop.gateway.store.unit import Unit
from tests.http.gateway import Gateway, running_gateway
from tests.http.harness import SMART_TERMINAL, Client, assert_error_shape, read_reply

READ = f"/smartterminals/{SMART_TERMINAL}/request-read"
FORM = "application/x-www-form-urlencoded"


def count(unit: Unit) -> int:
    rows: Any = unit._cursor.execute("SELECT count(*) FROM request", ())  # noqa: SLF001 - counts behind the store's back
    del rows
    return int(unit._cursor.fetchall()[0][0])  # noqa: SLF001


def head(client: Client, method: str = "POST", path: str = READ, **more: str) -> bytes:
    headers = {"Host": "x", **client.headers, **{name.replace("_", "-"): value for name, value in more.items()}}
    return f"{method} {path} HTTP/1.1\r\n".encode() + b"".join(
        f"{name}: {value}\r\n".encode("latin-1") for name, value in headers.items()
    )


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"terminalId=1&" + b"a=b&" * MAX_PARAMETERS, 400),
        (b"&".join(b"p%d=1" % number for number in range(5_000)), 400),
        (b"terminalId=1&text=\xff", 400),
        (b"terminalId=1&text=%ff", 400),
        (b"terminalId=1&text=%C3", 400),
        (b"terminalId=1&text=%ED%A0%80", 400),
        (b"terminalId=1&%FF=1", 400),
        (b"terminalId=1&text=%", 400),
        (b"terminalId=1&text=%4", 400),
        (b"terminalId=1&text=%zz", 400),
        (b"terminalId=\0", 400),
        (b'{"terminalId": 1}', 400),
        (os.urandom(1024), 400),
        (b"terminalId=1&terms=" + b"x" * MAX_BODY, 413),
        (b"x" * 10_000_000, 413),
    ],
    ids=range(15),
)
async def test_a_body_that_is_no_form(gateway: Gateway, body: bytes, status: int) -> None:
    assert_error_shape(await gateway.client.post(READ, body), status)
    assert await gateway.store.read(count) == 0


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/x-www-form-urlencoded; charset=iso-8859-1",
        "x",
        ";",
        "é",
    ],
)
async def test_a_body_of_another_type(gateway: Gateway, content_type: str) -> None:
    assert_error_shape(await gateway.client.post(READ, b"terminalId=1", Content_Type=content_type), 415)
    assert await gateway.store.read(count) == 0


async def test_what_a_short_form_said_before_is_not_said_by_the_same_bytes_elsewhere(gateway: Gateway) -> None:
    client, form = gateway.client, b"terminalId=1&type=PHONE"
    assert (await client.post(READ, form)).status == 200
    assert_error_shape(await client.post(READ, form, Content_Type="application/json"), 415)
    assert_error_shape(await client.post(READ.replace("read", "signature"), form), 400)
    assert (await client.post(READ.replace("read", "input"), form)).status == 200
    assert await gateway.store.read(count) == 2


async def test_a_short_form_that_is_wrong_is_wrong_each_time(gateway: Gateway) -> None:
    for _ in range(2):
        reply = await gateway.client.post(READ, b"terminalId=1&terminalId=1")
        assert_error_shape(reply, 400)
        assert reply.faults == [("terminalId", "invalid", "This field is invalid.")]
    assert await gateway.store.read(count) == 0


@pytest.mark.parametrize(
    "content_type",
    ["", FORM.upper(), f"{FORM}; charset=UTF-8", f'{FORM} ;charset="utf-8"', f"{FORM};charset=utf8;x=y", f"{FORM};"],
)
async def test_a_form_may_say_so_in_many_ways(client: Client, content_type: str) -> None:
    assert (await client.post(READ, b"terminalId=1", Content_Type=content_type)).status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "//", 404),
        ("GET", "/nothing", 404),
        ("GET", "/terminals/1", 404),
        ("GET", "/terminals//", 404),
        ("GET", "//terminals", 404),
        ("GET", "/Terminals", 404),
        ("GET", "/terminals/../terminals", 404),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", 404),
        ("GET", "/smartterminals/requests", 405),
        ("GET", "/smartterminals/requests/", 405),
        ("GET", "/smartterminals/requests/x", 404),
        ("GET", "/smartterminals/requests/%00", 404),
        ("GET", "/smartterminals/requests/%ff", 404),
        ("GET", "/smartterminals/requests/" + "a" * 8000, 404),
        ("GET", "/" + "/" * 5000, 404),
        ("GET", "/test/clock/advance", 404),
        ("POST", "/terminals", 405),
        ("DELETE", "/webhooks", 405),
        ("GET", READ, 405),
        ("PATCH", "/webhooks", 405),
        ("TRACE", "/webhooks", 405),
        ("PROPFIND", "/webhooks", 405),
        ("POST", "/openapi.json", 405),
    ],
)
async def test_a_place_that_is_not_there(client: Client, method: str, path: str, status: int) -> None:
    path = path.rstrip("/") if path == "/smartterminals/requests" else path
    reply = await client.ask(method, path, None)
    if path.startswith("/smartterminals/requests") and status == 405:
        status = 404  # a place inside the tree where nothing is
    assert_error_shape(reply, status)
    assert ("allow" in reply.headers) == (status == 405)


async def test_405_names_what_is_allowed(client: Client) -> None:
    assert (await client.ask("DELETE", "/webhooks", None)).headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert (await client.get(READ)).headers["allow"] == "OPTIONS, POST"


async def test_options_tells_the_same_without_a_login(client: Client) -> None:
    reply = await Client(client.url, {}).ask("OPTIONS", "/webhooks/", None)
    assert (reply.status, reply.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")


async def test_head_is_get_without_the_body(client: Client) -> None:
    got, asked = await client.get("/terminals"), await client.ask("HEAD", "/terminals", None)
    assert (asked.status, asked.body) == (200, b"")
    assert asked.headers["content-length"] == got.headers["content-length"]


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("", 200),
        ("*/*", 200),
        ("application/*", 200),
        ("APPLICATION/JSON", 200),
        ("application/json; charset=utf-8", 200),
        ("text/html, application/json;q=0.1", 200),
        ("text/html, */*;q=0.001", 200),
        ("text/*, application/json ; q=1.000", 200),
        ("text/html", 406),
        ("application/xml, image/*", 406),
        ("application/json;q=0", 406),
        ("*/*, application/json;q=0", 406),
        ("*/*;q=0", 406),
        ("application/json;q=2", 406),
        ("nonsense", 406),
        (",;,", 406),
    ],
)
async def test_the_accept_header_must_allow_json(client: Client, accept: str, status: int) -> None:
    reply = await client.get("/terminals", Accept=accept)
    if status == 200:
        assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    else:
        assert_error_shape(reply, status)


async def test_several_accept_headers_count_together(client: Client) -> None:
    lines = b"Accept: application/json\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
    assert (await client.raw(head(client, "GET", "/terminals") + lines))[0].status == 200


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nBad Header: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n",
    ],
    ids=range(9),
)
async def test_what_is_no_http(client: Client, data: bytes) -> None:
    reply = (await client.raw(data))[0]
    assert_error_shape(reply, 400)
    assert reply.headers["connection"] == "close"


async def test_chunked_beside_a_length_is_served_and_the_connection_closed(client: Client) -> None:
    path = f"/smartterminals/{SMART_TERMINAL}/main"
    for method_path, status in ((path, 204), (READ, 400)):
        data = (
            head(client, path=method_path, Transfer_Encoding="chunked", Content_Length="0", Content_Type=FORM) + b"\r\n0\r\n\r\n"
        )
        async with client.connection() as (reader, writer):
            writer.write(data)
            reply = await read_reply(reader)
            assert reply.status == status
            assert await reader.read() == b""
    chunked = (
        head(client, Transfer_Encoding="chunked", Content_Length="0", Content_Type=FORM) + b"\r\nc\r\nterminalId=1\r\n0\r\n\r\n"
    )
    assert (await client.raw(chunked))[0].status == 200


async def test_a_chunked_body_is_bounded_too(gateway: Gateway) -> None:
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    data = head(gateway.client, Transfer_Encoding="chunked", Content_Type=FORM) + b"\r\n" + chunk * 20 + b"0\r\n\r\n"
    assert_error_shape((await gateway.client.raw(data))[0], 413)
    assert await gateway.store.read(count) == 0


async def test_a_body_may_come_in_pieces(client: Client) -> None:
    async with client.connection() as (reader, writer):
        writer.write(head(client, Content_Length="12", Content_Type=FORM) + b"\r\n")
        for piece in (b"termi", b"nalId", b"=1"):
            await writer.drain()
            await asyncio.sleep(0.01)
            writer.write(piece)
        assert (await read_reply(reader)).status == 200


async def test_a_client_that_is_still_sending_reads_its_refusal(client: Client) -> None:
    assert_error_shape(await client.post(READ, b"x" * 5_000_000, Authorization="x"), 401)
    assert_error_shape(await client.post("/nothing", b"x" * 5_000_000), 404)
    assert_error_shape(await client.post("/terminals", b"x" * 5_000_000), 405)


async def test_a_client_that_waits_to_be_asked_for_a_body_is_not_asked_in_vain(client: Client) -> None:
    data = head(client, Content_Length="1000000", Content_Type=FORM, Expect="100-continue") + b"\r\n"
    assert_error_shape((await client.raw(data))[0], 413)
    asked = head(client, Content_Length="12", Content_Type=FORM, Expect="100-continue") + b"\r\n"
    async with client.connection() as (reader, writer):
        writer.write(asked)
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"terminalId=1")
        assert (await read_reply(reader)).status == 200


async def test_half_sent_requests_change_nothing(gateway: Gateway) -> None:
    client = gateway.client
    whole = head(client, Content_Length="12", Content_Type=FORM) + b"\r\nterminalId=1"
    for end in range(1, len(whole), 7):
        async with client.connection() as (_, writer):
            writer.write(whole[:end])
            await writer.drain()
            writer.write_eof()
    assert (await client.get("/terminals")).status == 200
    assert await gateway.store.read(count) == 0


async def test_pipelined_requests_are_answered_in_order(client: Client) -> None:
    requests = [head(client, "GET", path) + b"\r\n" for path in ("/terminals", "/nothing", "/terminals?limit=x", "/merchants")]
    assert [reply.status for reply in await client.raw(b"".join(requests), 4)] == [200, 404, 400, 200]


async def test_a_connection_goes_on_after_an_error(client: Client) -> None:
    refused = head(client, Content_Length="300000", Content_Type=FORM) + b"\r\n" + b"x" * 300_000
    served = head(client, "GET", "/terminals") + b"\r\n"
    assert [reply.status for reply in await client.raw(refused + served, 2)] == [413, 200]


T = TypeVar("T")


class Failing:
    """Resources that fail in every way there is."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def routes(self) -> list[Route]:
        return [Route("GET", "/failing/{how}", self.fail, "Fails")]

    async def fail(self, _: Call) -> Answer:
        await asyncio.sleep(0)
        raise self._error


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (RuntimeError("7090112233654321"), 500, False),
        (Defect("no such column"), 500, False),
        (Unavailable("disk full"), 503, True),
        (Overloaded("too much"), 503, True),
        (TooLate("moved on"), 409, False),
    ],
)
async def test_failures_here_tell_nothing_and_are_logged_without_values(
    tmp_path: Path, error: Exception, status: int, retry: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_gateway(tmp_path, more_routes=Failing(error).routes()) as gateway:
        reply = await gateway.client.get("/failing/secret-value?query=secret-value", Cookie="secret-value")
        assert_error_shape(reply, status)
        assert ("retry-after" in reply.headers) == retry
    said = "".join(capsys.readouterr())
    assert (reply.headers["x-pj-request-id"] in said) == (status >= 500)
    assert "secret-value" not in said
    assert "7090112233654321" not in said
    if status >= 500:
        assert type(error).__name__ in said
        assert "/failing/{how}" in said


async def test_a_closed_store_is_503_and_not_a_crash(gateway: Gateway) -> None:
    assert (await gateway.client.get("/terminals")).status == 200
    await gateway.store.close()
    for reply in (await gateway.client.post(READ, {"terminalId": 1}), await gateway.client.get("/terminals")):
        assert_error_shape(reply, 503)
