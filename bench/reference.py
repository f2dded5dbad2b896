"""What the product is measured against: servers and a client that do the least that the task allows.

`python -m bench.reference NAME` runs one until it is stopped; it prints its port.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Final, cast

import aiohttp
import httptools
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from bench.sink import EVENT_BODY

ANSWER: Final = b'{\n  "requestId" : "01939f1c-5c5e-7d42-9d5f-3c1a2b4d5e6f"\n}'
FIXED: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(ANSWER), ANSWER)
HEADERS: Final = {"content-type": "application/json"}
AT_ONCE: Final = 32


class Fixed(asyncio.Protocol):
    """R: parses each request and gives a fixed answer."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        self.transport = cast("asyncio.Transport", transport)
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        """A request is here whole."""
        self.transport.write(FIXED)


async def serve_fixed() -> None:
    """R."""
    server = await asyncio.get_running_loop().create_server(Fixed, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def echo(websocket: WebSocket) -> None:
    """Gives back each message."""
    await websocket.accept(subprotocol="countertop.v1")
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect:
        return


async def serve_echo() -> None:
    """A connected WebSocket, and nothing else: under the same server as the product."""
    app = Starlette(routes=[WebSocketRoute("/terminal/channel", echo)])
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(
        app, ws="websockets-sansio", ws_per_message_deflate=False, log_config=None, access_log=False, lifespan="off"
    )
    await uvicorn.Server(config).serve(sockets=[listener])


async def post_bodies(port: int, count: int) -> None:
    """W: the bare client posts `count` bodies, `AT_ONCE` at a time, and reads the answers."""
    url = f"http://127.0.0.1:{port}/hook"
    numbers = iter(range(count))

    async def post(session: aiohttp.ClientSession) -> None:
        for _ in numbers:
            async with session.post(
                url, data=EVENT_BODY, headers={"content-type": "application/json"}, allow_redirects=False
            ) as answer:
                await answer.read()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(post(session) for _ in range(AT_ONCE)))


def main(name: str, *arguments: str) -> None:
    """Runs the reference of that name."""
    if name == "fixed":
        uvloop.run(serve_fixed())
    elif name == "echo":
        uvloop.run(serve_echo())
    else:
        uvloop.run(post_bodies(*map(int, arguments)))


if __name__ == "__main__":
    main(*sys.argv[1:])
