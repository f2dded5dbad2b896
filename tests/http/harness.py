"""A gateway for tests: real store, real server, real socket; and a client that shows exactly what came over it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

LOGIN: Final = "corner"
PASSWORD: Final = "paper & ink: é"
KEY: Final = "2f0f2f0e-2a63-4f3a-9d2e-9a2c7b0c2a10"
OLD_KEY: Final = "5d0c2b1e-7e0f-4a58-93d4-0f6c2f8d9b11"
SMART_TERMINAL: Final = "88888888-4444-4444-4444-cccccccccccc"
IDLE_TERMINAL: Final = "88888888-4444-4444-4444-dddddddddddd"
FOREIGN_TERMINAL: Final = "99999999-4444-4444-4444-cccccccccccc"
FOREIGN_LOGIN: Final = "other"
FOREIGN_KEY: Final = "7c1d2b1e-7e0f-4a58-93d4-0f6c2f8d9b22"

Form = Mapping[str, object] | list[tuple[str, str]] | bytes


@dataclass(frozen=True)
class Reply:
    """An answer as it came over the socket."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def faults(self) -> list[tuple[str | None, str | None, str]]:
        """The errors as (parameter, type, message)."""
        return [(error.get("parameter"), error.get("type"), error["message"]) for error in self.json["errors"]]


def basic(login: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()


@dataclass
class Client:
    """Speaks HTTP/1.1 by hand, a connection for each request unless `raw` is used, so that nothing is smoothed over."""

    url: str
    headers: dict[str, str] = field(
        default_factory=lambda: {"Authorization": basic(LOGIN, PASSWORD), "X-PJ-Application-Key": KEY}
    )

    async def get(self, path: str, **headers: str) -> Reply:
        return await self.ask("GET", path, None, **headers)

    async def post(self, path: str, form: Form = b"", **headers: str) -> Reply:
        return await self.ask("POST", path, form, **headers)

    async def ask(self, method: str, path: str, form: Form | None = None, **headers: str) -> Reply:
        """Sends a request. Header names are given with underscores for hyphens; an empty value leaves a header out."""
        sent = {"Host": urlsplit(self.url).netloc, "Connection": "close", **self.headers}
        body = b""
        if form is not None:
            body = form if isinstance(form, bytes) else urlencode(form, doseq=True).encode()
            sent |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items() if value)]
        return (await self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body))[0]

    async def raw(self, data: bytes, answers: int = 1, *, method: str | None = None) -> list[Reply]:
        """Sends bytes as they are and reads so many answers."""
        async with self.connection() as (reader, writer):
            writer.write(data)
            await writer.drain()
            head = method == "HEAD" or data.startswith(b"HEAD ")
            return [await read_reply(reader, head=head) for _ in range(answers)]

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        address = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=2**24)
        try:
            yield reader, writer
        finally:
            writer.close()


async def read_reply(reader: asyncio.StreamReader, *, head: bool = False) -> Reply:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(lines[0].split(" ")[1])
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
    if status == 100:
        return await read_reply(reader, head=head)
    length = 0 if head or status == 204 else int(headers["content-length"])
    return Reply(status, headers, await reader.readexactly(length))


async def until(condition: Callable[[], bool]) -> None:
    """Lets everything else run until a condition holds."""
    while not condition():  # noqa: ASYNC110 - the condition is of the server's, which rings no bell for tests
        await asyncio.sleep(0.001)


def assert_error_shape(reply: Reply, status: int) -> None:
    """Every error looks like this, however it came about."""
    assert reply.status == status, (reply.status, reply.body)
    assert reply.headers["content-type"] == "application/json"
    assert int(reply.headers["content-length"]) == len(reply.body)
    body = reply.json
    assert list(body) == ["errors"]
    assert body["errors"]
    for error in body["errors"]:
        assert list(error) in (["message"], ["message", "parameter", "type"])
        assert error["message"]
        assert error.get("type") in (None, "required", "invalid")
    parameters = [error.get("parameter", "") for error in body["errors"]]
    assert parameters == sorted(set(parameters))
    assert reply.body.startswith(b'{\n  "errors" : [ {\n    "message" : "')
    assert reply.body.endswith(b"\n  } ]\n}")
