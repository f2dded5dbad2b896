"""What can stand between a client and the gateway it means: a wire that is cut, and a server that is not ours."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


class Wire:
    """Carries HTTP to a server, and cuts the next `cuts` connections when the answer begins: the server has done its work."""

    def __init__(self, url: str) -> None:
        self.url = ""
        self.cuts = 0
        self.cut_answers: list[bytes] = []
        self._to = urlsplit(url)

    async def carry(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        there, to = await asyncio.open_connection(self._to.hostname, self._to.port)
        sending = asyncio.create_task(_send(client, to))
        try:
            while piece := await there.read(65536):
                if self.cuts:
                    self.cuts -= 1
                    self.cut_answers.append(piece)
                    return
                back.write(piece)
                await back.drain()
        finally:
            sending.cancel()
            to.close()
            back.close()


async def _send(client: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    """Carries what a client says, and hangs up when it does."""
    while piece := await client.read(65536):
        to.write(piece)
        await to.drain()
    to.close()


@contextlib.contextmanager
def wire_to(url: str, loop: asyncio.AbstractEventLoop) -> Iterator[Wire]:
    """A wire to a server, in a loop that runs on another thread."""
    wire = Wire(url)
    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(wire.carry, "127.0.0.1", 0), loop).result(10)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield wire
    finally:
        loop.call_soon_threadsafe(server.close)


class Foreign(ThreadingHTTPServer):
    """A server that answers from a list, and keeps method, path and headers of what it was asked."""

    daemon_threads = True

    def __init__(self, *answers: tuple[int, dict[str, str], Any]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.answers = list(answers)
        self.asked: list[tuple[str, str, dict[str, str]]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Foreign

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path, {name.lower(): value for name, value in self.headers.items()}))
        status, headers, content = self.server.answers.pop(0)
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - the library finds them by these names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Says nothing."""


@contextlib.contextmanager
def foreign_server(*answers: tuple[int, dict[str, str], Any]) -> Iterator[Foreign]:
    """A server that gives these answers, one after the other."""
    with Foreign(*answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
